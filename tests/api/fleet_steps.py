"""Steps that tests of trackers take."""

from __future__ import annotations

from typing import Any

import msgspec
from api_world import NOON, World
from sqlalchemy import insert, select, update

from waypost.catalog import models
from waypost.store.tables import bundles, commands, dealers, sim_cards, sources

IMEI = "123451234512346"
ICCID = "8988303000000614227"
PHONE = "882360012345678"
APN = {"apn_name": "fast.tmobile.com", "apn_user": "tmobile", "apn_password": ""}


async def add_bundle(world: World, imei: str = IMEI, **columns: Any) -> int:
    """A bundle of the first dealer; with ``iccid`` it has that SIM card."""
    iccid = columns.pop("iccid", None)
    sim = await add_sim(world, iccid) if iccid else None
    async with world.services.database.begin() as connection:
        made = await connection.scalar(
            insert(bundles)
            .values(
                **{
                    "dealer_id": world.dealer_id,
                    "imei": imei,
                    "equip_id": models.all_models()["telfmb120"].id,
                    "model_code": "telfmb120",
                    "factory_preset": True,
                    "sim_card_id": sim,
                    "created_at": NOON,
                    **columns,
                }
            )
            .returning(bundles.c.id)
        )
    assert made is not None
    return int(made)


async def add_sim(world: World, iccid: str = ICCID, phone: str = PHONE, **columns: Any) -> int:
    async with world.services.database.begin() as connection:
        made = await connection.scalar(
            insert(sim_cards)
            .values(
                dealer_id=world.dealer_id, iccid=iccid, phone=phone, apn="iot.example", **columns
            )
            .returning(sim_cards.c.id)
        )
    assert made is not None
    return int(made)


async def queue(world: World) -> list[Any]:
    """The outgoing queue: (channel, kind, recipient, state, content)."""
    async with world.services.database.read() as connection:
        rows = (await connection.execute(select(commands).order_by(commands.c.id))).all()
    return [
        (
            row.channel,
            row.kind,
            row.recipient,
            row.state,
            row.payload if row.kind in ("text", "hex") else msgspec.json.decode(row.payload),
        )
        for row in rows
    ]


async def clone(world: World, tracker_id: int, who: str = "stranger") -> int:
    """The id of a clone in another user's account."""
    reply = await world.call(
        "panel/tracker/clone", tracker_id=tracker_id, label="Clone", user_id=world.ids[who]
    )
    assert reply["success"], reply
    return int(reply["id"])


async def connect(world: World, tracker: dict[str, Any]) -> None:
    """The device has connected."""
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(sources)
            .where(sources.c.id == tracker["source"]["id"])
            .values(connected_at=world.clock.now, last_connection_at=world.clock.now)
        )
    world.services.fleet.trackers._forget_source(tracker["source"]["id"])


async def set_dealer(world: World, **settings: Any) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(dealers).where(dealers.c.id == world.dealer_id).values(settings=settings)
        )
