"""What Meitrack trackers are told: commands of three characters with their parameters.

Source: Meitrack, "MEITRACK GPRS Protocol" V1.6 and "MEITRACK T622 GPRS Protocol" V1.2, section 3:
A10 (real-time location), A11 (heartbeat, minutes), A12 (time interval, tens of seconds), A13
(heading change, degrees), A14 (distance, metres), A15 and A16 (parking scheduled tracking, tens
of seconds), A21 (GPRS parameters: 0 off, 1 TCP, 2 UDP), A73 (sleep mode: 0, 1 normal, 2 deep), B31
(LED indicators: 10 turns them off), B36 (time zone of reports, minutes), C01 (outputs 1 to 5: 0
off, 1 on, 2 unchanged, below a speed; 0: any); "MEITRACK SMS Protocol" V2.1, 1.1: a password before
the command.

A sleeping tracker sends heartbeats only, so ``psm_interval`` is the interval of these; it has their
range.
"""

from __future__ import annotations

from waypost.protocols.base import Command, CommandError, Device, Text
from waypost.protocols.instructions import (
    AccessPoint,
    Led,
    LocationRequest,
    Output,
    Outputs,
    Registration,
    Tracking,
)
from waypost.protocols.told import Tell, access_point, field, given, needed, one_sms, parts

#: What stands before a command by SMS unless the owner chose another.
_FACTORY = "0000"
PROFILES = frozenset({"meitrack", "meitrack_asset", "meitrack_vehicle", "meitrack_without_ps"})

_CONNECTION = {"tcp": 1, "udp": 2}
#: Characters that no parameter can hold, and the longest one.
_ENDS, _LONGEST = ",*", 32
_TENS, _MINUTE = 10, 60
_MOST = 65_535
_OUTPUTS = 5
_KEEP = "2"


def by_sms(text: Text, device: Device) -> Text:
    """The password, then the command."""
    password = field(device.password or _FACTORY, "password", _ENDS)
    return one_sms(Text(f"{password},{text.text}", (*text.secrets, password)))


def _registration(command: Command, device: Device) -> list[Text]:
    told = command.content(Registration)
    server, apn = told.server, told.apn or AccessPoint()
    fields = (
        "A21",
        str(_CONNECTION[server.transport]),
        field(server.host, "host name", _ENDS, _LONGEST),
        str(server.port),
        *access_point(apn, _ENDS, _LONGEST),
    )
    connection = Text(",".join(fields), (apn.password,) if apn.password else ())
    # The address comes last: with it the device leaves.
    return [Text("B36,0"), Text(f"A12,{_within(parts(told.interval, _TENS))}"), connection]


def _within(value: int) -> int:
    if not 0 <= value <= _MOST:
        raise CommandError(f"{value} is more than the device can keep: {_MOST}")
    return value


def _tracking(command: Command, device: Device) -> list[Text]:
    told = command.content(Tracking)
    angle = needed(told, "tracking_angle")
    lines = [
        f"A12,{_within(parts(needed(told, 'tracking_interval'), _TENS))}",
        f"A13,{min(angle, 359)}",
        f"A14,{_within(needed(told, 'tracking_distance'))}",
    ]
    stopped = given(told, "on_stop_tracking_interval")
    if stopped is not None:
        if stopped:
            lines.append(f"A15,{_within(parts(stopped, _TENS))}")
        lines.append(f"A16,{1 if stopped else 0}")
    level, asleep = given(told, "psm_mode"), given(told, "psm_interval")
    if asleep is not None and level != 0:
        lines.append(f"A11,{_within(parts(asleep, _MINUTE))}")
    if level is not None:
        lines.append(f"A73,{level}")
    return [Text(line) for line in lines]


def _location(command: Command, device: Device) -> list[Text]:
    if command.content(LocationRequest).type == "gsm":
        raise CommandError("the device cannot be asked for the position by the network alone")
    return [Text("A10")]


def _output(command: Command, device: Device) -> list[Text]:
    told = command.content(Output)
    if not 1 <= told.output <= _OUTPUTS:
        raise CommandError(f"there is no output {told.output}: they have {_OUTPUTS}")
    states = [_KEEP] * _OUTPUTS
    states[told.output - 1] = "1" if told.enable else "0"
    return [_outputs_are("".join(states))]


def _outputs(command: Command, device: Device) -> list[Text]:
    told = command.content(Outputs).outputs
    if len(told) > _OUTPUTS:
        raise CommandError(f"{len(told)} outputs; {_OUTPUTS} are the most")
    return [_outputs_are("".join("1" if on else "0" for on in told).ljust(_OUTPUTS, _KEEP))]


def _outputs_are(states: str) -> Text:
    """At any speed."""
    return Text(f"C01,0,{states}")


def _led(command: Command, device: Device) -> list[Text]:
    return [Text("B31,00" if command.content(Led).enable else "B31,10")]


TELLS: dict[str, Tell] = {
    "registration": _registration,
    "tracking": _tracking,
    "location_request": _location,
    "output": _output,
    "outputs": _outputs,
    "led": _led,
}
