"""Replacing a device: another one takes its place, and history, sensors and settings stay."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from waypost.billing.tariffs import find
from waypost.catalog import models
from waypost.catalog.models import Model
from waypost.fleet import device_settings
from waypost.fleet.groups import need_group
from waypost.fleet.outgoing import Outbox
from waypost.fleet.owners import Owner, sends_commands
from waypost.fleet.register import NewDevice, identify, leave_inbox, make_up_ids
from waypost.fleet.registration import last_heard, send_registration
from waypost.fleet.rows import TrackerRow, fetch_row, rows_query
from waypost.refusal import Refused, invalid
from waypost.store.tables import device_events, sources, trackers


async def replace(
    outbox: Outbox, row: TrackerRow, owner: Owner, new: NewDevice, *, group_id: int | None = None
) -> TrackerRow:
    """Lets a new device take the place of that of ``row``, which is locked and has been active. The
    old one's id and number are free. ``owner`` is the account; its activation codes are not asked
    for. ``group_id``: the tracker comes into this group, too. Raises :class:`Refused`: 7 for apps
    on phones, 204, 220 to 226, 258."""
    write, connection = outbox.write, outbox.write.connection
    if group_id is not None:
        await need_group(connection, row.user_id, group_id, 204)
    model = models.model(new.model)
    if model is None:
        raise Refused(220)
    _need_devices(row, model)
    if owner.dealer_places is not None and owner.dealer_places < 0:
        raise Refused(221)
    prepared = await identify(connection, owner.dealer_id, new, outbox.now, freed=row.phone)
    if row.tariff_id is not None:
        tariff = await find(connection, owner.dealer_id, row.tariff_id, missing=225)
        if not tariff.is_for(owner.legal_type):
            raise Refused(225)
    await make_up_ids(connection, [prepared])
    settings: dict[str, Any] = dict(
        (
            await connection.execute(
                select(sources.c.settings).where(sources.c.id == row.source_id)
            )
        ).scalar_one()
    )
    settings.pop("apn", None)
    if prepared.apn:
        settings["apn"] = prepared.apn
    try:
        await connection.execute(
            update(sources)
            .where(sources.c.id == row.source_id)
            .values(
                device_id=prepared.device_id,
                model=prepared.model,
                phone=prepared.phone,
                sim_card_id=prepared.sim_card_id,
                connected_at=None,
                last_connection_at=None,
                replaced_at=outbox.now,
                register_retried_at=None,
                password=None,
                setup={},
                settings=settings,
            )
        )
    except IntegrityError as error:
        raise Refused(223 if "phone" in str(error.orig) else 224) from None
    if group_id is not None:
        await connection.execute(
            update(trackers).where(trackers.c.id == row.id).values(group_id=group_id or None)
        )
    await connection.execute(
        insert(device_events).values(
            source_id=row.source_id,
            at=outbox.now,
            kind="replaced",
            text=f"{row.device_id} ({row.model}) was replaced by "
            f"{prepared.device_id} ({prepared.model})",
        )
    )
    heard = await last_heard(connection, prepared.device_id)
    await leave_inbox(connection, [str(prepared.device_id)])
    await outbox.cancel(row.source_id)
    write.changes.sources.add(row.source_id)
    write.changes.devices.update((row.device_id, str(prepared.device_id)))
    made = await fetch_row(connection, rows_query().where(trackers.c.id == row.id))
    if made is None:
        raise LookupError(f"tracker {row.id} is gone in its own transaction")
    await device_settings.take_over(outbox, made, models.model(row.model))
    if not prepared.preset and await sends_commands(connection, row.dealer_id, new.send_commands):
        await send_registration(outbox, made, prepared.apn, heard=heard, by_sms=new.by_sms)
    return made


def need_replaced(row: TrackerRow) -> None:
    """Raises :class:`Refused` 266 for a device that is the first one and was never active: there
    was nothing to replace."""
    if row.replaced_at is None and row.connected_at is None:
        raise Refused(266)


def _need_devices(row: TrackerRow, new: Model) -> None:
    old = models.model(row.model)
    if new.mobile or (old is not None and old.mobile):
        raise invalid("model", "an app on a phone cannot be replaced, nor replace a device")
