"""What Queclink devices are told in the language of nearly all of them.

Sources, section 3.2 of each: GL300 @Tracker Air Interface Protocol (TRACGL300AN001: GTBSI, GTSRI,
GTQSS, GTCFG, GTNMD, GTFRI, GTRTO); GL500 (TRACGL500AN002: GTGBC); GV300 (TRACGV300AN002), GV200
(TRACGV200AN003), GMT100 (TRACGMT100AN001), GV500MAP (TRACGV500MAPAN001) and GV55: GTQSS, GTCFG,
GTFRI, GTOUT, GTTOW, GTHBM; GL320M (QSZTRACGL320MAN0303), as a published configuration of a GL320MG
uses it: GTFKS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any

import msgspec

from waypost.catalog.models import Model
from waypost.protocols.base import Command, CommandError, Device, Text
from waypost.protocols.gl200 import legacy_settings
from waypost.protocols.gl200.lines import LONGEST, Columns, Writer, password, short_name, within
from waypost.protocols.instructions import (
    AccessPoint,
    Apn,
    Led,
    LocationRequest,
    Output,
    Outputs,
    Registration,
)
from waypost.protocols.told import model_of

#: Report modes: a connection that stays, datagrams.
TCP, UDP = 3, 4
#: Minutes between heartbeats, and: the server acknowledges every message.
HEARTBEAT, SACK = 15, 1
DAY = 86_400


class Layout(msgspec.Struct, frozen=True):
    """Where things stand in ``GTFRI``."""

    distance: int
    mileage: int
    corner: int
    #: Mode of "after this time or this way, whichever comes first".
    either: int
    last: int
    #: Reports while the ignition is off.
    parked: int | None = None
    #: The time between fixes is a column of its own.
    fixes: bool = False


_PORTABLE = Layout(12, 13, 18, either=6, last=20, fixes=True)
_VEHICLE = Layout(9, 10, 12, either=5, last=18, parked=13)
_EARLY_VEHICLE = msgspec.structs.replace(_VEHICLE, fixes=True)

_LAYOUTS = (
    (re.compile(r"gl(200|300|310|320)"), _PORTABLE),
    (re.compile(r"gv200|gv300(n|vc|w)?$|gmt100"), _EARLY_VEHICLE),
    (re.compile(r"gv|gmt"), _VEHICLE),
)
#: Their reporting is set by ``GTGBC``.
_ASSET = re.compile(r"gl500$")
#: ``GTBSI`` has other columns where there is LTE.
_LTE = re.compile(r"\d(m|ma|mg|cg|ceu|lau|lg|xeu)$")
#: ``GTOUT`` with 13 columns; others have 16.
_SHORT_OUT = re.compile(r"gmt100|gv57")
#: ``GTTOW`` in seconds; in others minutes.
_TOW_SECONDS = re.compile(r"gmt100")


def is_legacy(device: Device) -> bool:
    """Does a device of this model understand the older dialect only?"""
    model = model_of(device)
    return model is not None and legacy_settings.is_legacy_model(model)


def can_tell(kind: str, device: Device) -> bool:
    """Are there instructions of this kind for such a device?"""
    model = model_of(device)
    if model is None:
        return False
    if legacy_settings.is_legacy_model(model):
        return legacy_settings.can_tell(kind, model)
    name = short_name(model)
    match kind:
        case "registration" | "apn" | "location_request":
            return True
        case "tracking":
            return model.profile in _TRACKING and (
                _ASSET.match(name) is not None or _layout(model) is not None
            )
        case "special_settings":
            return bool(_SPECIAL.keys() & set(model.special_control.split(",")))
        case "led":
            return model.has_led_control
        case "output" | "outputs":
            return model.digital_outputs > 0
    return False


def instructions(command: Command, device: Device, clock: Callable[[], int]) -> list[Text]:
    """The lines that carry ``command``. Raises :class:`CommandError`."""
    model = model_of(device)
    if model is None or not can_tell(command.kind, device):
        raise CommandError(f"a {device.model} cannot be told: {command.kind}")
    try:
        if legacy_settings.is_legacy_model(model):
            return legacy_settings.instructions(command, device, model, clock)
        return _instructions(command, device, model)
    except KeyError as missing:
        raise CommandError(f"the settings lack {missing}") from None


def _instructions(command: Command, device: Device, model: Model) -> list[Text]:
    # No two lines of a device that are under way at once have one number.
    first = command.id * 8
    writer = Writer(password(device, model), lambda line: f"{first + line & 0xFFFF:04X}", "$")
    match command.kind:
        case "registration":
            _registration(writer, model, command.content(Registration))
        case "apn":
            _access(writer, model, command.content(Apn).apn)
        case "tracking":
            wanted = command.content(dict[str, Any])
            _TRACKING[str(model.profile)](writer, model, wanted)
        case "special_settings":
            _special(writer, model, command.content(dict[str, Any]))
        case "location_request":
            _location(writer, model, command.content(LocationRequest))
        case "led":
            writer.add("GTCFG", 21, {12: int(command.content(Led).enable)})
        case "output":
            one = command.content(Output)
            _outputs(writer, model, {one.output: one.enable})
        case "outputs":
            states = command.content(Outputs).outputs
            if len(states) != model.digital_outputs:
                raise CommandError(f"{len(states)} states for {model.digital_outputs} outputs")
            _outputs(writer, model, dict(enumerate(states, 1)))
    return writer.lines


def _layout(model: Model) -> Layout | None:
    name = short_name(model)
    return next((layout for pattern, layout in _LAYOUTS if pattern.match(name)), None)


# The server ----------------------------------------------------------------------------------


def _registration(writer: Writer, model: Model, wanted: Registration) -> None:
    """The server comes last: as soon as it is told, the device goes there."""
    layout = _layout(model)
    if _ASSET.match(short_name(model)):
        _continuous(writer, ceil(wanted.interval / 60))
    elif layout is not None:
        _report(writer, layout, 1, wanted.interval)
    server = wanted.server
    mode = UDP if server.transport == "udp" else TCP
    where: Columns = {1: mode, 3: 1, 4: server.host, 5: server.port, 9: HEARTBEAT, 10: SACK}
    if wanted.apn is None:
        writer.add("GTSRI", 15, where)
        return
    # The same columns stand three further to the right behind those of the access point.
    quick = _columns(wanted.apn) | {number + 3: value for number, value in where.items()}
    if len(writer.text("GTQSS", 16, quick)) <= LONGEST:
        writer.add("GTQSS", 16, quick, wanted.apn.password)
    else:
        _access(writer, model, wanted.apn)
        writer.add("GTSRI", 15, where)


def _access(writer: Writer, model: Model, apn: AccessPoint) -> None:
    if _LTE.search(short_name(model)):
        writer.add("GTQSS", 16, _columns(apn), apn.password)
    else:
        writer.add("GTBSI", 8, _columns(apn), apn.password)


def _columns(apn: AccessPoint) -> dict[int, str | int]:
    return {1: apn.name, 2: apn.user, 3: apn.password}


# Tracking ------------------------------------------------------------------------------------


def _report(
    writer: Writer,
    layout: Layout,
    mode: int,
    interval: int,
    more: Mapping[int, int] | None = None,
) -> None:
    seconds = within(interval, 5, DAY)
    columns: dict[int, str | int] = {1: mode, 8: seconds, **(more or {})}
    if layout.fixes:
        columns[7] = seconds
    writer.add("GTFRI", layout.last, columns)


def _ways(layout: Layout, wanted: Mapping[str, Any]) -> dict[int, int]:
    """Distance, path and turn after which a report is made."""
    metres = within(wanted["tracking_distance"], 50, 65_535)
    return {
        layout.distance: metres,
        layout.mileage: metres,
        layout.corner: within(wanted["tracking_angle"], 0, 180),
    }


def _needed(model: Model) -> Layout:
    layout = _layout(model)
    if layout is None:
        raise CommandError(f"the reports of a {model.name} are set in a way that is not public")
    return layout


def _whichever_first(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    """By time, way and turn; 0 seconds or metres: not by these."""
    layout = _needed(model)
    by_time, by_way = wanted["tracking_interval"] > 0, wanted["tracking_distance"] > 0
    mode = layout.either if by_time and by_way else 1 if by_time else 3 if by_way else 0
    _report(writer, layout, mode, wanted["tracking_interval"], _ways(layout, wanted))


def _by_type(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    """By time or by distance, and how power is saved while the ignition is off."""
    layout = _needed(model)
    ways = _ways(layout, wanted)
    if layout.parked is not None:
        ways[layout.parked] = _rest(wanted["psm_interval"])
    mode = 2 if wanted["type"] == "distance" else 1
    _report(writer, layout, mode, wanted["tracking_interval"], ways)
    writer.add("GTCFG", 21, {8: wanted["psm_mode"]})


def _rest(seconds: int) -> int:
    return 0 if seconds == 0 else within(seconds, 5, DAY)


def _portable(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    """By time or by distance, and what happens while the device lies still."""
    layout = _needed(model)
    by_distance = wanted["type"] == "distance"
    mode = 2 if by_distance else 1
    _report(writer, layout, mode, wanted["tracking_interval"], _ways(layout, wanted))
    saving = wanted["type"] == "power_save"
    still: dict[int, str | int] = {
        # Bit 3: other intervals while at rest; bit 0: no reports then.
        1: 8 if saving else int(wanted["movement_detection"]),
        2: within(ceil(wanted["non_movement_duration"] / 15), 1, 255),
    }
    if saving:
        still |= dict.fromkeys((5, 6), within(wanted["psm_interval"], 5, DAY))
    writer.add("GTNMD", 14, still)
    if by_distance or wanted["tracking_angle"]:
        # Distances and turns are seen only where the receiver stays on, at least under way.
        writer.add("GTCFG", 21, {5: 2})


def _asset(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    """Wakes at a time of the day and then every so many hours; under way it reports all the time,
    or (``power_save``) does not."""
    if wanted["type"] == "interval":
        _continuous(writer, wanted["tracking_interval"])
        return
    wake = wanted["wakeup_time"].replace(":", "")
    writer.add("GTGBC", 23, {8: wake, 9: wanted["psm_interval"], 15: 0})


def _continuous(writer: Writer, minutes: int) -> None:
    writer.add("GTGBC", 23, {13: within(minutes, 1, 1440), 15: 1})


_TRACKING: dict[str, Callable[[Writer, Model, Mapping[str, Any]], None]] = {
    "distance_interval_angle": _whichever_first,
    "gv500": _by_type,
    "gv55lite": _by_type,
    "gl200": _portable,
    "gl500": _asset,
}


# Special settings ----------------------------------------------------------------------------


def _special(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    name = str(wanted.get("type"))
    if name not in _SPECIAL or name not in model.special_control.split(","):
        raise CommandError(f"no command of a {model.name} is known for: {name}")
    _SPECIAL[name](writer, model, wanted)


_MODES = ("disable", "gps_only", "motion_sensor_only", "gps_and_motion_sensor")


def _harsh(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    """By the change of speed within five seconds, at three levels of speed; newer devices by
    acceleration too, whose durations have units of 8 ms."""
    mode = wanted["mode"]
    columns: dict[int, str | int] = {
        1: _MODES.index(mode) if mode in _MODES else int(mode == "enable"),
        4: wanted["high_speed"],
        5: wanted["high_speed_braking_delta"],
        6: wanted["high_speed_acceleration_delta"],
        8: wanted["medium_speed"],
        9: wanted["medium_speed_braking_delta"],
        10: wanted["medium_speed_acceleration_delta"],
        13: wanted["low_speed_braking_delta"],
        14: wanted["low_speed_acceleration_delta"],
    }
    if "turn_brake_threshold" in wanted:
        columns |= {
            20: wanted["turn_brake_threshold"],
            21: ceil(wanted["turn_brake_duration"] / 8),
            22: wanted["acceleration_threshold"],
            23: ceil(wanted["acceleration_duration"] / 8),
        }
    writer.add("GTHBM", 24, columns)


def _tow(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    off, fake = wanted["engine_off_to_tow"], wanted["fake_tow_delay"]
    if _TOW_SECONDS.match(short_name(model)):
        interval, motion, threshold = wanted["tow_interval"], 99, 9
    else:
        off, fake = within(ceil(off / 60), 5, 15), ceil(fake / 60)
        interval, motion, threshold = max(wanted["tow_interval"], 30), 10, 4
    writer.add(
        "GTTOW",
        20,
        {
            1: int(wanted["mode"] == "enable"),
            2: off,
            3: fake,
            4: interval,
            9: within(ceil(wanted["rest_duration"] / 15), 1, 255),
            10: within(ceil(wanted["motion_duration"] / 100), 1, motion),
            11: min(wanted["motion_threshold"], threshold),
        },
    )


def _power_key(writer: Writer, model: Model, wanted: Mapping[str, Any]) -> None:
    """Whether pressing the power key for long switches the device off."""
    writer.add("GTFKS", 11, {1: int(wanted["mode"] == "enable")})


_SPECIAL: dict[str, Callable[[Writer, Model, Mapping[str, Any]], None]] = {
    "hbm_ql": _harsh,
    "hbm_ms_ql": _harsh,
    "tow_detection_ql": _tow,
    "tow_detection_ql2": _tow,
    "pwr_off_key": _power_key,
}


# For the moment ------------------------------------------------------------------------------


def _location(writer: Writer, model: Model, wanted: LocationRequest) -> None:
    """Asked by SMS, too, the device reports to its server."""
    if wanted.type == "gsm" and not model.has_gsm_lbs_location_request:
        raise CommandError("the device does not say which cells it sees")
    writer.add("GTRTO", 7, {1: "F" if wanted.type == "gsm" else 1})


def _outputs(writer: Writer, model: Model, states: Mapping[int, bool]) -> None:
    """State, duration and number of pulses of each output: for good, and none."""
    columns: dict[int, str | int] = {}
    for output, state in states.items():
        if not 1 <= output <= model.digital_outputs:
            raise CommandError(f"output {output} is none of {model.digital_outputs}")
        at = 3 * output - 2
        columns |= {at: int(state), at + 1: 0, at + 2: 0}
    writer.add("GTOUT", 14 if _SHORT_OUT.match(short_name(model)) else 17, columns)
