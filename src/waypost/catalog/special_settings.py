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
    """The values of a device that nobody has configured. Raises KeyError for an unknown type."""
    row = _file().types[name]
    return _fields.defaults(row.fields, row.example)


def commands_for(special_control: str) -> tuple[str, ...]:
    """Names of the commands that ``tracker/send_command`` takes for a model with this
    ``special_control`` (several types joined by commas, or ``none``)."""
    found: dict[str, None] = {}
    for name in special_control.split(","):
        if name.strip() in _file().types:
            found.update(
                dict.fromkeys(_file().commands.get(name.strip(), _file().default_commands))
            )
    return tuple(found)


def command_codes(command: str) -> tuple[str, ...]:
    """What ``command_code`` of a command may be; empty where it has none."""
    return _file().command_codes.get(command, ())
