"""The SIM card in a device: its number and its access point."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import not_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.outgoing import Outbox
from waypost.fleet.register import number_of, taken_phones
from waypost.fleet.registration import (
    REGISTRATION,
    has_gsm,
    is_connected,
    operators_apn,
    registration_of,
)
from waypost.fleet.rows import TrackerRow
from waypost.fleet.source_settings import change_setting, settings_of
from waypost.fleet.telling import can_tell
from waypost.refusal import Refused
from waypost.store.tables import bundles, sim_cards, sources, trackers


def has_own_sim(row: TrackerRow) -> bool:
    """Has the device a SIM card that is not its dealer's?"""
    return has_gsm(row) and row.sim_card_id is None


async def apn_of(connection: AsyncConnection, source_id: int) -> dict[str, str] | None:
    """``name``, ``user`` and ``password`` of the access point of a device, those that it has: as
    somebody gave it, else that of its operator; None: nobody knows."""
    query = select(sources.c.settings, sources.c.phone, sources.c.sim_card_id)
    row = (await connection.execute(query.where(sources.c.id == source_id))).one()
    given: dict[str, str] | None = row.settings.get("apn")
    return given or await operators_apn(connection, row.phone, row.sim_card_id)


async def apn_of_number(
    connection: AsyncConnection, user_id: int, phone: str
) -> dict[str, str] | None:
    """The same by a phone number: that of one of an account's devices, or any. Raises
    :class:`Refused` 7."""
    number = number_of("phone", phone)
    query = (
        select(sources.c.id)
        .join(trackers, trackers.c.source_id == sources.c.id)
        .where(
            trackers.c.user_id == user_id,
            not_(trackers.c.deleted),
            sources.c.phone == number,
            sources.c.sim_card_id.is_(None),
        )
    )
    source_id = await connection.scalar(query)
    if source_id is not None:
        return await apn_of(connection, source_id)
    return await operators_apn(connection, number, None)


async def change_phone(outbox: Outbox, row: TrackerRow, phone: str, apn: Mapping[str, str]) -> None:
    """Gives the device of ``row`` (locked) another number and, where ``apn`` has them, name, user
    and password of the access point; the device is told. Raises :class:`Refused`: 7 for what is no
    number; 223 another device's; 241 that of a SIM card that a dealer sells with a device."""
    connection = outbox.write.connection
    number = number_of("phone", phone)
    if number is None:
        raise Refused(7, errors=[{"parameter": "phone", "error": "must not be empty"}])
    if number != row.phone:
        sold = (
            select(sim_cards.c.id)
            .outerjoin(bundles, bundles.c.sim_card_id == sim_cards.c.id)
            .outerjoin(sources, sources.c.sim_card_id == sim_cards.c.id)
            .where(
                sim_cards.c.phone == number,
                or_(bundles.c.id.is_not(None), sources.c.id.is_not(None)),
            )
        )
        if await connection.scalar(sold.limit(1)) is not None:
            raise Refused(241)
        if await taken_phones(connection, [number]):
            raise Refused(223)
        try:
            await connection.execute(
                update(sources)
                .where(sources.c.id == row.source_id)
                .values(phone=number, sim_card_id=None)
            )
        except IntegrityError:
            raise Refused(223) from None
    settings = await settings_of(connection, [row.source_id])
    before = settings[row.source_id].get("apn") or {}
    now = {key: text for key, text in {**before, **apn}.items() if text}
    await change_setting(outbox.write, row.source_id, "apn", now or None)
    known = now or await operators_apn(connection, number, None)
    if not known:
        return  # there is nothing to tell
    kind, content, refused = "apn", {"apn": known}, None
    if not can_tell(row.model, kind) and can_tell(row.model, REGISTRATION):
        # Such devices are told the access point together with the server's address only.
        kind = REGISTRATION
        content, refused = await registration_of(outbox, row, known)
    await outbox.tell(row, kind, content, channel="sms", refused=refused)
    if is_connected(outbox, row):
        await outbox.tell(row, kind, content, refused=refused)
