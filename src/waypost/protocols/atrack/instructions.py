"""What ATrack trackers are told, over their connection and by SMS alike.

The maker's command reference is not public (see the package). What stands here was taken from
published configurations of AK, AL, AS, AT, AU and AX trackers:

- ``AT$GPRS=1,"apn","user","password","host",port,1,3,30,0,0``: data service on; then 1 for TCP (0:
  UDP), three tries, 30 s for an acknowledgement, no keep-alive;
- ``AT$TRAC=mode,s,m,degrees,km/h,queue,destination,schedule,off time``: mode is a sum of 1 (time),
  2 (distance), 128 (heading); destination 2 is the server; the off time is the interval while the
  ignition is off; fields at the end can be left out, and empty ones stay as they are;
- ``AT$PMGR=0,2,2,1,1,1``: no sleep. How the sleep modes are chosen is not published;
- ``AT$OUTC=output,state``; ``AT$GPOS=0``: report the position.

UDP's 0 and the schedule's place were not seen in use. What a voltage means for the engine
(``engine_control_atrack``) is told in a way that nobody has published: it is kept, and not sent.
"""

from __future__ import annotations

from waypost.catalog import profiles
from waypost.protocols.base import Command, CommandError, Device, Text
from waypost.protocols.instructions import (
    AccessPoint,
    Apn,
    LocationRequest,
    Output,
    Outputs,
    Registration,
    Tracking,
)
from waypost.protocols.told import Tell, access_point, field, given

PROFILES = frozenset({"atrack"})

_TCP = {"tcp": 1, "udp": 0}
_BY_TIME, _BY_DISTANCE, _BY_HEADING = 1, 2, 128
_TO_SERVER = 2


def _registration(command: Command, device: Device) -> list[Text]:
    told = command.content(Registration)
    server = told.server
    apn, secrets = _access_point(told.apn) if told.apn is not None else (",,", ())
    host = _quoted(server.host, "host name")
    rest = f"{host},{server.port},{_TCP[server.transport]},3,30,0,0"
    # The address comes last: with it the device leaves.
    return [
        Text(f"AT$TRAC={_BY_TIME},{told.interval},,,,,{_TO_SERVER}"),
        Text(f"AT$GPRS=1,{apn},{rest}", secrets),
    ]


def _apn(command: Command, device: Device) -> list[Text]:
    apn, secrets = _access_point(command.content(Apn).apn)
    return [Text(f"AT$GPRS=1,{apn}", secrets)]


def _access_point(apn: AccessPoint) -> tuple[str, tuple[str, ...]]:
    """Its fields, and what is secret of them."""
    fields = ",".join(f'"{value}"' for value in access_point(apn, '"'))
    return fields, (apn.password,) if apn.password else ()


def _quoted(value: str, name: str) -> str:
    return f'"{field(value, name, chr(34))}"'


def _tracking(command: Command, device: Device) -> list[Text]:
    settings = command.content(Tracking)
    known = profiles.all_profiles()["atrack"].fields
    printed = {name: one.default for name, one in known.items() if isinstance(one.default, int)}
    told = {**printed, **settings}
    control = settings.get("control_mode")
    if control == "engine_status":
        raise CommandError("how to follow the engine's status is not published for this maker")
    if given(told, "psm_mode"):
        raise CommandError("the sleep modes of this maker are not published: psm_mode must be 0")
    ways = {
        _BY_TIME: given(told, "tracking_interval"),
        _BY_DISTANCE: given(told, "tracking_distance"),
        _BY_HEADING: given(told, "tracking_angle"),
    }
    mode = sum(bit for bit, value in ways.items() if value)
    values = ",".join(str(value or 0) for value in ways.values())
    line = f"AT$TRAC={mode},{values},0,0,{_TO_SERVER}"
    if control == "acc":
        line += f",0,{given(told, 'on_stop_tracking_interval') or 0}"
    lines = [Text(line)]
    if settings.get("psm_mode") == 0:
        lines.append(Text("AT$PMGR=0,2,2,1,1,1"))
    return lines


def _location(command: Command, device: Device) -> list[Text]:
    if command.content(LocationRequest).type == "gsm":
        raise CommandError("the device cannot be asked for the position by the network")
    return [Text("AT$GPOS=0")]


def _output(command: Command, device: Device) -> list[Text]:
    told = command.content(Output)
    return [_switched(told.output, told.enable)]


def _outputs(command: Command, device: Device) -> list[Text]:
    return [_switched(n, on) for n, on in enumerate(command.content(Outputs).outputs, 1)]


def _switched(output: int, on: bool) -> Text:
    return Text(f"AT$OUTC={output},{1 if on else 0}")


TELLS: dict[str, Tell] = {
    "registration": _registration,
    "apn": _apn,
    "tracking": _tracking,
    "location_request": _location,
    "output": _output,
    "outputs": _outputs,
}
