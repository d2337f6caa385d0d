"""What the older Queclink devices are told: GL100 and GT300.

Sources: GL100 @Track Air Interface Protocol (TRACGL100AN002), sections 3.2.1 (GTSRI), 3.2.3
(GTTRI), 3.2.5 (GTRTO): each command ends with the time at which it is sent. GT300 @Track Air
Interface Protocol, sections 3.2.1 (GTSRI), 3.2.3 (GTTRI), 3.2.5 (GTRTO), 3.2.7 (GTSOS), 3.2.8
(GTPHB) and 4.3: each ends with a serial number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from math import ceil
from typing import Any

from waypost.catalog.models import Model
from waypost.protocols.base import Command, CommandError, Device, Text
from waypost.protocols.gl200.lines import Writer, password, short_name, within
from waypost.protocols.instructions import LocationRequest, Registration

#: Report modes of the GT300, active sessions of the GL100: a connection that stays, datagrams.
_MODES = {"gt300": (2, 3), "gl100": (1, 2)}
#: Entries of the GT300's phone book.
ENTRIES = 20


def is_legacy_model(model: Model) -> bool:
    """Does it speak the older dialect?"""
    return model.protocol == "gl100"


def _dialect(model: Model) -> str | None:
    name = short_name(model)
    if name == "gt300":
        return name
    return "gl100" if name.startswith("gl100") else None


def can_tell(kind: str, model: Model) -> bool:
    """Are there instructions of this kind for such a device?"""
    dialect = _dialect(model)
    if dialect is None:
        return False
    if kind in ("tracking", "special_settings"):
        return dialect == "gt300"
    return kind in ("registration", "location_request")


def instructions(
    command: Command, device: Device, model: Model, clock: Callable[[], int]
) -> list[Text]:
    """The lines that carry ``command``. Raises :class:`CommandError`."""
    dialect = _dialect(model)
    if dialect is None:
        raise CommandError(f"a {model.name} cannot be told: {command.kind}")
    first = command.id * 32
    seconds = clock() // 1000

    def serial(line: int) -> str:
        if dialect == "gt300":
            return f"{first + line & 0xFFFF:04X}"
        return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds + line))

    writer = Writer(password(device, model), serial, "")
    match command.kind:
        case "registration":
            _registration(writer, dialect, command.content(Registration))
        case "tracking":
            _tracking(writer, command.content(dict[str, Any]))
        case "special_settings":
            _special(writer, command.content(dict[str, Any]))
        case _:
            _location(writer, dialect, command.content(LocationRequest))
    return writer.lines


def _registration(writer: Writer, dialect: str, wanted: Registration) -> None:
    """The access point is part of the command that names the server, so it must be given."""
    if wanted.apn is None:
        raise CommandError("the device has to be told the access point together with the server")
    try:
        IPv4Address(wanted.server.host)
    except ValueError:
        raise CommandError("the device reports to an IP address only, not to a name") from None
    minutes = within(ceil(wanted.interval / 60), 1, 720)
    fixes = wanted.interval if wanted.interval < 60 else minutes * 60
    writer.add(
        "GTTRI",
        9 if dialect == "gt300" else 5,
        {1: "0000", 2: "0000", 3: minutes, 4: max(fixes, _LEAST[dialect])},
    )
    mode = _MODES[dialect][wanted.server.transport == "udp"]
    columns: dict[int, str | int] = {1: mode} if dialect == "gt300" else {1: 1, 2: mode}
    apn = wanted.apn
    rest = (apn.name, apn.user, apn.password, wanted.server.host, wanted.server.port)
    columns |= dict(enumerate(rest, len(columns) + 1))
    writer.add("GTSRI", len(columns) + 2, columns, apn.password)


#: Seconds between fixes at least.
_LEAST = {"gt300": 30, "gl100": 5}


def _tracking(writer: Writer, wanted: Mapping[str, Any]) -> None:
    """Below a minute between fixes each one is reported; else the minutes between reports count,
    which have as many fixes."""
    interval = wanted["tracking_interval"]
    minutes = within(ceil(interval / 60), 1, 1440)
    writer.add(
        "GTTRI",
        9,
        {
            1: wanted["start_time"],
            2: wanted["end_time"],
            3: minutes,
            4: max(interval, _LEAST["gt300"]) if interval < 60 else minutes * 60,
            5: int(wanted["movement_detection"]),
            6: wanted["min_speed"],
            7: wanted["min_distance"],
        },
    )


def _special(writer: Writer, wanted: Mapping[str, Any]) -> None:
    match wanted.get("type"):
        case "phonebook_gt300":
            items = wanted["items"]
            for number in range(1, ENTRIES + 1):
                item = items[number - 1] if number <= len(items) else {"name": "", "phone": ""}
                coding, name = _name(item["name"])
                writer.add("GTPHB", 6, {1: 1, 2: number, 3: coding, 4: name, 5: item["phone"]})
        case "sos_key":
            mode = 3 if wanted["mode"] == "call_report" else 2
            writer.add("GTSOS", 4, {1: mode, 2: 1, 3: wanted["phone"]})
        case name:
            raise CommandError(f"no command of a GT300 is known for: {name}")


def _name(name: str) -> tuple[int, str]:
    """A name as ASCII, or as the digits of UCS-2 with the low byte first."""
    if name.isascii():
        return 0, name[:28]
    return 1, name[:14].encode("utf-16-le", "replace").hex().upper()[:56]


def _location(writer: Writer, dialect: str, wanted: LocationRequest) -> None:
    """Asked by SMS, too, the device reports to its server."""
    if wanted.type == "gsm":
        raise CommandError("the device does not say which cells it sees")
    writer.add("GTRTO", 3 if dialect == "gt300" else 2, {1: 1})
