"""What is asked of the database in words that the engines spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert
from till import NOON, Till

from waypost.billing import bundles, codes
from waypost.billing.codes import Gives
from waypost.billing.sims import add_sim
from waypost.store.tables import bundles as bundle_rows


async def test_bundles_are_searched_by_time_and_what_is_missing_comes_last(till: Till) -> None:
    async with till.fleet.database.begin() as connection:
        for number in range(3):
            await connection.execute(
                insert(bundle_rows).values(
                    dealer_id=till.dealer_id,
                    imei=f"35508505002728{number}",
                    equip_id=3001,
                    model_code="telfmb120",
                    factory_preset=True,
                    created_at=NOON,
                )
            )
        await add_sim(connection, till.dealer_id, "8970101006", "491700000001", "")
        await bundles.set_sim(connection, till.dealer_id, 2, "8970101006", NOON)

        async def ids(**params: Any) -> list[int]:
            asked = {
                "user_id": None,
                "tariff_id": None,
                "clones": "not_set",
                "text": None,
                "order_by": "id",
                "ascending": True,
                "offset": 0,
                "limit": None,
                **params,
            }
            found, count = await bundles.list_bundles(connection, till.dealer_id, **asked)
            assert count >= len(found)
            return [one.id for one in found]

        assert await ids(text="2024-03-09 12:00:00") == [2]
        assert await ids(text="03-09") == [2]
        assert await ids(order_by="iccid") == [2, 1, 3]
        assert await ids(order_by="iccid", ascending=False) == [2, 3, 1]
        assert await ids(order_by="status", limit=2) == [1, 2]
        assert await ids(clones="only_include_clones") == []


async def test_codes_are_sorted_by_whether_they_were_used(till: Till) -> None:
    tariff = await till.tariff(price=3)
    user = await till.user()
    tracker_id = await till.device(user, tariff)  # the first of each
    async with till.fleet.database.begin() as connection:
        await codes.create_codes(connection, till.dealer_id, 3, Gives(tariff, 1, 2, 3), NOON)

        async def listed(order_by: codes.Order, *, ascending: bool) -> list[Any]:
            rows, _ = await codes.list_codes(
                connection,
                till.dealer_id,
                text=None,
                order_by=order_by,
                ascending=ascending,
                offset=0,
                limit=None,
            )
            return rows

        first = (await listed("code", ascending=True))[0].code
        code = await codes.find_code(connection, till.dealer_id, first)
        await codes.use_code(connection, code, tracker_id, user, NOON)
        used = [row.activated_at for row in await listed("activated", ascending=True)]
        assert used == [None, None, NOON]
        assert (await listed("activated", ascending=False))[0].code == first
    assert await till.money(user) == (3, 1)
