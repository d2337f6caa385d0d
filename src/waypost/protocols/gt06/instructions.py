"""What Concox and Jimi trackers are told: ``NAME,parameters#``, over their connection and by SMS
alike.

Source: Concox' command lists of the GT06N, the X3, the AT4 and the GT06L, as their sellers publish
them, and their user manuals:

- ``GMT,E,0,0#`` (zone of its clock), ``APN,name[,user,password]#``, ``GPRSON,1#``,
  ``SERVER,mode,host,port,transport#`` (mode 0 an address, 1 a name; transport 0 TCP, 1 UDP);
- ``TIMER,s,s#`` (ignition on, off); ``DISTANCE,m#`` (0: off; with one of these many trackers turn
  the other off, so what matters comes last); ``ANGLEREP,ON,degrees,s#``; ``SENDS,minutes#`` (how
  long the receiver stays on after a vibration; 0: always);
- ``MODE,1,HH:mm,hours#`` (asset trackers: wake at that time, then every so many hours),
  ``MODE,2,minutes#`` (track), ``MODE,3,minutes#`` (track while it moves);
- ``LBSON,ON,s,s#`` (positions by the network); ``LBS#`` (one such position), ``WHERE#`` (position);
- ``RELAY,1#`` cuts the fuel, ``RELAY,0#`` restores it; for the oldest trackers these are
  ``DYD,password#`` and ``HFYD,password#``, and ``WHERE#`` is ``DWXX,password#``;
- ``SPEEDCHECK,ON,0,s,km/h,km/h#`` (harsh acceleration, braking: what changes within these seconds).

The lists that could be read are those of the GT06L and of makes that share its firmware; the users'
manuals say of ``MODE`` what the settings of asset trackers have. A tracker that does not know a
command answers so, and then the command has failed.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.base import Command, CommandError, Device, Text
from waypost.protocols.instructions import (
    AccessPoint,
    Apn,
    LocationRequest,
    Output,
    Outputs,
    Registration,
    SpecialSettings,
    Tracking,
)
from waypost.protocols.told import (
    Tell,
    access_point,
    changed,
    field,
    is_address,
    model_of,
    needed,
    parts,
    profile_of,
)

PROFILES = frozenset(
    {
        "concox_distance_interval",
        "concox_gt350",
        "concox_gt700",
        "concox_interval",
        "concox_jv200",
        "concox_qbit",
        "concoxgt06",
        "jimi_jc100",
    }
)
#: Trackers that know neither RELAY nor WHERE, and the password in their commands.
_OLDEST, _OLD_PASSWORD = frozenset({"concox_gt06", "concox_tr06"}), "000000"
_TRANSPORT = {"tcp": 0, "udp": 1}
_ENDS = ",#"
#: What TIMER takes at least, seconds; a turn that ANGLEREP takes at least, degrees.
_LEAST, _LEAST_TURN = 5, 5
#: Seconds in which a turn is looked for; minutes of GPS after a vibration where it may sleep.
_TURN_SECONDS, _AWAKE = 3, 5
#: Seconds without GPS after which the network's position is sent.
_NO_FIX = 60
#: What SPEEDCHECK takes: seconds, km/h.
_CHECK_SECONDS, _CHECK_SPEEDS = range(1, 31), range(10, 301)
_HARSH = "harsh_behavior_concox_x1"


def _said(*fields: object) -> Text:
    return Text(",".join(map(str, fields)) + "#")


# Registration.


def _registration(command: Command, device: Device) -> list[Text]:
    told = command.content(Registration)
    server = told.server
    lines = [_said("GMT", "E", 0, 0), _every(device, told.interval), _said("GPRSON", 1)]
    if told.apn is not None:
        lines.append(_access_point(told.apn))
    # The address comes last: with it the device leaves.
    host = field(server.host, "host name", _ENDS)
    kind = 0 if is_address(server.host) else 1
    lines.append(_said("SERVER", kind, host, server.port, _TRANSPORT[server.transport]))
    return lines


def _every(device: Device, seconds: int) -> Text:
    """Reports so often, on the road and parked."""
    model = model_of(device)
    if model is not None and model.profile == "concox_gt700":
        return _said("MODE", 2, parts(seconds, 60))
    seconds = max(seconds, _LEAST)
    if model is not None and model.type != "vehicle":
        return _said("TIMER", seconds)
    return _said("TIMER", seconds, seconds)


def _apn(command: Command, device: Device) -> list[Text]:
    return [_access_point(command.content(Apn).apn)]


def _access_point(apn: AccessPoint) -> Text:
    name, user, password = access_point(apn, _ENDS)
    if not user and not password:
        return _said("APN", name)
    return Text(f"APN,{name},{user},{password}#", (password,) if password else ())


# Tracking.


def _tracking(command: Command, device: Device) -> list[Text]:
    told = command.content(Tracking)
    match profile_of(device):
        case "concox_distance_interval":
            seconds = needed(told, "tracking_interval")
            return [
                _said("DISTANCE", needed(told, "tracking_distance")),
                _said("TIMER", seconds, seconds),
            ]
        case "concox_gt350":
            if needed(told, "psm_mode") and changed(told, device, "psm_interval"):
                raise CommandError("how this tracker is put to sleep is not published")
            return [_said("TIMER", needed(told, "tracking_interval"))]
        case "concox_gt700":
            return [_asset(told)]
        case "concox_qbit":
            return _qbit(told)
        case "concoxgt06":
            return _vehicle(told)
    return [_every(device, needed(told, "tracking_interval"))]


def _asset(told: dict[str, Any]) -> Text:
    match told.get("type"):
        case "interval":
            return _said("MODE", 2, needed(told, "tracking_interval"))
        case "intelligent":
            return _said("MODE", 3, needed(told, "tracking_interval"))
        case "power_save":
            time = field(str(told.get("wakeup_time")), "time", _ENDS)
            return _said("MODE", 1, time, needed(told, "psm_interval"))
        case other:
            raise CommandError(f"asset trackers of this maker do not track by {other}")


def _qbit(told: dict[str, Any]) -> list[Text]:
    if told.get("mode") == "lbs":
        return [_said("LBSON", "ON", needed(told, "lbs_tracking_interval"), _NO_FIX)]
    return [_said("LBSON", "OFF"), _said("TIMER", needed(told, "gps_tracking_interval"))]


def _vehicle(told: dict[str, Any]) -> list[Text]:
    kind = told.get("type")
    angle = needed(told, "tracking_angle")
    turns = kind in ("distance_interval_angle", "interval_angle", "intelligent")
    ways = kind in ("distance", "distance_interval_angle")
    if turns and angle >= _LEAST_TURN:
        lines = [_said("ANGLEREP", "ON", angle, _TURN_SECONDS)]
    else:
        lines = [_said("ANGLEREP", "OFF")]
    lines.append(_said("SENDS", _AWAKE if kind in ("power_save", "intelligent") else 0))
    distance = _said("DISTANCE", needed(told, "tracking_distance") if ways else 0)
    timer = _said("TIMER", needed(told, "tracking_interval"), needed(told, "psm_interval"))
    return [*lines, timer, distance] if kind == "distance" else [*lines, distance, timer]


# Everything else.


def _special(command: Command, device: Device) -> list[Text]:
    told = command.content(SpecialSettings)
    if told.get("type") != _HARSH:
        raise CommandError(f"there are no instructions for settings of type {told.get('type')}")
    faster, slower = needed(told, "acc_speed"), needed(told, "braking_speed")
    seconds = needed(told, "acc_detection_time")
    if not faster and not slower:
        return [_said("SPEEDCHECK", "OFF")]
    if needed(told, "braking_detection_time") != seconds:
        raise CommandError("the tracker has one detection time for acceleration and braking")
    if seconds not in _CHECK_SECONDS or not {faster, slower} <= set(_CHECK_SPEEDS):
        raise CommandError("the tracker takes from 1 s and from 10 km/h on")
    return [_said("SPEEDCHECK", "ON", 0, seconds, faster, slower)]


def _location(command: Command, device: Device) -> list[Text]:
    if device.model in _OLDEST:
        return [Text(f"DWXX,{_password(device)}#", (_password(device),))]
    if command.content(LocationRequest).type == "gsm":
        return [Text("LBS#")]
    return [Text("WHERE#")]


def _output(command: Command, device: Device) -> list[Text]:
    told = command.content(Output)
    if told.output != 1:
        raise CommandError(f"there is no output {told.output}: these trackers have one relay")
    return [_relay(device, told.enable)]


def _outputs(command: Command, device: Device) -> list[Text]:
    told = command.content(Outputs).outputs
    if len(told) != 1:
        raise CommandError(f"{len(told)} outputs; these trackers have one relay")
    return [_relay(device, told[0])]


def _relay(device: Device, cut: bool) -> Text:
    if device.model in _OLDEST:
        password = _password(device)
        return Text(f"{'DYD' if cut else 'HFYD'},{password}#", (password,))
    return _said("RELAY", 1 if cut else 0)


def _password(device: Device) -> str:
    return field(device.password or _OLD_PASSWORD, "password", _ENDS)


TELLS: dict[str, Tell] = {
    "registration": _registration,
    "apn": _apn,
    "tracking": _tracking,
    "special_settings": _special,
    "location_request": _location,
    "output": _output,
    "outputs": _outputs,
}
