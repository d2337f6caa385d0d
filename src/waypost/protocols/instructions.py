"""What devices are told besides lines that people type: kinds of commands and their contents.

A protocol turns them into commands of its own (``Protocol.instructions``); the contents are JSON
in rows of the outgoing queue. Kinds that no class stands for are not known to any protocol.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

KINDS = (
    "registration",
    "apn",
    "tracking",
    "special_settings",
    "electronic_lock",
    "location_request",
    "output",
    "outputs",
    "led",
)

Outgoing = Literal["tcp", "udp"]


class AccessPoint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of the mobile network; empty: none is needed."""

    name: str = ""
    user: str = ""
    password: str = ""


class Server(msgspec.Struct, frozen=True):
    """Where the device is to report."""

    host: str
    port: int
    transport: Outgoing = "tcp"


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """``registration``: report to this server, over this access point (None: the device knows it),
    every ``interval`` seconds."""

    server: Server
    apn: AccessPoint | None = None
    interval: int = 60


class Apn(msgspec.Struct, frozen=True):
    """``apn``: use another access point."""

    apn: AccessPoint


Tracking = dict[str, Any]
"""``tracking``: the settings of the model's tracking profile by name, all of its fields."""

SpecialSettings = dict[str, Any]
"""``special_settings``: ``type`` and the settings of that type by name."""


class ElectronicLock(msgspec.Struct, frozen=True):
    """``electronic_lock``: seal or open a lock."""

    command_code: str
    settings: dict[str, Any] = {}


class LocationRequest(msgspec.Struct, frozen=True):
    """``location_request``: say where you are, by satellites (``gprs``, or ``sms``: in a message)
    or by the mobile network (``gsm``)."""

    type: Literal["sms", "gsm", "gprs"]


class Output(msgspec.Struct, frozen=True):
    """``output``: switch one output, from 1."""

    output: int
    enable: bool


class Outputs(msgspec.Struct, frozen=True):
    """``outputs``: switch all of them, the first one first."""

    outputs: list[bool]


class Led(msgspec.Struct, frozen=True):
    """``led``: the device's lights on or off."""

    enable: bool
