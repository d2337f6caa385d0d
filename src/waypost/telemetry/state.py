"""The newest that is known of a source, folded from its messages in whatever order they come.

Each group of fields has its own time: a late message changes only the groups it is newest for.
Pure; the receiver's clock is an argument.
"""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.telemetry.message import GNSS, Message
from waypost.telemetry.motion import Motion, move

#: A device's clock may run ahead by this much; later times are kept in history, not folded.
FUTURE_MS = 10 * 60 * 1000

#: Values with a group of their own in the state; the rest are kept one by one.
GROUPED = frozenset(
    {
        "battery_level",
        "battery_voltage",
        "gsm_level",
        "gsm_network",
        "gsm_roaming",
        "input_status",
        "output_status",
    }
)


class Fix(msgspec.Struct, array_like=True, gc=False):
    """Where it was. Degrees, metres, km/h; ``source`` as in ``telemetry.message``."""

    time: int
    latitude: float
    longitude: float
    altitude: float | None = None
    speed: float | None = None
    heading: float | None = None
    satellites: int | None = None
    hdop: float | None = None
    valid: bool = True
    source: int = GNSS
    precision: int | None = None


class Gsm(msgspec.Struct, array_like=True, gc=False):
    """The mobile network as last reported; ``level`` in per cent."""

    time: int
    level: int | None = None
    network: str | None = None
    roaming: bool | None = None


class Battery(msgspec.Struct, array_like=True, gc=False):
    """The device's own battery; per cent and volts."""

    time: int
    level: int | None = None
    voltage: float | None = None


class Lines(msgspec.Struct, array_like=True, gc=False):
    """Digital lines as a bit mask, bit 0 is line 1."""

    time: int
    mask: int


class State(msgspec.Struct, array_like=True):
    """All of it. Stored as MessagePack beside its ``version``."""

    #: Newest device time stored, never later than its receipt plus ``FUTURE_MS``: what is newer
    #: than this cannot be a repeat.
    newest: int | None = None
    #: Time that the newest message states, and when the last one of all was received.
    last_update: int | None = None
    received: int | None = None
    gps: Fix | None = None
    #: The newest fix by satellites, where ``gps`` may be one by cells or Wi-Fi.
    gnss: Fix | None = None
    gsm: Gsm | None = None
    battery: Battery | None = None
    inputs: Lines | None = None
    outputs: Lines | None = None
    #: Every further value: name -> (value, time).
    values: dict[str, tuple[Any, int]] = {}
    motion: Motion = msgspec.field(default_factory=Motion)

    def copy(self) -> State:
        """One that can be folded into without changing this one (groups are replaced, never
        changed, except ``values`` and ``motion``)."""
        return State(
            self.newest,
            self.last_update,
            self.received,
            self.gps,
            self.gnss,
            self.gsm,
            self.battery,
            self.inputs,
            self.outputs,
            self.values.copy(),
            msgspec.structs.replace(self.motion),
        )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    return _encoder.encode(state)


def decode_state(data: bytes) -> State:
    return _decoder.decode(data)


def fold(state: State, message: Message, received: int) -> None:
    """Takes ``message``, received at ``received`` ms, into ``state``."""
    if state.received is None or received > state.received:
        state.received = received
    time = message.time if message.time is not None else received
    told = message.device_time if message.device_time is not None else time
    if time > received + FUTURE_MS:
        return
    if told > received + FUTURE_MS:
        told = time  # a clock that shows local time, east of UTC: the fix has the right one
    if state.last_update is None or told > state.last_update:
        state.last_update = told
    if message.latitude is not None and message.longitude is not None:
        _fold_fix(state, message, time)
    if message.values:
        _fold_values(state, message.values, told)
    if message.event_id is not None:
        _put(state.values, "event_id", message.event_id, told)


def fold_fix(state: State, message: Message, received: int) -> None:
    """Only the location of ``message``: for one of a packet whose values a newer one of the same
    shape replaces anyway."""
    time = message.time
    if time is not None and time <= received + FUTURE_MS and message.latitude is not None:
        _fold_fix(state, message, time)


def fold_motion(state: State, message: Message, received: int) -> None:
    """Only the movement that ``message`` tells of: for one whose location too is replaced by a
    newer one of its packet."""
    time = message.time
    if (
        time is not None
        and time <= received + FUTURE_MS
        and message.latitude is not None
        and message.valid
        and message.source == GNSS
    ):
        move(state.motion, time, message.speed or 0.0, message.values.get("is_moving"))


def _fold_fix(state: State, message: Message, time: int) -> None:
    known = state.gps
    gnss = message.source == GNSS and message.valid
    newest = known is None or time >= known.time
    newest_gnss = gnss and (state.gnss is None or time >= state.gnss.time)
    if gnss:
        move(state.motion, time, message.speed or 0.0, message.values.get("is_moving"))
    if not (newest or newest_gnss):
        return
    fix = Fix(
        time,
        message.latitude or 0.0,
        message.longitude or 0.0,
        message.altitude,
        message.speed,
        message.heading,
        message.satellites,
        message.hdop,
        message.valid,
        message.source,
        message.precision,
    )
    # A fix that the device itself calls old does not move the vehicle to where it was.
    if newest and (message.valid or known is None or not known.valid):
        state.gps = fix
    if newest_gnss:
        state.gnss = fix


def _fold_values(state: State, values: dict[str, Any], time: int) -> None:
    kept = state.values
    for name, value in values.items():
        # Bytes (a picture, a piece of a file) belong to history: they would weigh on every commit.
        if name in GROUPED or isinstance(value, bytes):
            continue
        old = kept.get(name)
        if old is None or time >= old[1]:
            kept[name] = (value, time)
    mask = values.get("input_status")
    if isinstance(mask, int) and (state.inputs is None or time >= state.inputs.time):
        state.inputs = Lines(time, mask)
    mask = values.get("output_status")
    if isinstance(mask, int) and (state.outputs is None or time >= state.outputs.time):
        state.outputs = Lines(time, mask)
    if "battery_level" in values or "battery_voltage" in values:
        _fold_battery(state, values, time)
    if "gsm_level" in values or "gsm_network" in values or "gsm_roaming" in values:
        _fold_gsm(state, values, time)


def _fold_battery(state: State, values: dict[str, Any], time: int) -> None:
    old = state.battery
    if old is not None and time < old.time:
        return
    level = values.get("battery_level")
    voltage = values.get("battery_voltage")
    state.battery = Battery(
        time,
        round(level) if level is not None else (old.level if old else None),
        voltage if voltage is not None else (old.voltage if old else None),
    )


def _fold_gsm(state: State, values: dict[str, Any], time: int) -> None:
    old = state.gsm
    if old is not None and time < old.time:
        return
    level = values.get("gsm_level")
    network = values.get("gsm_network")
    roaming = values.get("gsm_roaming")
    state.gsm = Gsm(
        time,
        round(level) if level is not None else (old.level if old else None),
        str(network) if network is not None else (old.network if old else None),
        bool(roaming) if roaming is not None else (old.roaming if old else None),
    )


def _put(values: dict[str, tuple[Any, int]], name: str, value: Any, time: int) -> None:
    old = values.get(name)
    if old is None or time >= old[1]:
        values[name] = (value, time)
