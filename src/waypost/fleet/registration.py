"""What sets a new device up: commands with the access point and the server's address, and the
invitation of somebody who is to use an app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import models, operators
from waypost.fleet.device_ids import told_as
from waypost.fleet.device_settings import interval_of, reset_tracking
from waypost.fleet.outgoing import Outbox
from waypost.fleet.owners import sends_commands
from waypost.fleet.rows import TrackerRow
from waypost.fleet.server_address import Unreachable
from waypost.fleet.source_settings import change_setting
from waypost.fleet.telling import cannot_tell, protocol_of
from waypost.moments import write_duration
from waypost.protocols.instructions import AccessPoint
from waypost.refusal import Refused
from waypost.store.tables import inbox, sim_cards, sources

#: The kind of command that sets a device up.
REGISTRATION = "registration"
#: Seconds between two reports where the model has no tracking settings.
INTERVAL = 60
#: A device that was there so lately (ms) has a connection: gateways note it every five minutes.
CONNECTED_MS = 10 * 60_000
#: The panel may ask for registration commands once in so many seconds.
RETRY_SECONDS = 120


def has_gsm(row: TrackerRow) -> bool:
    """Has the device a GSM module, with a number that can be called or written to? An app on a
    phone is no such device."""
    model = models.model(row.model)
    return model is not None and model.has_phone and not model.mobile


async def registration_of(
    outbox: Outbox, row: TrackerRow, apn: Mapping[str, str] | None
) -> tuple[dict[str, Any], str | None]:
    """What sets the device of ``row`` up (``protocols.instructions.Registration``), and why it
    cannot be told (None: it can). Without an access point that of the operator is taken, where
    number or SIM card say which it is."""
    server, refused = None, cannot_tell(row, REGISTRATION)
    protocol = protocol_of(row.model)
    if refused is None and protocol is not None:
        try:
            server = outbox.addresses.of(protocol)
        except Unreachable as error:
            refused = str(error)
    told = {
        "server": server,
        "apn": await access_point(outbox, row, apn),
        "interval": await interval_of(outbox.write.connection, row) or INTERVAL,
    }
    content: dict[str, Any] = msgspec.to_builtins(told)
    return {key: value for key, value in content.items() if value is not None}, refused


async def access_point(
    outbox: Outbox, row: TrackerRow, apn: Mapping[str, str] | None
) -> AccessPoint | None:
    """The access point that the device of ``row`` is told: ``apn``, or that of its operator; None:
    it needs none, or nobody knows which."""
    model = models.model(row.model)
    if model is None or not model.has_apn_settings:
        return None
    given = apn or await operators_apn(outbox.write.connection, row.phone, row.sim_card_id)
    if not given:
        return None
    return AccessPoint(given.get("name", ""), given.get("user", ""), given.get("password", ""))


async def operators_apn(
    connection: AsyncConnection, phone: str | None, sim_card_id: int | None
) -> dict[str, str] | None:
    """``name``, ``user`` and ``password``, those that it has, of an operator's access point, by SIM
    card and phone number; None: the table of operators has none that is clearly the right one."""
    iccid = None
    if sim_card_id is not None:
        iccid = await connection.scalar(
            select(sim_cards.c.iccid).where(sim_cards.c.id == sim_card_id)
        )
    found = operators.access_point(phone, iccid)
    return None if found is None else msgspec.to_builtins(found)


async def send_registration(
    outbox: Outbox,
    row: TrackerRow,
    apn: Mapping[str, str] | None,
    *,
    heard: int | None = None,
    by_sms: bool = True,
) -> None:
    """Queues what sets the device up: by SMS where it has a number, and over its connection where
    it has one already. ``heard`` (ms): when it was there last, before it was registered."""
    if not has_gsm(row):
        return
    content, refused = await registration_of(outbox, row, apn)
    if by_sms and row.phone is not None:
        await outbox.tell(row, REGISTRATION, content, channel="sms", refused=refused)
    if is_connected(outbox, row, heard):
        await outbox.tell(row, REGISTRATION, content, refused=refused)


def is_connected(outbox: Outbox, row: TrackerRow, heard: int | None = None) -> bool:
    """Has the device a connection, as far as is known here?"""
    last = max(heard or 0, row.last_connection_at or 0)
    return last > outbox.now - CONNECTED_MS


async def last_heard(connection: AsyncConnection, device_id: str | None) -> int | None:
    """When a device that nobody registered was there last (ms); None: nobody heard it."""
    if device_id is None:
        return None
    names, pattern = told_as(device_id)
    spelled = [inbox.c.device_id.in_(names)]
    if pattern is not None:
        spelled.append(inbox.c.device_id.like(pattern))
    found: int | None = await connection.scalar(
        select(func.max(inbox.c.last_seen_at)).where(or_(*spelled))
    )
    return found


class Invitation(msgspec.Struct, frozen=True):
    """``invitation``: to somebody who is to use an app as a tracker."""

    label: str
    device_id: str


async def invite(outbox: Outbox, row: TrackerRow, email: str | None, phone: str | None) -> None:
    """Queues messages to the person who is to use the app, with the id to log in with."""
    content = msgspec.structs.asdict(Invitation(row.label, row.device_id))
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
            timeout = write_duration(RETRY_SECONDS * 1000)
            raise Refused(264, timeout=timeout, remainder=write_duration(remainder))
    await reset_tracking(outbox, row)
    await _note_retry(outbox, row)
    if await sends_commands(connection, row.dealer_id, wanted):
        await send_registration(outbox, row, before.settings.get("apn"))


async def _note_retry(outbox: Outbox, row: TrackerRow) -> None:
    await outbox.write.connection.execute(
        update(sources).where(sources.c.id == row.source_id).values(register_retried_at=outbox.now)
    )
