"""What the vehicle's own bus says: the CAN block of GTCAN and GTERI, the OBD block of GTOBD.

A mask names the columns that follow, lowest bit first, engine speed before vehicle speed. Source:
GV300CAN @Track manual, ``AT+GTCAN`` and section 3.3.8; GV500 manual, ``AT+GTOBD``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from waypost.protocols.gl200.columns import between, hexadecimal, number, volts, whole

Values = dict[str, Any]

_VIN = re.compile(r"[0-9A-HJ-NPR-Z]{17}$")
_UNITS = re.compile(r"([A-Za-z/]*)(-?[\d.]+)$")
_MASK = re.compile(r"[0-9A-Fa-f]{8}$")

#: GTCAN's mask: column order is this order; what a column means is told by name.
_CAN = (
    (0, "vin"),
    (1, "key"),
    (2, "distance"),
    (3, "can_consumption"),
    (5, "can_rpm"),
    (4, "can_speed"),
    (6, "can_coolant_t"),
    (7, "rate"),
    (8, "fuel"),
    (9, "range"),
    (10, "can_throttle"),
    (11, "engine_hours"),
    (12, "queclink_can_driving_hours"),
    (13, "can_idle_engine_hours"),
    (14, "can_idle_consumption"),
    (15, "can_axle_load_2"),
    (16, "queclink_can_tachograph"),
    (17, "queclink_can_indicators"),
    (18, "queclink_can_lights"),
    (19, "doors"),
    (20, "queclink_can_overspeed_hours"),
    (21, "queclink_can_engine_overspeed_hours"),
)
_EXPANSION = (
    "adblue",
    "can_axle_load_1",
    "can_axle_load_3",
    "can_axle_load_4",
    "queclink_can_tachograph_overspeed",
    "queclink_can_tachograph_motion",
    "queclink_can_tachograph_direction",
    "queclink_can_analog",
    "queclink_can_engine_braking",
    "queclink_can_pedal_braking",
    "queclink_can_kick_downs",
    "queclink_can_effective_engine_hours",
    "queclink_can_cruise_hours",
    "queclink_can_kick_down_hours",
    "queclink_can_brake_applications",
    "tacho_card1_sn",
    "tacho_card2_sn",
    "queclink_can_driver_1",
    "queclink_can_driver_2",
    "queclink_can_registration",
    "queclink_can_expansion",
    "queclink_can_rapid_braking",
    "queclink_can_rapid_acceleration",
)
#: Columns that are text, whatever their characters look like.
_TEXTS = frozenset(
    name
    for name in (*(name for _, name in _CAN), *_EXPANSION)
    if name.endswith(("_sn", "_registration", "_driver_1", "_driver_2", "_expansion"))
) | {"queclink_can_tachograph"}
_MASKS = frozenset(("queclink_can_indicators", "queclink_can_lights"))

_OBD = (
    "vin",
    "queclink_obd_connected",
    "obd_control_module_voltage",
    "queclink_obd_pids",
    "obd_rpm",
    "obd_speed",
    "obd_coolant_t",
    "queclink_obd_fuel_per_100km",
    "obd_dtc_cleared_distance",
    "obd_mil_activated_distance",
    "obd_mil_status",
    "obd_dtc_number",
    "obd_dtc_codes",
    "obd_throttle",
    "obd_engine_load",
    "obd_fuel",
    "queclink_obd_protocol",
)


def is_vin(text: str) -> bool:
    return _VIN.match(text) is not None


def read_can(columns: list[str]) -> tuple[Values, int]:
    """The values of a CAN block that begins with the bus's state and the mask, and how many columns
    it takes (only its main mask's: expansions end where the next thing begins)."""
    values: Values = {}
    if len(columns) < 2:
        return values, len(columns)
    mask = hexadecimal(columns[1]) or 0
    at = 2
    for bit, name in _CAN:
        if mask >> bit & 1 and at < len(columns):
            _can_value(values, name, columns[at])
            at += 1
    if mask >> 29 & 1:
        at = _expansion(values, columns, at)
    return values, at


def _expansion(values: Values, columns: list[str], at: int) -> int:
    # Bits 22 to 28 add columns on some models only, so the mask is known by its eight digits.
    for place in range(at, min(at + 8, len(columns))):
        if _MASK.match(columns[place]):
            mask = int(columns[place], 16)
            place += 1
            for bit, name in enumerate(_EXPANSION):
                if mask >> bit & 1 and place < len(columns):
                    _can_value(values, name, columns[place])
                    place += 1
            return place
    return at


def _can_value(values: Values, name: str, text: str) -> None:
    if not text:
        return
    if name in ("distance", "rate", "fuel", "adblue"):
        _with_unit(values, name, text)
    elif name == "vin":
        if is_vin(text):
            values["vin"] = text
    elif name == "key":
        if text in "012":
            values["ignition"] = values["can_ignition_state"] = text != "0"
            values["can_engine_state"] = text == "2"
    elif name == "range":
        _put(values, "queclink_can_range", number(text), 0.1)
    elif name == "engine_hours":
        _put(values, "engine_hours", number(text))
        _put(values, "can_engine_hours", number(text))
    elif name == "doors":
        doors = hexadecimal(text)
        if doors is not None:
            values["queclink_can_doors"] = doors
            values["can_door_state"] = bool(doors)
    elif name in _MASKS:
        _put(values, name, hexadecimal(text))
    elif name in _TEXTS:
        values[name] = text
    else:
        _put(values, name, number(text))


def _with_unit(values: Values, name: str, text: str) -> None:
    """Columns whose leading letters say the unit; a letter that is not known says nothing."""
    match = _UNITS.match(text)
    amount = number(match[2]) if match else None
    if match is None or amount is None:
        return
    unit = match[1].upper()
    if name == "distance":
        if unit == "H":  # hectometres
            values["can_mileage"] = round(amount / 10, 1)
        elif unit == "I":
            values["queclink_can_distance_impulses"] = amount
    elif name == "rate":
        if unit in ("H", "L/H"):
            values["can_fuel_rate"] = amount
        elif unit in ("M", "L/100KM"):
            values["queclink_can_fuel_per_100km"] = amount
    elif name == "fuel":
        if unit == "P":
            values["can_fuel"] = amount
        elif unit == "L":
            values["can_fuel_litres"] = amount
    elif unit == "P":
        values["can_adblue_level"] = amount
    elif unit == "L":
        values["queclink_can_adblue_litres"] = amount


def read_obd(columns: list[str]) -> Values:
    """The values of an OBD block that begins with the mask."""
    values: Values = {}
    mask = hexadecimal(columns[0]) if columns else None
    if mask is None:
        return values
    rest: Iterator[str] = iter(columns[1:])
    for bit, name in enumerate(_OBD):
        if mask >> bit & 1:
            _obd_value(values, name, next(rest, ""))
    for bit in (17, 18, 19):  # odometer in whole km, in one of these places by model
        if mask >> bit & 1:
            _put(values, "obd_custom_odometer", number(next(rest, "")))
    return values


def _obd_value(values: Values, name: str, text: str) -> None:
    if not text:
        return
    if name == "vin":
        if is_vin(text):
            values["vin"] = values["obd_vin"] = text
    elif name == "obd_control_module_voltage":
        _put(values, name, volts(text))
    elif name in ("queclink_obd_connected", "obd_mil_status"):
        if text in "01":
            values[name] = text == "1"
    elif name == "obd_dtc_number":
        _put(values, name, whole(text))
    elif name in ("obd_throttle", "obd_engine_load", "obd_fuel"):
        _put(values, name, between(text, 0, 100))
    elif name in ("queclink_obd_pids", "queclink_obd_protocol", "obd_dtc_codes"):
        values[name] = text
    else:
        _put(values, name, number(text))


def _put(values: Values, name: str, value: float | None, scale: float = 1) -> None:
    if value is not None:
        values[name] = value if scale == 1 else round(value * scale, 3)
