"""What is configured on devices: tracking modes, special settings, lights.

What people want is kept here and queued for the device; apart from it stands what the device
acknowledged last. Where there are no instructions for its model, wishes are kept and not sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import models, profiles, special_settings
from waypost.catalog.fields import FieldError
from waypost.catalog.models import Model
from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.telling import can_tell, cannot_tell
from waypost.protocols.instructions import ElectronicLock
from waypost.refusal import Refused
from waypost.store.tables import commands, device_settings

#: The name of the tracking mode among a device's settings, and the kind of its command.
TRACKING = "tracking"
#: The kind of command that carries special settings; the type is in it.
SPECIAL = "special_settings"
#: The kind of command that seals or opens a lock.
LOCK = "electronic_lock"
#: The name of the lights among a device's settings, and the kind of their command.
LED = "led"

Values = dict[str, Any]


async def stored(connection: AsyncConnection, source_id: int) -> dict[str, Values]:
    """What people have set, by name."""
    query = select(device_settings.c.name, device_settings.c.value).where(
        device_settings.c.source_id == source_id
    )
    return {row.name: row.value for row in await connection.execute(query)}


async def reset_tracking(outbox: Outbox, row: TrackerRow) -> None:
    """The tracking mode is the model's first one again, and a device that was told another is
    told so."""
    known = await stored(outbox.write.connection, row.source_id)
    if TRACKING in known:
        first = profiles.defaults(_profile(row))
        await _keep(outbox, row, TRACKING, first, TRACKING, first)


async def interval_of(connection: AsyncConnection, row: TrackerRow) -> int | None:
    """Seconds between two reports while driving, as they were set last or the model's first ones;
    None where its settings name none."""
    if not has_tracking(row):
        return None
    interval = (await tracking_of(connection, row)).get("tracking_interval")
    return interval if isinstance(interval, int) and interval > 0 else None


async def take_over(outbox: Outbox, row: TrackerRow, old: Model | None) -> None:
    """The device of ``row`` took the place of one of the model ``old``: what it can have of its
    settings is queued for it, the rest is forgotten."""
    known = await stored(outbox.write.connection, row.source_id)
    model = models.model(row.model)
    for name, values in known.items():
        await _forget(outbox.write.connection, row.source_id, name)
        if name == TRACKING:
            if model is not None and old is not None and model.profile == old.profile:
                await _keep(outbox, row, name, values, TRACKING, values)
        elif name == LED:
            if can_tell(row.model, LED):
                await _keep(outbox, row, LED, values, LED, values)
        elif name in _accepted(model):
            await _keep(outbox, row, name, values, SPECIAL, {"type": name, **values})


class Confirmation(msgspec.Struct, frozen=True, kw_only=True):
    """One group of a device's settings, as wanted and as confirmed."""

    #: ``tracking``, ``led``, or a type of special settings.
    name: str
    wanted: Values
    #: When somebody set it (ms); None: nobody did.
    changed_at: int | None
    #: What the device acknowledged last; None: nothing.
    confirmed: Values | None
    confirmed_at: int | None
    #: ``default`` (nobody set it), ``kept`` (there are no instructions for the model, so it is not
    #: sent), or the state of the command that carries it.
    state: str
    #: Why it was not sent, or not taken.
    error: str | None

    @property
    def different(self) -> list[str]:
        """Fields that the device has not confirmed as they are wanted."""
        confirmed = self.confirmed or {}
        return [
            field
            for field, value in self.wanted.items()
            if field not in confirmed or confirmed[field] != value
        ]


async def confirmations(connection: AsyncConnection, row: TrackerRow) -> list[Confirmation]:
    """All settings that the model of ``row`` has."""
    query = (
        select(
            device_settings,
            commands.c.state,
            commands.c.error,
        )
        .select_from(
            device_settings.outerjoin(commands, commands.c.id == device_settings.c.command_id)
        )
        .where(device_settings.c.source_id == row.source_id)
    )
    known = {one.name: one for one in await connection.execute(query)}
    first = {name: special_settings.defaults(name) for name in types_of(models.model(row.model))}
    if has_tracking(row):
        first = {TRACKING: profiles.defaults(_profile(row)), **first}
    if LED in known or has_led(row):
        first[LED] = {"enable": True}
    # A lock's password may have been set as that of a lock in general.
    first |= {name: {} for name in known if name not in first}
    found = []
    for name, values in first.items():
        one = known.get(name)
        kind = name if name in (TRACKING, LED) else SPECIAL
        error = cannot_tell(row, kind)
        state = "kept" if error else "default"
        if one is not None and one.command_id is not None:
            state, error = one.state, one.error
        found.append(
            Confirmation(
                name=name,
                wanted=values if one is None else one.value,
                changed_at=one.changed_at if one is not None else None,
                confirmed=one.confirmed if one is not None else None,
                confirmed_at=one.confirmed_at if one is not None else None,
                state=state,
                error=error,
            )
        )
    return found


# Tracking modes.


def has_tracking(row: TrackerRow) -> bool:
    """Has the device's model tracking settings?"""
    model = models.model(row.model)
    return model is not None and profiles.profile(model.track_control) is not None


def _profile(row: TrackerRow) -> str:
    """The name of a profile. Raises :class:`Refused` 214 where the model has no tracking
    settings."""
    if not has_tracking(row):
        raise Refused(214)
    return models.all_models()[row.model].track_control


async def tracking_of(connection: AsyncConnection, row: TrackerRow) -> Values:
    """The tracking settings as they were set last, or the model's first ones. Raises
    :class:`Refused` 214."""
    profile = _profile(row)
    known = await stored(connection, row.source_id)
    return {**profiles.defaults(profile), **known.get(TRACKING, {})}


async def change_tracking(outbox: Outbox, row: TrackerRow, given: Mapping[str, Any]) -> None:
    """Sets the tracking mode of a locked tracker's device; an optional field left out stays as it
    is. Raises :class:`Refused`: 214; 7 with every wrong field."""
    values, errors = profiles.validate(_profile(row), given)
    _need_none("tracking_settings", errors)
    known = await stored(outbox.write.connection, row.source_id)
    values = {**known.get(TRACKING, {}), **values}
    await _keep(outbox, row, TRACKING, values, TRACKING, values)


# Lights.


def has_led(row: TrackerRow) -> bool:
    """Has the device lights that it can be told to switch?"""
    return can_tell(row.model, LED)


async def led_of(connection: AsyncConnection, row: TrackerRow) -> bool:
    """Are the lights on, as it was set last?"""
    known = await stored(connection, row.source_id)
    return bool(known.get(LED, {}).get("enable", True))


async def change_led(outbox: Outbox, row: TrackerRow, enable: bool) -> None:
    """Switches the lights of a locked tracker's device."""
    await _keep(outbox, row, LED, {"enable": enable}, LED, {"enable": enable})


# Special settings.


def types_of(model: Model | None) -> tuple[str, ...]:
    """The types of special settings that a model has."""
    if model is None:
        return ()
    return special_settings.types_of(model.special_control, *model.special_settings)


def has_special(row: TrackerRow) -> bool:
    """Has the device's model special settings?"""
    return bool(types_of(models.model(row.model)))


async def special_of(
    connection: AsyncConnection, row: TrackerRow, name: str | None
) -> dict[str, Values]:
    """The special settings of a device by type, or those of one type; the password of a lock in
    general is among them where it was asked for or set. Raises :class:`Refused` 214 where its
    model has none such."""
    types = types_of(models.model(row.model))
    accepted = _accepted(models.model(row.model))
    if not types or (name is not None and name not in accepted):
        raise Refused(214)
    known = await stored(connection, row.source_id)
    all_types = tuple(one for one in accepted if one in types or one in known)
    wanted = all_types if name is None else (name,)
    return {
        one: {"type": one, **special_settings.defaults(one), **known.get(one, {})} for one in wanted
    }


async def change_special(
    outbox: Outbox, row: TrackerRow, given: Mapping[str, Any], parameter: str
) -> None:
    """Sets one type of special settings of a locked tracker's device. ``parameter`` is where they
    were sent. Raises :class:`Refused`: 214; 7 with every wrong field."""
    values = dict(given)
    name = values.pop("type", None)
    if not isinstance(name, str) or name not in special_settings.all_types():
        raise Refused(
            7, errors=[{"parameter": f"{parameter}.type", "error": "is no type of settings"}]
        )
    if name not in _accepted(models.model(row.model)):
        raise Refused(214)
    clean, errors = special_settings.validate(name, values)
    _need_none(parameter, errors)
    await _keep(outbox, row, name, _remembered(clean), SPECIAL, {"type": name, **clean})


def _accepted(model: Model | None) -> tuple[str, ...]:
    """Types that may be set: clients set any lock's password as that of a lock in general."""
    types = types_of(model)
    if any(name.endswith("_lock_password") for name in types):
        return tuple(dict.fromkeys((*types, "electronic_lock_password")))
    return types


async def command_special(outbox: Outbox, row: TrackerRow, command: Mapping[str, Any]) -> None:
    """Special control of a locked tracker's device: ``name`` says what, ``command_code`` how, and
    ``special_settings`` are set besides. Raises :class:`Refused`: 214 where the model cannot; 7."""
    model = models.model(row.model)
    able = special_settings.commands_for(model.special_control) if model is not None else ()
    name = command.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(7, errors=[{"parameter": "command.name", "error": "is required"}])
    if name not in able:
        raise Refused(214)
    codes = special_settings.command_codes(name)
    code = command.get("command_code")
    if codes and code not in codes:
        text = f"must be one of {', '.join(codes)}"
        raise Refused(7, errors=[{"parameter": "command.command_code", "error": text}])
    settings = command.get("special_settings")
    if settings is None:
        if not codes:
            text = "is required"
            raise Refused(7, errors=[{"parameter": "command.special_settings", "error": text}])
    elif not isinstance(settings, Mapping):
        text = "must be an object"
        raise Refused(7, errors=[{"parameter": "command.special_settings", "error": text}])
    else:
        await change_special(outbox, row, settings, "command.special_settings")
    if codes:
        content = ElectronicLock(str(code), dict(settings or {}))
        await outbox.tell(row, LOCK, msgspec.structs.asdict(content))


async def _keep(
    outbox: Outbox, row: TrackerRow, name: str, kept: Values, kind: str, told: Values
) -> None:
    """Stores ``kept`` and queues ``told`` in place of what the device has not been told yet: else
    an older attempt that is repeated would undo a newer setting. What its model has no
    instructions for is stored only."""
    connection = outbox.write.connection
    which = (device_settings.c.source_id == row.source_id, device_settings.c.name == name)
    before = (await connection.execute(select(device_settings.c.command_id).where(*which))).first()
    if before is not None and before.command_id is not None:
        await outbox.cancel(row.source_id, before.command_id)
    values: Values = {
        "value": kept,
        "changed_at": outbox.now,
        "command_id": await outbox.tell(row, kind, told) if can_tell(row.model, kind) else None,
    }
    if before is None:
        made = insert(device_settings).values(source_id=row.source_id, name=name, **values)
        await connection.execute(made)
    else:
        await connection.execute(update(device_settings).where(*which).values(values))


async def confirm(
    connection: AsyncConnection, source_id: int, kind: str, payload: bytes, now: int
) -> None:
    """The device acknowledged a command: what it set is confirmed. Other kinds are passed over."""
    if kind not in (TRACKING, SPECIAL, LED):
        return
    told: Values = msgspec.json.decode(payload)
    name = told.pop("type") if kind == SPECIAL else kind
    await connection.execute(
        update(device_settings)
        .where(device_settings.c.source_id == source_id, device_settings.c.name == name)
        .values(confirmed=_remembered(told), confirmed_at=now)
    )


def _remembered(values: Mapping[str, Any]) -> Values:
    """Settings as they are kept: a password that is not to be remembered is not."""
    kept = dict(values)
    if kept.get("remember_password") is False:
        kept["password"] = None
    return kept


async def _forget(connection: AsyncConnection, source_id: int, name: str) -> None:
    await connection.execute(
        delete(device_settings).where(
            device_settings.c.source_id == source_id, device_settings.c.name == name
        )
    )


def _need_none(parameter: str, errors: list[FieldError]) -> None:
    if errors:
        raise Refused(
            7,
            errors=[
                {"parameter": f"{parameter}.{error.field}", "error": error.error}
                for error in errors
            ],
        )
