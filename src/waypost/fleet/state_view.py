"""A source's state as the API shows it.

Building one costs some microseconds, so the encoded form is kept until a newer state comes, the
tracker changes, or a status changes because time passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from waypost.catalog import models, sensors, vocabulary
from waypost.fleet.rows import TrackerRow
from waypost.fleet.states import Known
from waypost.moments import write_second
from waypost.telemetry.message import GNSS
from waypost.telemetry.motion import Movement, movement, next_change
from waypost.telemetry.sensors import Ignition
from waypost.telemetry.state import Battery, Fix, Lines, State, ignition_of
from waypost.telemetry.status import Connection, connection_status

#: So many satellites are as good as it gets: 100 %.
FULL_SKY = 10

_encode = msgspec.json.Encoder().encode
_NEVER = float("inf")


class Location(msgspec.Struct, frozen=True):
    lat: float
    lng: float


class GpsView(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is. Per cent, degrees, km/h, metres; zeros where there was no fix yet."""

    updated: str | None
    signal_level: int | None
    location: Location
    heading: int
    speed: int
    alt: int
    precision: int | msgspec.UnsetType = msgspec.UNSET
    gsm_lbs: bool | msgspec.UnsetType = msgspec.UNSET


class GsmView(msgspec.Struct, frozen=True):
    """The mobile network; per cent."""

    updated: str | None
    signal_level: int | None
    network_name: str | None
    roaming: bool | None


class Additional(msgspec.Struct, frozen=True):
    """Any other state, as text."""

    value: str
    updated: str


class TrackerState(msgspec.Struct, frozen=True, kw_only=True):
    """The newest that is known of a tracker, each part with the time it is of."""

    source_id: int
    gps: GpsView
    connection_status: Connection
    movement_status: Movement
    movement_status_update: str | None
    gsm: GsmView | None
    last_update: str | None
    battery_level: int | None
    battery_update: str | None
    inputs: list[bool]
    inputs_update: str | None
    outputs: list[bool]
    outputs_update: str | None
    additional: dict[str, Additional]
    actual_track_update: str | None
    ignition: bool | msgspec.UnsetType = msgspec.UNSET
    ignition_update: str | msgspec.UnsetType = msgspec.UNSET


class Clock:
    """Writes moments in a zone, in the API's form or as ISO 8601 with offset."""

    __slots__ = ("_iso", "_written", "_zone")

    def __init__(self, zone: tzinfo = UTC, iso: bool = False) -> None:
        self._zone = zone
        self._iso = iso
        self._written: dict[int, str] = {}

    def write(self, ms: int) -> str:
        second = ms // 1000
        text = self._written.get(second)
        if text is None:
            text = write_second(second, self._zone, self._iso)
            if len(self._written) > 1000:
                self._written.clear()
            self._written[second] = text
        return text

    def maybe(self, ms: int | None) -> str | None:
        return None if ms is None else self.write(ms)


def connection_of(row: TrackerRow, state: State | None, now: int) -> tuple[Connection, int | None]:
    """The connection status of ``row``'s source, and when it changes by itself."""
    return connection_status(
        state,
        now,
        registered=row.registered_at,
        replaced=row.replaced_at,
        timeout_ms=_timeout(row.model),
    )


def status_of(
    model: str, registered_at: int, replaced_at: int | None, known: Known, now: int
) -> Connection:
    """The same status, of a source that is not looked at as a tracker."""
    return connection_status(
        known.state, now, registered=registered_at, replaced=replaced_at, timeout_ms=_timeout(model)
    )[0]


def _timeout(code: str) -> int:
    """How long (ms) a model may be silent."""
    model = models.model(code)
    return (model.timeout_minutes if model is not None else 10) * 60_000


class CompactState(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a state that maps show; live events have it where they are asked for it."""

    source_id: int
    gps: GpsView
    connection_status: Connection
    movement_status: Movement
    movement_status_update: str | None
    ignition: bool | msgspec.UnsetType = msgspec.UNSET
    ignition_update: str | msgspec.UnsetType = msgspec.UNSET
    last_update: str | None


def compact(view: TrackerState) -> CompactState:
    return CompactState(
        source_id=view.source_id,
        gps=view.gps,
        connection_status=view.connection_status,
        movement_status=view.movement_status,
        movement_status_update=view.movement_status_update,
        ignition=view.ignition,
        ignition_update=view.ignition_update,
        last_update=view.last_update,
    )


def view_state(
    row: TrackerRow, state: State | None, now: int, clock: Clock
) -> tuple[TrackerState, float]:
    """The object as it is at ``now`` (ms), and until when it holds: then a status changes because
    time passed."""
    model = models.model(row.model)
    connection, until = connection_of(row, state, now)
    state = state or _EMPTY
    idle_ms = row.folding.idle_ms
    moves, moves_since = movement(state.motion, now, idle_ms=idle_ms)
    changes = next_change(state.motion, now, idle_ms=idle_ms)
    ends = [end for end in (until, changes) if end is not None]
    gsm = state.gsm
    reports_gsm = model is not None and (model.gsm_level or model.gsm_network or model.gsm_roaming)
    view = TrackerState(
        source_id=row.source_id,
        gps=_gps(state.gps, clock),
        connection_status=connection,
        movement_status=moves,
        movement_status_update=clock.maybe(moves_since),
        gsm=GsmView(clock.write(gsm.time), gsm.level, gsm.network, gsm.roaming)
        if gsm is not None
        else (GsmView(None, None, None, None) if reports_gsm else None),
        last_update=clock.maybe(state.last_update),
        battery_level=_battery_level(state.battery, model),
        battery_update=clock.maybe(state.battery.time if state.battery else None),
        inputs=lines(state.inputs, model.digital_inputs if model else 0),
        inputs_update=clock.maybe(state.inputs.time if state.inputs else None),
        outputs=lines(state.outputs, model.digital_outputs if model else 0),
        outputs_update=clock.maybe(state.outputs.time if state.outputs else None),
        additional=_additional(state, clock),
        actual_track_update=clock.maybe(state.motion.last_moving),
        **_ignition(row.folding.ignition, state, clock),
    )
    return view, min(ends, default=_NEVER)


_EMPTY = State()


def _gps(fix: Fix | None, clock: Clock) -> GpsView:
    if fix is None:
        return GpsView(
            updated=None, signal_level=None, location=Location(0.0, 0.0), heading=0, speed=0, alt=0
        )
    return GpsView(
        updated=clock.write(fix.time),
        signal_level=None if fix.satellites is None else signal_level(fix.satellites),
        location=Location(fix.latitude, fix.longitude),
        heading=round(fix.heading or 0),
        speed=round(fix.speed or 0),
        alt=round(fix.altitude or 0),
        precision=fix.precision or msgspec.UNSET,
        gsm_lbs=True if fix.source != GNSS else msgspec.UNSET,
    )


def signal_level(satellites: int) -> int:
    """How good the view of the sky is, in per cent."""
    return min(100, satellites * 100 // FULL_SKY)


def _battery_level(battery: Battery | None, model: models.Model | None) -> int | None:
    """Per cent; from the voltage where the device tells only that and the model's range is
    known."""
    if battery is None or battery.level is not None:
        return battery.level if battery else None
    charge = model.battery if model is not None else None
    if battery.voltage is None or charge is None or charge.max_charge <= charge.min_charge:
        return None
    if charge.max_charge <= 1.0:  # given in shares of the whole, not in volts
        return None
    share = (battery.voltage - charge.min_charge) / (charge.max_charge - charge.min_charge)
    return round(100 * min(1.0, max(0.0, share)))


def lines(known: Lines | None, count: int) -> list[bool]:
    """Digital lines one by one: as many as the model has, or as were ever seen on."""
    mask = known.mask if known is not None else 0
    if mask < 0:
        mask = 0
    return [bool(mask >> line & 1) for line in range(max(count, mask.bit_length()))]


def _additional(state: State, clock: Clock) -> dict[str, Additional]:
    found: dict[str, Additional] = {}
    for name, (value, time) in state.values.items():
        shown = _shown_state(name)
        if shown is not None and value is not None:
            found[shown] = Additional(value_text(value), clock.write(time))
    return found


#: Names of values -> the state under which the API shows them, or None. Devices have few names,
#: so this stays small; what a device makes up itself is not remembered.
_SHOWN: dict[str, str | None] = {}


def _shown_state(name: str) -> str | None:
    if name in _SHOWN:
        return _SHOWN[name]
    shown: str | None = vocabulary.shown_as(name)
    if shown is not None and sensors.state_named(shown) is None:
        shown = None
    if len(_SHOWN) < 5000:
        _SHOWN[name] = shown
    return shown


def value_text(value: Any) -> str:
    """A value as the API writes it where it wants text: true is ``1``."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int | float):
        return str(value)
    return _encode(value).decode()


def _ignition(source: Ignition | None, state: State, clock: Clock) -> dict[str, Any]:
    told = ignition_of(source, state)
    if told is None:
        return {}
    on, since = told
    return {"ignition": on, "ignition_update": clock.write(since)}


Piece = tuple[TrackerRow, Known, int, float, bytes]
"""What it was made from (row, known state and its version), until when it holds, and
``"<tracker id>":{...}``."""


class StateViews:
    """Encoded states of the trackers that one user sees, in one zone and form."""

    __slots__ = ("_clock", "_pieces")

    def __init__(self, zone: tzinfo, iso: bool) -> None:
        self._clock = Clock(zone, iso)
        self._pieces: dict[int, Piece] = {}

    def kept(
        self,
        tracker_ids: Iterable[int],
        rows: Mapping[int, TrackerRow],
        believed_from: float,
        now: int,
    ) -> tuple[list[bytes], list[int]]:
        """What is encoded already and holds at ``now``, and the ids of all others. ``rows`` are
        those that the user sees now; ``believed_from`` as :class:`States` says."""
        pieces, found, others = self._pieces, [], []
        for tracker_id in tracker_ids:
            piece = pieces.get(tracker_id)
            if piece is not None:
                row, known, version, until, body = piece
                if (
                    now < until
                    and known.version == version
                    and rows.get(tracker_id) is row
                    and known.checked is not None
                    and known.checked >= believed_from
                ):
                    found.append(body)
                    continue
            others.append(tracker_id)
        return found, others

    def encode(self, row: TrackerRow, known: Known, now: int) -> bytes:
        """``"<tracker id>":{state}`` as it is at ``now``; kept."""
        view, until = view_state(row, known.state, now, self._clock)
        body = b'"%d":%b' % (row.id, _encode(view))
        self._pieces[row.id] = (row, known, known.version, until, body)
        return body
