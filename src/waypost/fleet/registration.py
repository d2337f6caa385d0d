"""What sets a new device up: commands with the access point and the server's address, and the
invitation of somebody who is to use an app."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from sqlalchemy import select, update

from waypost.catalog import models
from waypost.fleet.device_settings import forget_tracking
from waypost.fleet.outgoing import Outbox
from waypost.fleet.owners import sends_commands
from waypost.fleet.rows import TrackerRow
from waypost.fleet.source_settings import change_setting
from waypost.refusal import Refused
from waypost.store.tables import sources

#: The panel may ask for registration commands once in so many seconds.
RETRY_SECONDS = 120


def has_gsm(row: TrackerRow) -> bool:
    """Has the device a GSM module, with a number that can be called or written to? An app on a
    phone is no such device."""
    model = models.model(row.model)
    return model is not None and model.has_phone and not model.mobile


async def send_registration(outbox: Outbox, row: TrackerRow, apn: Mapping[str, str] | None) -> None:
    """Queues what sets the device up, by SMS. One without a number cannot be written to."""
    if row.phone is None or not has_gsm(row):
        return
    content = {"model": row.model, "device_id": row.device_id, "apn": apn}
    await outbox.tell(row, "registration", content, channel="sms")


async def invite(outbox: Outbox, row: TrackerRow, email: str | None, phone: str | None) -> None:
    """Queues messages to the person who is to use the app, with the id to log in with."""
    content = {"label": row.label, "device_id": row.device_id}
    if email:
        await outbox.tell(row, "invitation", content, channel="email", recipient=email)
    if phone:
        await outbox.tell(row, "invitation", content, channel="sms", recipient=phone)


async def retry(
    outbox: Outbox, row: TrackerRow, apn: Mapping[str, str] | None, wanted: bool | None
) -> None:
    """Queues once more what sets the device of ``row`` (locked) up, with this access point.
    Raises :class:`Refused` 242 once the device has connected."""
    if row.connected_at is not None:
        raise Refused(242)
    write = outbox.write
    await change_setting(write, row.source_id, "apn", dict(apn) if apn else None)
    await _note_retry(outbox, row)
    if await sends_commands(write.connection, row.dealer_id, wanted):
        await send_registration(outbox, row, apn)


async def start_again(outbox: Outbox, row: TrackerRow, wanted: bool | None) -> None:
    """The panel's retry, for a locked tracker: queues once more what sets its device up, connected
    or not, and resets the tracking settings. Raises :class:`Refused` 264 within two minutes of
    another one."""
    connection = outbox.write.connection
    query = select(sources.c.register_retried_at, sources.c.settings)
    before = (await connection.execute(query.where(sources.c.id == row.source_id))).one()
    if before.register_retried_at is not None:
        remainder = before.register_retried_at + RETRY_SECONDS * 1000 - outbox.now
        if remainder > 0:
            raise Refused(264, timeout=RETRY_SECONDS, remainder=ceil(remainder / 1000))
    await forget_tracking(connection, row.source_id)
    await _note_retry(outbox, row)
    if await sends_commands(connection, row.dealer_id, wanted):
        await send_registration(outbox, row, before.settings.get("apn"))


async def _note_retry(outbox: Outbox, row: TrackerRow) -> None:
    await outbox.write.connection.execute(
        update(sources).where(sources.c.id == row.source_id).values(register_retried_at=outbox.now)
    )
