"""The newest that is known of a source, folded from its messages in whatever order they come.

Each group of fields has its own time: a late message changes only the groups it is newest for.
Pure; the receiver's clock is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from waypost.catalog import vocabulary
from waypost.telemetry.counters import Counting, Meter, Report, count
from waypost.telemetry.folding import Folding
from waypost.telemetry.message import GNSS, Message
from waypost.telemetry.motion import MIN_SPEED, Motion, move
from waypost.telemetry.records import Records
from waypost.telemetry.sensors import Ignition, ignition_on

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


class Switch(msgspec.Struct, array_like=True, gc=False):
    """Something that is on or off: as reported at ``time``, and since when it is so. ``by``: who
    says so, where it is not the device itself (``Ignition.key``)."""

    time: int
    on: bool
    since: int
    by: str = ""


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
    ignition: Switch | None = None
    #: What is counted, by type.
    meters: dict[str, Meter] = {}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    return _encoder.encode(state)


def decode_state(data: bytes) -> State:
    return _decoder.decode(data)


def fold(state: State, message: Message, received: int, folding: Folding | None = None) -> bool:
    """Takes ``message``, received at ``received`` ms, into ``state``, the way ``folding`` says.
    False: its time lies in the future, so it changes nothing."""
    if state.received is None or received > state.received:
        state.received = received
    time = message.time if message.time is not None else received
    if time > received + FUTURE_MS:
        return False
    told = _told(message, received)
    newest = state.last_update is None or told >= state.last_update
    if newest:
        state.last_update = told
    values = message.values
    if folding is not None:
        _fold_own_way(state, message, time, told, received, folding)
    else:
        if message.latitude is not None and message.longitude is not None:
            _fold_fix(state, message, time)
        if values and (ignition := values.get("ignition")) is not None:
            _switch(state, bool(ignition), told)
    if values:
        _fold_values(state, values, told, newest=newest)
    if message.event_id is not None:
        _put(state.values, "event_id", message.event_id, told)
    return True


def fold_packet(
    state: State, messages: Sequence[Message], received: int, folding: Folding | None = None
) -> None:
    """Takes the messages of a packet in, as :func:`fold` would one by one, without looking at
    what a newer message of the packet replaces anyway."""
    if len(messages) < 2:
        for message in messages:
            fold(state, message, received, folding)
        return
    if folding is None and isinstance(messages, Records):
        steps = messages.steps(received)
        if steps is not None and steps[-1].latitude is not None and steps[-1].valid:
            _move_along(state, steps)
            fold(state, steps[-1], received)
            return
    newest = messages[-1]
    names = tuple(newest.values)
    last = -1
    limit = received + FUTURE_MS
    plain = folding is None and newest.latitude is not None and newest.valid
    if plain:
        # The usual packet: of one kind of record, in the order of time.
        for message in messages:
            time = message.time
            if (
                time is None
                or not last < time <= limit
                or message.device_time is not None
                or message.source != GNSS
                or message.event_id is not None
                or tuple(message.values) != names
            ):
                plain = False
                break
            last = time
    if plain:
        _move_along(state, messages)
        fold(state, newest, received)
    else:
        _fold_any(state, messages, received, folding)


def _move_along(state: State, messages: Sequence[Message]) -> None:
    """The movement and ignition of a packet's messages, in the order of time: what does not
    change from one to the next is told once at its beginning and once at its end."""
    motion = state.motion
    moving: bool | None = None
    ignition = state.ignition.on if state.ignition is not None else None
    before: Message | None = None
    for message in messages:
        values = message.values
        on = values.get("ignition")
        if on is not None and on != ignition:
            ignition = bool(on)
            _switch(state, ignition, message.time or 0)
        if not message.valid or message.latitude is None:
            continue
        speed = message.speed or 0.0
        moves = speed >= MIN_SPEED or (speed > 0 and bool(values.get("is_moving")))
        if moves is not moving:
            if before is not None:
                _move(motion, before)
            _move(motion, message)
            moving = moves
        before = message
    if before is not None:
        _move(motion, before)


def _move(motion: Motion, message: Message) -> None:
    move(motion, message.time or 0, message.speed or 0.0, message.values.get("is_moving"))


def _fold_any(
    state: State, messages: Sequence[Message], received: int, folding: Folding | None
) -> None:
    ordered = sorted(messages, key=lambda message: _told(message, received))
    if folding is not None:
        # Whatever counts, counts with every message.
        for message in ordered:
            fold(state, message, received, folding)
        return
    for message in ordered:
        time = message.time
        ignition = message.values.get("ignition")
        if ignition is not None and (state.ignition is None or ignition != state.ignition.on):
            told_at = _told(message, received)
            if told_at <= received + FUTURE_MS:
                _switch(state, bool(ignition), told_at)
        if (
            message.valid
            and time is not None
            and message.latitude is not None
            and message.source == GNSS
            and time <= received + FUTURE_MS
        ):
            move(state.motion, time, message.speed or 0.0, message.values.get("is_moving"))
    told: set[str] | None = None  # nothing is folded yet
    located = -1
    for message in reversed(ordered):
        time = message.time if message.time is not None else received
        if (
            told is not None
            and (time <= located or message.latitude is None)
            and message.values.keys() <= told
            and (message.event_id is None or "event_id" in told)
        ):
            continue
        if fold(state, message, received):
            told = (told or set()) | message.values.keys()
            if message.event_id is not None:
                told.add("event_id")
            if message.latitude is not None and message.valid and message.source == GNSS:
                located = max(located, time)


def _told(message: Message, received: int) -> int:
    """When the device said it, ms."""
    time = message.time if message.time is not None else received
    told = message.device_time
    # A clock in the future shows local time, east of UTC: the fix has the right one.
    return time if told is None or told > received + FUTURE_MS else told


def _fold_fix(state: State, message: Message, time: int) -> None:
    gnss = message.source == GNSS and message.valid
    if gnss:
        move(state.motion, time, message.speed or 0.0, message.values.get("is_moving"))
    _place(state, message, time, gnss=gnss)


def _fold_own_way(
    state: State, message: Message, time: int, told: int, received: int, folding: Folding
) -> None:
    """Location, ignition and counters of a source that has ways of its own."""
    values = message.values
    meters = [(_meter(state, counting), counting) for counting in folding.counters]
    ignition = ignition_on(folding.ignition, values)
    if ignition is not None:
        _switch(state, ignition, told, folding.ignition.key if folding.ignition else "")
    located = message.latitude is not None and message.longitude is not None
    gnss = located and message.source == GNSS and message.valid
    moving = False
    if gnss:
        is_moving = values.get("is_moving")
        on = state.ignition.on if ignition is None and state.ignition else ignition
        still, kept = folding.judge(on, is_moving)
        moving = move(
            state.motion,
            time,
            message.speed or 0.0,
            is_moving,
            min_speed=folding.min_speed,
            still=still,
            kept=kept,
        )
    if located and (message.source == GNSS or folding.believes(message.precision)):
        _place(state, message, time, gnss=gnss)
    if not meters:
        return
    report = Report(time, values, moving=moving, ignition=ignition, received=received)
    if gnss:
        report.latitude, report.longitude = message.latitude, message.longitude
    for meter, counting in meters:
        count(meter, counting, report)


def _meter(state: State, counting: Counting) -> Meter:
    meter = state.meters.get(counting.type)
    if meter is None:
        meter = state.meters[counting.type] = first_meter(state, counting)
    return meter


def first_meter(state: State, counting: Counting) -> Meter:
    """A meter that has counted nothing yet and goes on from where the source is."""
    meter = Meter()
    fix = state.gnss
    time = fix.time if fix is not None else state.last_update
    if time is None:
        return meter
    report = Report(time, {name: value for name, (value, _) in state.values.items()})
    report.moving = state.motion.moving
    report.ignition = state.ignition.on if state.ignition is not None else None
    if fix is not None:
        report.latitude, report.longitude = fix.latitude, fix.longitude
    count(meter, counting, report)
    return meter


def known_value(state: State, input_name: str) -> tuple[Any, int] | None:
    """The newest value of a sensor input or state, by its own name or the vocabulary's other one,
    and when it was told."""
    known = state.values.get(input_name)
    if known is None:
        other = vocabulary.said_as(input_name)
        known = state.values.get(other) if other is not None else None
    if known is None:
        known = _grouped(state, input_name)
    return None if known is None or known[0] is None else known


def _grouped(state: State, name: str) -> tuple[Any, int] | None:
    """A value that has a group of its own."""
    battery = state.battery
    if name in ("input_status", "output_status"):
        lines = state.inputs if name == "input_status" else state.outputs
        return None if lines is None else (lines.mask, lines.time)
    if name == "battery_level" and battery is not None:
        return battery.level, battery.time
    if name == "battery_voltage" and battery is not None:
        return battery.voltage, battery.time
    return None


def ignition_of(source: Ignition | None, state: State) -> tuple[bool, int] | None:
    """Is the ignition on, as ``source`` (None: the device itself) says, and since when (where that
    is not known: when it was told)? None: nobody has said so yet."""
    name = "ignition"
    if source is not None and source.line is not None:
        name = "input_status"
    elif source is not None and source.virtual is not None:
        name = source.virtual.input_name
    known = known_value(state, name)
    on = ignition_on(source, {name: known[0]}) if known is not None else None
    if known is None or on is None:
        return None
    switch = state.ignition
    by = source.key if source is not None else ""
    fits = switch is not None and switch.on == on and switch.by == by
    return on, switch.since if switch is not None and fits else known[1]


def _place(state: State, message: Message, time: int, *, gnss: bool) -> None:
    """The location, if it is news."""
    known = state.gps
    # A fix that the device itself calls old does not move the vehicle to where it was: it counts
    # only while there is no better one.
    newest = known is None or (message.valid, time) >= (known.valid, known.time)
    newest_gnss = gnss and (state.gnss is None or time >= state.gnss.time)
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
    if newest:
        state.gps = fix
    if newest_gnss:
        state.gnss = fix


def _fold_values(state: State, values: dict[str, Any], time: int, *, newest: bool) -> None:
    """``newest``: nothing that is known is newer."""
    kept = state.values
    for name, value in values.items():
        # Bytes (a picture, a piece of a file) belong to history: they would weigh on every commit.
        if name in GROUPED or value.__class__ is bytes:
            continue
        if newest or name not in kept or time >= kept[name][1]:
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


def _switch(state: State, on: bool, time: int, by: str = "") -> None:
    known = state.ignition
    if known is None or time >= known.time:
        same = known is not None and known.on == on and known.by == by
        state.ignition = Switch(time, on, known.since if known is not None and same else time, by)


def _put(values: dict[str, tuple[Any, int]], name: str, value: Any, time: int) -> None:
    old = values.get(name)
    if old is None or time >= old[1]:
        values[name] = (value, time)
