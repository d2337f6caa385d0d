"""Special settings: device functions beyond tracking (``tracker/settings/special``), by type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from waypost.catalog import fields as _fields
from waypost.catalog._data import load
from waypost.catalog.fields import Clean, Field


class SpecialType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One type of special settings: its fields beside ``type``, and values as printed."""

    fields: dict[str, Field]
    example: dict[str, Any] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    types: dict[str, SpecialType]
    #: tracking profile -> types of the models that have it, where both are named alike.
    profiles: dict[str, tuple[str, ...]]
    #: special control -> commands that ``tracker/send_command`` takes for it.
    commands: dict[str, tuple[str, ...]]
    default_commands: tuple[str, ...]
    #: command -> values of its ``command_code``.
    command_codes: dict[str, tuple[str, ...]]


@cache
def _file() -> _File:
    return load("special_settings.json", _File)


def all_types() -> dict[str, SpecialType]:
    """Every type by its name."""
    return _file().types


def validate(name: str, values: Mapping[str, Any]) -> Clean:
    """``values`` (without ``type``) as settings of the type ``name``, and every fault in them: see
    :func:`waypost.catalog.fields.validate`. Raises KeyError for an unknown type."""
    return _fields.validate(_file().types[name].fields, values)


def defaults(name: str) -> dict[str, Any]:
    """The values of a device that nobody has configured; its passwords, numbers and addresses are
    empty or null, not the documents'. Raises KeyError for an unknown type."""
    row = _file().types[name]
    found = _fields.defaults(row.fields, row.example)
    for key, field in row.fields.items():
        if field.default is msgspec.UNSET and field.type in _PERSONAL:
            found[key] = None if field.nullable else _PERSONAL[field.type]
    return found


#: Types of fields that hold whatever somebody chose, and their empty values.
_PERSONAL: dict[str, Any] = {"string": "", "string_array": [], "object_array": []}


def of_profile(profile: str) -> tuple[str, ...]:
    """The types that models with this tracking profile have: those that are named like it."""
    return _file().profiles.get(profile, ())


def types_of(*named: str) -> tuple[str, ...]:
    """The types among ``named`` (a model's ``special_control``, ``special_settings``): several in
    one text are joined by commas, ``none`` is none."""
    names = [name.strip() for text in named for name in text.split(",")]
    return tuple(dict.fromkeys(name for name in names if name in _file().types))


def commands_for(special_control: str) -> tuple[str, ...]:
    """Names of the commands that ``tracker/send_command`` takes for a model with this
    ``special_control`` (several types joined by commas, or ``none``)."""
    found: dict[str, None] = {}
    for name in types_of(special_control):
        found.update(dict.fromkeys(_file().commands.get(name, _file().default_commands)))
    return tuple(found)


def command_codes(command: str) -> tuple[str, ...]:
    """What ``command_code`` of a command may be; empty where it has none."""
    return _file().command_codes.get(command, ())
