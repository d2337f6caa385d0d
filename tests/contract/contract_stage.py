"""The world that actions are held to their contract in: people, and what they can do to it.

A stage is made once in a test process and copied for every test, so that each has one of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from api_opening import open_foldings, open_ingest, open_services, quick_passwords, settle
from api_world import NOON, Clock, World
from sqlalchemy import insert, update

from waypost.accounts.model import SessionKind
from waypost.billing.orders import NewOrder, create_order
from waypost.settings import Settings
from waypost.store.tables import sim_cards, sources, users
from waypost.telemetry.message import Message

#: An id that nothing has.
NOTHING = 10**12
IMEI = "355085050027285"
OTHER_IMEI = "355085050027293"
ICCID = "89701010064407635201"
#: Models: one that dealers sell, one without GSM, an app on a phone, one that cannot be registered.
MODEL, NO_GSM, APP = "telfmb920", "navixy_ngp", "mobile_unknown"


class People(msgspec.Struct):
    """What is kept of a stage beside its files."""

    ids: dict[str, int]
    hashes: dict[str, str]
    dealer_id: int
    tariff_id: int


class Stage(World):
    """A world with what tests of the contract do again and again."""

    async def done(self, path: str, who: str | None = "user", **params: Any) -> dict[str, Any]:
        """The reply to a call that must succeed."""
        reply = await self.call(path, who, **params)
        assert reply["success"], (path, params, reply)
        return reply

    async def device(self, who: str = "user", **params: Any) -> dict[str, Any]:
        """A new device of an account: its tracker."""
        return await self.register(params.pop("label", "Courier"), who, **params)

    async def clone(self, tracker: dict[str, Any] | None = None, who: str = "user") -> int:
        """The id of a clone that ``who`` has of a device, or of a new one of ``stranger``'s."""
        tracker = tracker or await self.device("stranger")
        made = await self.done(
            "panel/tracker/clone", tracker_id=tracker["id"], label="Copy", user_id=self.ids[who]
        )
        return int(made["id"])

    async def block(self, tracker_id: int) -> None:
        await self.done("panel/tracker/source/update", tracker_id=tracker_id, blocked=True)

    async def corrupt(self, tracker_id: int) -> None:
        await self.done("panel/tracker/corrupt", tracker_id=tracker_id, corrupt_clones=True)

    async def change_source(self, tracker: dict[str, Any], **columns: Any) -> None:
        """What no action changes of the device of a tracker."""
        source_id = tracker["source"]["id"]
        async with self.services.database.begin() as connection:
            await connection.execute(
                update(sources).where(sources.c.id == source_id).values(**columns)
            )
        self.services.bus.publish(f"fleet.source.{source_id}")

    async def connect(self, tracker: dict[str, Any]) -> None:
        """The device of a tracker connects, now."""
        now = self.clock.now
        await self.change_source(tracker, connected_at=now, last_connection_at=now)

    async def become(self, tracker: dict[str, Any], model: str) -> None:
        """The device of a tracker is of a model that cannot be registered (any more)."""
        await self.change_source(tracker, model=model)

    async def active(self, who: str = "user", **params: Any) -> dict[str, Any]:
        """A new device that has connected."""
        tracker = await self.device(who, **params)
        await self.connect(tracker)
        return tracker

    async def position(self, tracker: dict[str, Any], **values: Any) -> None:
        """The device of a tracker says where it is, now."""
        fields: dict[str, Any] = {
            "time": self.clock.now,
            "digest_of": str(self.clock.now).encode(),
            "latitude": 42.82769,
            "longitude": -78.26290833333333,
            "altitude": 120.0,
            "speed": 0.0,
            "heading": 45.0,
            "satellites": 9,
        }
        await self.report(tracker, Message(**{**fields, **values}))

    async def change_user(self, who: str, **columns: Any) -> None:
        """Another legal type and the like."""
        async with self.services.database.begin() as connection:
            await connection.execute(
                update(users).where(users.c.id == self.ids[who]).values(**columns)
            )
        self.services.accounts.sessions.forget_user(self.ids[who])

    async def session(self, who: str, kind: SessionKind = SessionKind.LOGIN) -> str:
        """The hash of one more session of a user or a panel account."""
        sessions = self.services.accounts.sessions
        async with self.services.database.begin() as connection:
            if who.endswith("panel"):
                return await sessions.create_for_panel(connection, self.ids[who], self.clock.now)
            return await sessions.create_for_user(
                connection, self.ids[who], kind, self.clock.now, limited=False
            )

    async def sim(self, iccid: str = ICCID, phone: str = "491701234567", **columns: Any) -> str:
        """A SIM card of the dealer."""
        values = {"dealer_id": self.dealer_id, "iccid": iccid, "phone": phone, **columns}
        async with self.services.database.begin() as connection:
            await connection.execute(insert(sim_cards).values(**values))
        return iccid

    async def equipment(self, model: str = MODEL) -> int:
        """The id of the equipment of a model."""
        listed = (await self.done("panel/equipment/list"))["list"]
        return next(one["equip_id"] for one in listed if one["model_code"] == model)

    async def bundle(self, imei: str = IMEI, *, iccid: str | None = None) -> int:
        """A bundle of the dealer, with a SIM card."""
        await self.done(
            "panel/tracker/bundle/import",
            imeis=[imei],
            equip_id=await self.equipment(),
            factory_preset=True,
        )
        made = (await self.done("panel/tracker/bundle/read", imei=imei))["value"]
        if iccid is not None:
            await self.done("panel/tracker/bundle/assign", bundle_id=made["id"], iccid=iccid)
        return int(made["id"])

    async def order(self) -> int:
        """An order of the user's."""
        new = NewOrder(user_id=self.ids["user"], amount=2, sum=343, payer="Ann", place="Leipzig")
        async with self.services.database.begin() as connection:
            return await create_order(connection, new, NOON)

    async def tariff(self, who: str = "panel", **fields: Any) -> int:
        """A tariff of the dealer."""
        tariff = {
            "name": "Monthly",
            "group_id": 0,
            "active": True,
            "type": "monthly",
            "price": 12.5,
            "early_change_price": None,
            "device_limit": 100,
            "has_reports": True,
            "paas_free": False,
            "store_period": "1y",
            "features": [],
            "map_filter": {"exclude": True, "values": []},
            "device_type": "tracker",
            "proportional_charge": False,
            "service_prices": {},
            "doc_type": 0,
            **fields,
        }
        return int((await self.done("panel/tariff/create", who, tariff=tariff))["id"])

    async def codes(self, count: int = 1, **params: Any) -> list[str]:
        """Activation codes of the dealer."""
        params = {
            "count": count,
            "tariff_id": self.tariff_id,
            "bonus_amount": 0,
            "free_days": 0,
            **params,
        }
        await self.done("panel/dealer/activation_code/create", **params)
        listed = await self.done("panel/dealer/activation_code/list")
        return [one["code"] for one in listed["list"]]

    async def rule(self, *tracker_ids: int, who: str = "user") -> int:
        """A rule for trackers."""
        made = await self.done(
            "tracker/rule/create",
            who,
            rule={
                "name": "Offline",
                "description": "",
                "trackers": list(tracker_ids),
                "zone_ids": [],
                "type": "offline",
                "primary_text": "offline",
                "secondary_text": "online again",
                "param": 20,
                "alerts": {"sms_phones": [], "phones": [], "emails": [], "push_enabled": False},
                "suspended": False,
            },
        )
        return int(made["id"])

    async def vehicle(self, tracker_id: int | None, who: str = "user") -> int:
        """A vehicle with a tracker."""
        made = await self.done(
            "vehicle/create",
            who,
            vehicle={
                "tracker_id": tracker_id,
                "label": "Truck",
                "max_speed": 90,
                "model": "Actros",
                "type": "truck",
                "reg_number": "B-WP 1",
                "vin": "",
                "fuel_type": "diesel",
            },
        )
        return int(made["id"])


@asynccontextmanager
async def open_stage(data_dir: Path, people: People | None = None) -> AsyncIterator[Stage]:
    """A stage on the files in ``data_dir``, at noon; a new one where there are no people yet."""
    settings = Settings(data_dir=data_dir, api_rate=0)
    async with (
        open_services(settings, quick_passwords()) as services,
        open_ingest(services) as ingest,
        open_foldings(services, ingest) as foldings,
    ):
        stage = Stage(services, ingest, foldings, Clock())
        if people is None:
            await settle(stage)
        else:
            stage.ids, stage.hashes = dict(people.ids), dict(people.hashes)
            stage.dealer_id, stage.tariff_id = people.dealer_id, people.tariff_id
        yield stage
        await stage.client.aclose()


class Theatre:
    """Makes stages that are all alike: with people only, or with what ``furnish`` adds."""

    def __init__(
        self, folder: Path, furnish: Callable[[Stage], Awaitable[None]] | None = None
    ) -> None:
        self._folder = folder
        self._furnish = furnish
        self._people: People | None = None

    @asynccontextmanager
    async def stage(self, data_dir: Path) -> AsyncIterator[Stage]:
        """A stage of one's own, in ``data_dir``."""
        original = self._folder / "data"
        if self._people is None:
            async with open_stage(original) as made:
                if self._furnish is not None:
                    await self._furnish(made)
                people = People(made.ids, made.hashes, made.dealer_id, made.tariff_id)
            self._people = people
        shutil.copytree(original, data_dir)
        async with open_stage(data_dir, self._people) as stage:
            yield stage
