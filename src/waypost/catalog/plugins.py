"""Registration plugins: the ways in which ``tracker/register`` takes a device."""

from __future__ import annotations

from functools import cache

import msgspec

from waypost.catalog._data import load
from waypost.catalog.actions import Param


class Plugin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registration plugin: for devices or for apps on phones, with or without an activation
    code, for any devices or for those that the dealer sells with a SIM card."""

    id: int
    mobile: bool
    activation_code: bool
    bundle: bool = False


class _File(msgspec.Struct, forbid_unknown_fields=True):
    plugins: list[Plugin]
    device: tuple[Param, ...]
    mobile: tuple[Param, ...]


@cache
def _file() -> _File:
    return load("plugins.json", _File)


@cache
def all_plugins() -> dict[int, Plugin]:
    """Every registration plugin by its id."""
    return {row.id: row for row in _file().plugins}


def parameters(plugin: Plugin) -> tuple[Param, ...]:
    """What ``tracker/register`` takes besides its own parameters with this plugin."""
    return _file().mobile if plugin.mobile else _file().device
