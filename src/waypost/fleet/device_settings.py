"""What is configured on devices: tracking modes and special settings.

What people set is kept here and queued for the device. Whether the device knows it, the state of
the command says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog import models, profiles, special_settings
from waypost.catalog.fields import FieldError
from waypost.catalog.models import Model
from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.refusal import Refused
from waypost.store.tables import device_settings

#: The name of the tracking mode among a device's settings, and the kind of its command.
TRACKING = "tracking"
#: The kind of command that carries special settings; the type is in it.
SPECIAL = "special_settings"
#: The kind of command that seals or opens a lock.
LOCK = "electronic_lock"

Values = dict[str, Any]


async def stored(connection: AsyncConnection, source_id: int) -> dict[str, Values]:
    """What people have set, by name."""
    query = select(device_settings.c.name, device_settings.c.value).where(
        device_settings.c.source_id == source_id
    )
    return {row.name: row.value for row in await connection.execute(query)}


async def forget_tracking(connection: AsyncConnection, source_id: int) -> None:
    """The tracking mode is the model's default again."""
    await _forget(connection, source_id, TRACKING)


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
        elif name in types_of(model):
            await _keep(outbox, row, name, values, SPECIAL, {"type": name, **values})


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
    """The special settings of a device by type, or those of one type. Raises :class:`Refused` 214
    where its model has none such."""
    types = types_of(models.model(row.model))
    if not types or (name is not None and name not in types):
        raise Refused(214)
    known = await stored(connection, row.source_id)
    wanted = types if name is None else (name,)
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
    if name not in _accepted(row):
        raise Refused(214)
    clean, errors = special_settings.validate(name, values)
    _need_none(parameter, errors)
    kept = dict(clean)
    if kept.get("remember_password") is False:
        kept["password"] = None
    await _keep(outbox, row, name, kept, SPECIAL, {"type": name, **clean})


def _accepted(row: TrackerRow) -> tuple[str, ...]:
    """Types that may be set: clients set any lock's password as that of a lock in general."""
    types = types_of(models.model(row.model))
    if any(name.endswith("_lock_password") for name in types):
        return (*types, "electronic_lock_password")
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
        await outbox.tell(row, LOCK, {"command_code": code, "settings": settings})


async def _keep(
    outbox: Outbox, row: TrackerRow, name: str, kept: Values, kind: str, told: Values
) -> None:
    """Stores ``kept`` and queues ``told`` in place of what the device has not been told yet: else
    an older attempt that is repeated would undo a newer setting."""
    connection = outbox.write.connection
    before = select(device_settings.c.command_id).where(
        device_settings.c.source_id == row.source_id, device_settings.c.name == name
    )
    command_id = await connection.scalar(before)
    if command_id is not None:
        await outbox.cancel(row.source_id, command_id)
    await _forget(connection, row.source_id, name)
    await connection.execute(
        insert(device_settings).values(
            source_id=row.source_id,
            name=name,
            value=kept,
            changed_at=outbox.now,
            command_id=await outbox.tell(row, kind, told),
        )
    )


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
