"""Registering devices: from what somebody typed to a source and its first tracker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from sqlalchemy import delete, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.start import welcome
from waypost.catalog import models
from waypost.catalog.plugins import all_plugins
from waypost.fleet.bundled import bundle_of, sim_of
from waypost.fleet.device_ids import (
    WrongDeviceId,
    checked,
    has_check_digit,
    made_up,
    told_as,
)
from waypost.fleet.groups import need_group
from waypost.fleet.outgoing import Outbox
from waypost.fleet.owners import Owner, load_owner, sends_commands
from waypost.fleet.registration import invite, last_heard, send_registration
from waypost.fleet.rows import TrackerRow, fetch_row, rows_query
from waypost.fleet.service import Write
from waypost.fleet.texts import normal_phone
from waypost.refusal import Refused, invalid
from waypost.settings import Settings
from waypost.store.sql import chunks
from waypost.store.tables import inbox, sources, trackers, user_trackers

log = structlog.get_logger()

#: Plugin for devices that asks for no activation code.
PLAIN_PLUGIN = 44

#: Tries to make up a device id that nobody has.
TRIES = 20
#: Patterns in one query.
PATTERNS = 100


class NewDevice(msgspec.Struct, kw_only=True):
    """What is to be registered, as given."""

    label: str
    model: str
    device_id: str | None = None
    phone: str | None = None
    group_id: int = 0
    plugin_id: int = PLAIN_PLUGIN
    activation_code: str | None = None
    #: Access point of its SIM card: ``name``, ``user``, ``password``.
    apn: dict[str, str] | None = None
    #: The dealer's SIM card in a bundle.
    iccid: str | None = None
    #: Whether the device is to be set up by commands; None: as the dealer says.
    send_commands: bool | None = None
    #: Commands may go by SMS, too.
    by_sms: bool = True
    #: Who is told how to log in with an app on a phone.
    notify_email: str | None = None
    notify_phone: str | None = None


class Prepared(msgspec.Struct):
    """The same, checked and in the form that is stored."""

    label: str
    model: str
    #: None: the platform makes one up.
    device_id: str | None
    phone: str | None
    group_id: int | None
    apn: dict[str, str] | None
    #: What a person should hear though it is no error.
    warning: str | None = None
    #: The dealer's SIM card whose number ``phone`` is.
    sim_card_id: int | None = None
    #: Set up at the factory.
    preset: bool = False
    notify_phone: str | None = None


def prepare(new: NewDevice) -> Prepared:
    """Checks what can be checked without looking at other devices. Raises :class:`Refused`: 220
    unknown model, 222 plugin unknown or not for this model, 7 device id or phone."""
    model = models.model(new.model)
    if model is None:
        raise Refused(220)
    plugin = all_plugins().get(new.plugin_id)
    if plugin is None or plugin.mobile != model.mobile or not model.register:
        raise Refused(222)
    try:
        device_id = checked(model.id_type, new.device_id)
    except WrongDeviceId as error:
        raise invalid("device_id", str(error)) from None
    phone = number_of("phone", new.phone)
    warning = None
    if model.id_type == "imei" and device_id and not has_check_digit(device_id):
        warning = f"{device_id}: the last digit of this IMEI does not fit the others"
    return Prepared(
        new.label,
        new.model,
        device_id,
        phone,
        new.group_id or None,
        new.apn,
        warning,
        notify_phone=number_of("notification_phone", new.notify_phone),
    )


def number_of(parameter: str, given: str | None) -> str | None:
    """A phone number as it is stored; None: none was given. Raises :class:`Refused` 7."""
    if not given:
        return None
    phone = normal_phone(given)
    if phone is None:
        raise invalid(parameter, "must be a phone number in international format")
    return phone


async def register(
    outbox: Outbox, user_id: int, new: NewDevice, *, subuser_id: int | None = None
) -> TrackerRow:
    """Registers a device for an account; ``subuser_id`` will see it too. What sets the device up is
    queued. Raises :class:`Refused` with the documented codes: 7, 204, 220 to 227, 258."""
    write, connection, now = outbox.write, outbox.write.connection, outbox.now
    await need_group(connection, user_id, new.group_id, 204)
    owner = await load_owner(connection, user_id)
    if models.model(new.model) is None:
        raise Refused(220)
    if owner.free_places is not None and owner.free_places < 1:
        raise Refused(221)
    prepared = await identify(connection, owner.dealer_id, new, now)
    owner = await owner.with_code(
        connection,
        new.activation_code,
        needed=owner.needs_code and all_plugins()[new.plugin_id].activation_code,
    )
    if owner.free_places is not None and owner.free_places < 1:
        raise Refused(221)
    owner.check_tariff()
    heard = await last_heard(connection, prepared.device_id)
    (tracker_id,) = await insert_devices(write, owner, [prepared], outbox.settings, now)
    if subuser_id is not None:
        await connection.execute(
            insert(user_trackers).values(user_id=subuser_id, tracker_id=tracker_id)
        )
    row = await fetch_row(connection, rows_query().where(trackers.c.id == tracker_id))
    if row is None:
        raise LookupError(f"tracker {tracker_id} is gone in its own transaction")
    if not prepared.preset and await sends_commands(connection, owner.dealer_id, new.send_commands):
        await send_registration(outbox, row, prepared.apn, heard=heard, by_sms=new.by_sms)
    if all_plugins()[new.plugin_id].mobile:
        await invite(outbox, row, new.notify_email, prepared.notify_phone)
    return row


async def identify(
    connection: AsyncConnection,
    dealer_id: int,
    new: NewDevice,
    now: int,
    *,
    freed: str | None = None,
) -> Prepared:
    """A new device checked against all others: it, its number and its SIM card are nobody else's.
    ``freed`` is a number that is given up for it. Raises :class:`Refused`: 7, 220, 222; 223 phone,
    224 device id taken; 226 SIM card; 258 no bundle."""
    prepared = prepare(new)
    if prepared.warning:
        log.warning("register_imei_check_digit", device_id=prepared.device_id)
    if await _is_taken(connection, prepared.phone, freed):
        raise Refused(223)
    if prepared.device_id and await taken_ids(connection, [prepared.device_id]):
        raise Refused(224)
    plugin, model = all_plugins()[new.plugin_id], models.all_models()[new.model]
    if plugin.mobile:
        return prepared
    bundle = await bundle_of(
        connection,
        dealer_id,
        prepared.device_id,
        new.iccid,
        needed=plugin.bundle or model.check_bundle,
    )
    if bundle is None:
        return prepared
    prepared.preset = bundle.factory_preset
    if prepared.phone and not plugin.bundle and new.iccid is None:
        return prepared  # with a SIM card of its owner's own
    sim = await sim_of(connection, bundle, new.iccid, needed=plugin.bundle, now=now)
    if sim is not None:
        if await _is_taken(connection, sim.phone, freed):
            raise Refused(223)
        prepared.phone, prepared.sim_card_id = sim.phone, sim.id
        prepared.apn = prepared.apn or ({"name": sim.apn} if sim.apn else None)
    return prepared


async def insert_devices(
    write: Write,
    owner: Owner,
    prepared: Sequence[Prepared],
    settings: Settings,
    now: int,
    *,
    first: int = 0,
) -> list[int]:
    """Stores sources and trackers and takes the devices out of the inbox; the ids of the trackers
    in the order given. ``first``: how many were stored on the same terms before. Raises
    :class:`Refused` 223 or 224 where somebody was faster."""
    connection = write.connection
    await make_up_ids(connection, prepared)
    day = datetime.fromtimestamp(now / 1000, UTC).date()
    retention = owner.retention_days
    rows: list[dict[str, Any]] = [
        {
            "device_id": one.device_id,
            "model": one.model,
            "phone": one.phone,
            "sim_card_id": one.sim_card_id,
            "dealer_id": owner.dealer_id,
            **owner.terms.columns(place, day),
            "creation_date": day,
            "registered_at": now,
            "retention_days": settings.retention_days if retention is None else retention,
            "setup": {},
            "settings": {"apn": one.apn} if one.apn else {},
        }
        for place, one in enumerate(prepared, first)
    ]
    try:
        await connection.execute(insert(sources), rows)
    except IntegrityError as error:
        raise Refused(223 if "phone" in str(error.orig) else 224) from None
    device_ids = [str(one.device_id) for one in prepared]
    source_ids = await _ids(connection, sources.c.device_id, sources.c.id, device_ids)
    await connection.execute(
        insert(trackers),
        [
            {
                "source_id": source_ids[str(one.device_id)],
                "user_id": owner.user_id,
                "label": one.label,
                "group_id": one.group_id,
                "creation_date": day,
            }
            for one in prepared
        ],
    )
    tracker_ids = await _ids(
        connection, trackers.c.source_id, trackers.c.id, list(source_ids.values())
    )
    await leave_inbox(connection, device_ids)
    write.changes.users.add(owner.user_id)
    write.changes.sources.update(source_ids.values())
    write.changes.devices.update(device_ids)
    made = [tracker_ids[source_ids[device_id]] for device_id in device_ids]
    await welcome(connection, owner.user_id, owner.terms, made, now)
    return made


async def _is_taken(connection: AsyncConnection, phone: str | None, freed: str | None) -> bool:
    return phone is not None and phone != freed and bool(await taken_phones(connection, [phone]))


async def taken_ids(connection: AsyncConnection, device_ids: Sequence[str]) -> set[str]:
    """Those of ``device_ids`` that are registered already."""
    found = await _ids(connection, sources.c.device_id, sources.c.id, device_ids)
    return set(found)


async def taken_phones(connection: AsyncConnection, phones: Sequence[str]) -> set[str]:
    """Those of ``phones`` that other devices have."""
    return set(await _ids(connection, sources.c.phone, sources.c.id, phones))


async def _ids(connection: AsyncConnection, key: Any, value: Any, keys: Sequence[Any]) -> Any:
    """key -> value of the rows that have one of ``keys``."""
    found = {}
    for some in chunks(keys):
        query = select(key, value).where(key.in_(some))
        found.update({row[0]: row[1] for row in await connection.execute(query)})
    return found


async def make_up_ids(connection: AsyncConnection, prepared: Iterable[Prepared]) -> None:
    """Gives an id to those that have none yet."""
    given = {one.device_id for one in prepared if one.device_id}
    for one in prepared:
        if one.device_id is not None:
            continue
        model = models.model(one.model)
        for _ in range(TRIES):
            wanted = made_up(model.id_type if model else "")
            if wanted not in given and not await taken_ids(connection, [wanted]):
                one.device_id = wanted
                given.add(wanted)
                break
        else:
            raise Refused(224)


async def leave_inbox(connection: AsyncConnection, device_ids: Iterable[str]) -> None:
    """Takes them out of the inbox, under whatever spelling they stand there."""
    names: list[str] = []
    patterns: list[str] = []
    for device_id in device_ids:
        exact, pattern = told_as(device_id)
        names += exact
        if pattern is not None:
            patterns.append(pattern)
    for some in chunks(names):
        await connection.execute(delete(inbox).where(inbox.c.device_id.in_(some)))
    for some in chunks(patterns, PATTERNS):
        likes = [inbox.c.device_id.like(pattern) for pattern in some]
        await connection.execute(delete(inbox).where(or_(*likes)))
