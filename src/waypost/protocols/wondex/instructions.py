"""What Wonde Proud trackers are told: ``$WP+NAME=password,parameters``, over their connection and
by SMS alike.

Source: Wonde Proud Technology, "WondeX VT10 Protocol Document" 1.04 and "WondeX VT300 Protocol
Document" 1.01, as servers that others published use them (one, in C++, writes and reads all
commands of the vehicle trackers):

- ``COMMTYPE``: 3 GPRS by UDP, 4 by TCP; numbers for SMS and calls; access point, user, password;
  host, port, keep-alive, name server;
- ``TRACK``: mode (0 off, 1 time, 2 distance, 3 time and distance, 4 time or distance, 5 heading,
  6 heading or time, 7 heading or distance, 8 heading or (time and distance), 9 heading or time or
  distance), seconds, metres, how many times (0: for ever), also without a fix (0), COMMTYPE's
  number, degrees;
- ``PSM``: 0 off, 1 sleeps with GPRS on, 2 with GPRS off; seconds of rest before it sleeps, what
  ends the sleep (three fields), seconds until it wakes up by itself;
- ``GETLOCATION``; ``GBLAC`` (the cells around); ``OUTC``: output, state, how long and how often it
  changes (0, 0: it stays).

PSM has two published forms: this one, of a device with a battery, and that of the vehicle trackers,
which takes a mask for what keeps them awake in place of the last four fields, and has no time after
which they wake up. A device that takes the other one answers ``$ERR``. Where the wake-up times of
the M7 and the battery levels of the TT1 stand is not published. (``TMRR`` has three times of the
day, too, at which vehicle trackers report; nobody says that these end a sleep.)
"""

from __future__ import annotations

from waypost.protocols.base import Command, CommandError, Device, Text, Transport
from waypost.protocols.instructions import (
    AccessPoint,
    LocationRequest,
    Output,
    Outputs,
    Registration,
    Tracking,
)
from waypost.protocols.told import Tell, access_point, changed, field, given, is_address

#: Stands in every command unless the owner chose another.
_FACTORY = "0000"
PROFILES = frozenset({"default_powersave", "m7", "tt1"})

_COMMTYPE = {"tcp": 4, "udp": 3}
#: These devices have no name server of their own.
_NAME_SERVER = "8.8.8.8"
#: Modes of TRACK, without and with reports on turns.
_BY = {"interval": (1, 6), "distance": (2, 7), "power_save": (1, 6)}
#: Seconds, metres where nobody set them.
_INTERVAL, _DISTANCE = 60, 100
#: Seconds of rest before it sleeps, and what ends the sleep beside the time: a movement.
_SLEEPS = "300,1,2,2"
_WAKES = 3600
_DEEP = 2
#: What has no published form: levels of the TT1; wake-up times of the M7, which count in its second
#: mode of sleep only.
_LEVELS = ("bat_voltage", "bat_psm_interval")
_WAKE_UPS = ("wakeup_timer1", "wakeup_timer2", "wakeup_timer3")


def _line(device: Device, name: str, *parameters: object, secret: str = "") -> Text:
    password = field(device.password or _FACTORY, "password")
    text = f"$WP+{name}={','.join((password, *map(str, parameters)))}"
    return Text(text, (password, secret) if secret else (password,))


def _registration(command: Command, device: Device) -> list[Text]:
    told = command.content(Registration)
    server, apn = told.server, told.apn or AccessPoint()
    way = _COMMTYPE[server.transport]
    return [
        _line(device, "TRACK", 1, told.interval, 0, 0, 0, way, 0),
        # The address comes last: with it the device leaves.
        _line(
            device,
            "COMMTYPE",
            way,
            "",
            "",
            *access_point(apn),
            field(server.host, "host name"),
            server.port,
            0,
            "" if is_address(server.host) else _NAME_SERVER,
            secret=apn.password,
        ),
    ]


def tracking(command: Command, device: Device, transport: Transport = Transport.TCP) -> list[Text]:
    """``transport``: what its reports travel by."""
    way = _COMMTYPE["udp" if transport is Transport.UDP else "tcp"]
    told = command.content(Tracking)
    unpublished = [name for name in _LEVELS if changed(told, device, name)]
    if told.get("psm_mode") == _DEEP:
        unpublished += [name for name in _WAKE_UPS if told.get(name) is not None]
    if unpublished:
        raise CommandError(f"how this maker's devices are told {unpublished[0]} is not published")
    kind = str(told.get("type"))
    if kind not in _BY:
        raise CommandError(f"such devices do not track by {kind}")
    angle = given(told, "tracking_angle") or 0
    interval = given(told, "tracking_interval")
    distance = given(told, "tracking_distance")
    lines = [
        _line(
            device,
            "TRACK",
            _BY[kind][angle > 0],
            _INTERVAL if interval is None else interval,
            _DISTANCE if distance is None else distance,
            0,
            0,
            way,
            angle,
        )
    ]
    level = given(told, "psm_mode")
    if kind == "power_save":
        level = level or _DEEP
    if level:
        wakes = given(told, "psm_interval") or _WAKES
        lines.append(_line(device, "PSM", level, _SLEEPS, wakes))
    elif level == 0:
        lines.append(_line(device, "PSM", 0))
    return lines


def _location(command: Command, device: Device) -> list[Text]:
    if command.content(LocationRequest).type == "gsm":
        return [_line(device, "GBLAC", 1)]
    return [_line(device, "GETLOCATION")]


def _output(command: Command, device: Device) -> list[Text]:
    told = command.content(Output)
    return [_switched(device, told.output, told.enable)]


def _outputs(command: Command, device: Device) -> list[Text]:
    told = command.content(Outputs).outputs
    return [_switched(device, number, on) for number, on in enumerate(told, 1)]


def _switched(device: Device, output: int, on: bool) -> Text:
    return _line(device, "OUTC", output, 1 if on else 0, 0, 0)


TELLS: dict[str, Tell] = {
    "registration": _registration,
    "tracking": tracking,
    "location_request": _location,
    "output": _output,
    "outputs": _outputs,
}
