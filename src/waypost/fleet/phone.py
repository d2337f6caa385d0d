"""Another SIM card in a device."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from waypost.fleet.outgoing import Outbox
from waypost.fleet.register import number_of, taken_phones
from waypost.fleet.rows import TrackerRow
from waypost.fleet.source_settings import change_setting
from waypost.refusal import Refused
from waypost.store.tables import bundles, sim_cards, sources


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
    query = select(sources.c.settings).where(sources.c.id == row.source_id)
    before = (await connection.execute(query)).scalar_one().get("apn") or {}
    now = {key: text for key, text in {**before, **apn}.items() if text}
    await change_setting(outbox.write, row.source_id, "apn", now or None)
    await outbox.tell(row, "apn", {"apn": now}, channel="sms")
