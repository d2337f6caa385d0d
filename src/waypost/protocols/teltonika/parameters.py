"""Which parameter holds what: ``parameters.toml``, by model."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import msgspec

from waypost.catalog import models


class Gprs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    enable: int
    apn: int
    user: int
    password: int
    host: int
    port: int
    protocol: int


class Sleep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mode: int
    timeout: int
    #: Minutes.
    longest: int


class Motion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: int
    ignition: int
    g_sensor: int
    gps: int


class Ignition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: int
    high: int
    low: int
    power_voltage: int
    din1: int
    movement: int


class Harsh(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    on: int
    acceleration: int
    braking: int
    cornering: int


class Tow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    on: int
    timeout: int
    threshold: int


class Geofence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    on: int
    events: int
    both: int
    timeout: int
    radius: int


class Family(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section; the fields are explained at the head of ``parameters.toml``."""

    name: str
    models: str
    pairs: bool = False
    unchanged: bool = False
    record: bool = False
    login: bool = True
    led: int | None = None
    gprs: Gprs | None = None
    moving: tuple[tuple[int, int, int, int], ...] = ()
    stopped: tuple[tuple[int, int], ...] = ()
    sleep: Sleep | None = None
    motion: Motion | None = None
    ignition: Ignition | None = None
    harsh: Harsh | None = None
    tow: Tow | None = None
    geofence: Geofence | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    family: list[Family]


@cache
def families() -> list[Family]:
    """All of them, in the order in which they are tried."""
    raw = files(__package__).joinpath("parameters.toml").read_bytes()
    return msgspec.toml.decode(raw, type=_File).family


@cache
def family_of(code: str | None) -> Family | None:
    """The family of a model by its code; None where nothing public says how to tell it things."""
    model = models.model(code) if code is not None else None
    if model is None:
        return None
    name = model.parent_code or model.code
    return next((row for row in families() if re.fullmatch(row.models, name)), None)
