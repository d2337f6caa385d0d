"""What a position record says, however it is written.

Its fields (the package says where this was taken from): times of the fix, of the device's clock
and of sending, longitude and latitude in millionths of a degree, heading, report id, odometer in
0.1 km, HDOP in 0.1, inputs, km/h, outputs, analog input in mV, driver id, two temperatures in
0.1 degC (200.0: no sensor), text, custom columns. A report has no sign of validity; a fix time of
0, or a place of 0, 0, is taken for no fix.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from waypost.protocols.atrack.columns import Raw, apply
from waypost.protocols.base import ProtocolError
from waypost.telemetry.message import Message

#: 1 January 2000 and 2100, seconds.
_FROM, _TO = 946_684_800, 4_102_444_800
_NO_SENSOR = 2000
#: "Track point" for the report id of ordinary tracking; the others are what their owner made of
#: them with AT$REPT, and ``events`` of the device's setup may say what that is.
_EVENTS = {2: 401}

#: The answer of a fuel level sensor on the serial port: frequency, temperature, level, in hex.
_FUEL = re.compile(r"F=([0-9A-Fa-f]+) t=([0-9A-Fa-f]+) N=([0-9A-Fa-f]+)")
#: Ends texts in reports.
END_OF_TEXT = "\x1a"


class Setup(NamedTuple):
    """What is configured on the device and decides how its reports read."""

    #: Format of the custom columns where the reports do not carry it (AT$FORM); empty: unknown.
    form: str = ""
    #: Times are calendar fields; they are recognised where this is not set, too.
    long_date: bool = False
    #: The fuel sensor's level is sent in decimal.
    decimal_fuel: bool = False
    options: dict[str, Any] = {}  # noqa: RUF012  (never changed)

    @classmethod
    def of(cls, setup: dict[str, Any], learned: str) -> Setup:
        """From a device's ``setup``; ``learned`` is the format that this device told."""
        form = setup.get("form")
        if not isinstance(form, str) or not form:
            form = learned if setup.get("custom") is not False else ""
        return cls(form, bool(setup.get("long_date")), bool(setup.get("decimal_fuel")), setup)


class Head(NamedTuple):
    """The fixed part of a record, in the units of the device."""

    fix_time: int | None  # ms
    device_time: int | None
    longitude: int
    latitude: int
    heading: int
    report_id: int
    odometer: float
    hdop: int
    inputs: int
    speed: int
    outputs: int
    analog: int
    driver: str
    temperatures: tuple[int, int]
    text: str


def message_of(head: Head, raw: dict[str, Raw], digest_of: bytes, setup: Setup) -> Message:
    """The message of a record; ``raw`` holds its custom columns by code."""
    values: dict[str, Any] = {
        "hardware_mileage": round(head.odometer * 0.1, 3),
        "input_status": head.inputs,
        "output_status": head.outputs,
        "analog_1": round(head.analog * 0.001, 3),
        "atrack_report_id": head.report_id,
    }
    if head.driver:
        values["hardware_key"] = head.driver
    for number, temperature in enumerate(head.temperatures, 1):
        if temperature != _NO_SENSOR:
            values[f"temperature_{number}"] = temperature / 10
    if head.text:
        values["atrack_text"] = head.text
        fuel = _FUEL.search(head.text)
        if fuel is not None and (not setup.decimal_fuel or fuel[3].isdigit()):
            values["atrack_lls_frequency"] = int(fuel[1], 16)
            values["lls_temperature_1"] = int(fuel[2], 16) - (256 if int(fuel[2], 16) > 127 else 0)
            values["lls_level_1"] = int(fuel[3], 10 if setup.decimal_fuel else 16)
    fixed = head.fix_time is not None and (head.longitude, head.latitude) != (0, 0)
    message = Message(
        head.fix_time if fixed else head.device_time,
        digest_of,
        device_time=head.device_time if fixed and head.device_time != head.fix_time else None,
        event_id=_event(head.report_id, setup),
        values=values,
    )
    apply(raw, message, setup.options)
    if fixed:
        message.latitude = head.latitude / 1e6
        message.longitude = head.longitude / 1e6
        message.speed = float(head.speed)
        message.heading = float(head.heading)
        message.hdop = head.hdop / 10
    else:
        message.altitude = None
    return message


def _event(report_id: int, setup: Setup) -> int | None:
    events = setup.options.get("events")
    chosen = events.get(str(report_id)) if isinstance(events, dict) else None
    return chosen if isinstance(chosen, int) else _EVENTS.get(report_id)


def check_place(longitude: int, latitude: int) -> None:
    """Raises :class:`ProtocolError` for millionths of a degree that are nowhere on Earth."""
    if abs(longitude) > 180_000_000 or abs(latitude) > 90_000_000:
        raise ProtocolError(f"no such place: {latitude / 1e6}, {longitude / 1e6}")


def moment(seconds: int) -> int | None:
    """Milliseconds; None for a clock that was never set."""
    return seconds * 1000 if _FROM <= seconds < _TO else None
