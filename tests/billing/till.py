"""What the tests of charging work with."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update

from waypost.billing.activity import start_of
from waypost.fleet.service import Fleet
from waypost.jobs.billing import billing
from waypost.store.tables import sources, tariffs, trackers, transactions, users

NOON = 1_709_985_600_000
DAY = 86_400_000
#: 2024-03-09.
TODAY = datetime.fromtimestamp(NOON / 1000, UTC).date()


class Till:
    """One dealer's money."""

    def __init__(self, fleet: Fleet, dealer_id: int) -> None:
        self.fleet = fleet
        self.dealer_id = dealer_id
        self.jobs = {job.name: job for job in billing(fleet)}
        self._number = 0

    async def tariff(self, **columns: Any) -> int:
        self._number += 1
        values = {"dealer_id": self.dealer_id, "name": f"T{self._number}", **columns}
        return await self._add(tariffs, **values)

    async def user(self, balance: float = 0, bonus: float = 0, **columns: Any) -> int:
        self._number += 1
        return await self._add(
            users,
            dealer_id=self.dealer_id,
            login=f"user{self._number}@example.org",
            password_hash="-",
            balance=Decimal(str(balance)),
            bonus=Decimal(str(bonus)),
            created_at=NOON,
            **columns,
        )

    async def device(self, user_id: int, tariff_id: int, **columns: Any) -> int:
        """A registered device; the id of its source."""
        self._number += 1
        source_id = await self._add(
            sources,
            **{
                "device_id": f"{self._number:015}",
                "model": "telfmb120",
                "dealer_id": self.dealer_id,
                "tariff_id": tariff_id,
                "creation_date": date(2023, 1, 1),
                "registered_at": NOON,
                **columns,
            },
        )
        await self._add(
            trackers,
            source_id=source_id,
            user_id=user_id,
            label="Truck",
            creation_date=date(2023, 1, 1),
        )
        return source_id

    async def _add(self, table: Any, **values: Any) -> int:
        async with self.fleet.database.begin() as connection:
            made = await connection.execute(insert(table).values(values).returning(table.c.id))
            return int(made.scalar_one())

    async def change(self, source_id: int, **columns: Any) -> None:
        async with self.fleet.database.begin() as connection:
            await connection.execute(
                update(sources).where(sources.c.id == source_id).values(columns)
            )

    async def give(self, user_id: int, amount: float) -> None:
        async with self.fleet.database.begin() as connection:
            await connection.execute(
                update(users)
                .where(users.c.id == user_id)
                .values(balance=users.c.balance + Decimal(str(amount)))
            )

    async def run(self, day: date = TODAY, hour: float = 12) -> None:
        """The job, at that time (UTC)."""
        await self.jobs["fees"].run(start_of(day) + int(hour * 3_600_000))

    async def source(self, source_id: int) -> Any:
        async with self.fleet.database.read() as connection:
            query = select(sources).where(sources.c.id == source_id)
            return (await connection.execute(query)).one()

    async def money(self, user_id: int) -> tuple[float, float]:
        """Balance and bonus."""
        async with self.fleet.database.read() as connection:
            query = select(users.c.balance, users.c.bonus).where(users.c.id == user_id)
            row = (await connection.execute(query)).one()
        return float(row.balance), float(row.bonus)

    async def postings(self, user_id: int) -> list[tuple[str, str, float, float]]:
        """Type, subtype, amount and bonus amount of the user's transactions."""
        async with self.fleet.database.read() as connection:
            query = (
                select(transactions)
                .where(transactions.c.user_id == user_id)
                .order_by(transactions.c.id)
            )
            rows = (await connection.execute(query)).all()
        for row in rows:
            assert row.new_balance == row.old_balance + row.amount
            assert row.new_bonus == row.old_bonus + row.bonus_amount
        return [(row.type, row.subtype, float(row.amount), float(row.bonus_amount)) for row in rows]

    async def count(self, table: Any) -> int:
        async with self.fleet.database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(table)) or 0
