"""States that a device reports, beside what it measures: those that ``get_diagnostics`` shows, and
all."""

from __future__ import annotations

import msgspec

from waypost.catalog import sensors, vocabulary
from waypost.fleet.state_view import value_text
from waypost.telemetry.state import State, known_value

#: States that the documentation gives in words: false, true.
_WORDS = {
    "external_power_state": ("disconnected", "connected"),
    "driver_ident_state": ("not identified", "identified"),
}

StateValue = str | int | float

#: States that are kept apart from the others.
_GROUPED = ("input_status", "output_status")


class DeviceState(msgspec.Struct, frozen=True):
    """A state by its name in the catalog, as told at ``time`` (ms)."""

    row: sensors.State
    name: str
    value: StateValue | bool
    time: int


def states_of(state: State | None) -> list[DeviceState]:
    """All states that the catalog knows, in the order of names."""
    found: list[DeviceState] = []
    if state is None:
        return found
    for name in sorted({vocabulary.shown_as(said) for said in (*state.values, *_GROUPED)}):
        row = sensors.state_named(name)
        told = known_value(state, name) if row is not None else None
        if row is not None and told is not None:
            value, time = told
            plain = value if isinstance(value, bool | int | float | str) else value_text(value)
            found.append(DeviceState(row, name, plain, time))
    return found


def diagnostic_value(state: DeviceState) -> StateValue:
    """As ``get_diagnostics`` shows it: numbers stay numbers where the documentation says so;
    everything else is text."""
    value, kind = state.value, state.row.type
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    words = _WORDS.get(state.row.name)
    if words is not None and isinstance(value, bool | int):
        return words[bool(value)]
    return value_text(value)
