"""Reports as text (``AAA``).

Sources: "MEITRACK T622 GPRS Protocol" V1.2, 1.2; "MEITRACK GPRS Protocol" V1.6, 1.2 "Device Data
Format (General)": event code, latitude, longitude, UTC time, whether the fix is valid, satellites,
GSM signal (0 to 31), km/h, heading, HDOP, metres, mileage in metres, run time in seconds, base
station, ports, analog inputs, what belongs to the event, customised data, version of the protocol,
fuel, temperatures, and more by model.
"""

from __future__ import annotations

import re
from typing import Any

from waypost.protocols.base import ProtocolError
from waypost.protocols.meitrack.events import ENTER_FENCE, EXIT_FENCE, RFID, put_event
from waypost.telemetry.message import Cell, Message, utc_ms

_POSITION = re.compile(
    r"(?:(?P<count>\d{1,9}),)?(?P<event>\d{1,5}),(?P<latitude>-?\d{1,2}\.\d+),"
    r"(?P<longitude>-?\d{1,3}\.\d+),(?P<time>\d{12}),(?P<valid>[AV]),(?P<satellites>\d{1,3}),"
    r"(?P<signal>\d{1,3}),(?P<speed>\d{1,4}(?:\.\d*)?),(?P<heading>\d{1,3}(?:\.\d*)?),"
    r"(?P<hdop>\d{1,4}(?:\.\d*)?),(?P<altitude>-?\d{1,6}),(?P<mileage>\d{1,12}),"
    r"(?P<running>\d{1,12}),(?P<base>[0-9A-Fa-f|]*),(?P<ports>[0-9A-Fa-f]{4}),"
    r"(?P<analog>[0-9A-Fa-f.|]*)(?:,(?P<more>.*))?",
    re.ASCII | re.DOTALL,
)
_TEMPERATURE = re.compile("[0-9A-Fa-f]{6}")
_FUEL = re.compile("[0-9A-Fa-f]{4}")
#: Version of the protocol from which on temperatures are hundredths of a degree.
_HUNDREDTHS = 3
_MOST_SENSORS = 16
_TAXIMETER = ("start", "end", "distance", "fare", "trip", "wait")


def read_report(content: str) -> Message:
    """The message of a report, from after its command. Raises :class:`ProtocolError`."""
    found = _POSITION.fullmatch(content)
    if found is None:
        raise ProtocolError(f"not a position: {content[:80]!r}")
    latitude, longitude = float(found["latitude"]), float(found["longitude"])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ProtocolError(f"no such place: {latitude}, {longitude}")
    message = Message(
        _time(found["time"]),
        content.encode("ascii", "replace"),
        latitude=latitude,
        longitude=longitude,
        altitude=float(found["altitude"]),
        speed=float(found["speed"]),
        heading=float(found["heading"]),
        satellites=int(found["satellites"]),
        hdop=float(found["hdop"]),
        valid=found["valid"] == "A",
    )
    event = int(found["event"])
    put_event(message, event)
    values = message.values
    values["hardware_mileage"] = int(found["mileage"]) / 1000
    values["meitrack_run_time"] = int(found["running"])
    ports = int(found["ports"], 16)
    values["input_status"], values["output_status"] = ports >> 8, ports & 0xFF
    _network(message, found["base"], int(found["signal"]))
    _analog(found["analog"], values)
    _more(event, found["more"], values)
    return message


def _time(digits: str) -> int:
    year, *others = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    try:
        return utc_ms(2000 + year, *others)
    except ValueError:
        raise ProtocolError(f"no such time: {digits}") from None


def put_signal(values: dict[str, Any], level: int) -> int | None:
    """GSM signal from 0 to 31; returns dBm."""
    if level > 31:
        return None
    values["gsm_level"] = round(level * 100 / 31)
    return 2 * level - 113


def _network(message: Message, base: str, signal: int) -> None:
    """MCC, MNC (decimal), LAC, cell id (hexadecimal; decimal in the first devices, which an LAC of
    more than 16 bits gives away)."""
    strength = put_signal(message.values, signal)
    codes = [part[:8] for part in base.split("|")]
    if len(codes) < 4 or not (codes[0].isdecimal() and codes[1].isdecimal()):
        return
    mcc, mnc = int(codes[0]), int(codes[1])
    lac, cell_id = (int(code or "0", 16) for code in codes[2:4])
    if lac > 0xFFFF and codes[2].isdecimal() and codes[3].isdecimal():
        lac, cell_id = int(codes[2]), int(codes[3])
    if lac or cell_id:
        message.cells = [Cell(lac, cell_id, mcc or None, mnc if mcc else None, strength)]


#: What a unit of analog inputs, battery and external power is worth, V, by generation of the
#: hardware: MVT340 and MVT380 (10 bits of 3 V), T1, MVT100 and MVT600 (12 bits of 3.3 V), later.
_TEN_BITS = (6 / 1024, 48 / 1024)
_TWELVE_BITS = (6.6 / 4096, 52.8 / 4096)
_HUNDREDTH = (0.01, 0.01)


def _scale(battery: int) -> tuple[float, float] | None:
    """The scale of which the battery says that it is: firmware of one model has had several, and a
    lithium cell has 2.5 to 4.5 V. None where it fits none."""
    if 250 <= battery <= 440:
        return _HUNDREDTH
    if 440 < battery <= 768:
        return _TEN_BITS
    return _TWELVE_BITS if 1500 <= battery <= 2800 else None


def _analog(text: str, values: dict[str, Any]) -> None:
    """Analog inputs, battery, external power in hexadecimal (decimal in the first devices); or
    battery and external power in volts, with other voltages of the board."""
    parts = [part[:8] for part in text.split("|")]
    if "." in text:
        for name, part in zip(("battery_voltage", "board_voltage"), parts, strict=False):
            if re.fullmatch(r"\d{1,4}(?:\.\d*)?", part):
                values[name] = float(part)
        return
    if len(parts) < 2:
        return
    numbers = [int(part, 16) if part else None for part in parts]
    scale = _scale(numbers[-2] or 0)
    if scale is None and numbers[-2] and all(part.isdecimal() for part in parts):
        scale = _scale(int(parts[-2]))
        if scale is not None:
            numbers = [int(part) for part in parts]
    *inputs, battery, power = numbers
    analog, external = scale or _HUNDREDTH
    for number, raw in enumerate(inputs[:_MOST_SENSORS], 1):
        if raw is not None:
            values[f"analog_{number}"] = round(raw * analog, 3)
    if battery is not None:
        values["battery_voltage"] = round(battery * analog, 3)
    if power is not None:
        values["board_voltage"] = round(power * external, 3)


def _more(event: int, text: str | None, values: dict[str, Any]) -> None:
    """What belongs to the event, customised data, version, fuel, temperatures, and more."""
    fields = text.split(",") if text else []
    if not fields:
        return
    if fields[0]:
        _event_data(event, fields[0], values)
    if len(fields) > 1 and fields[1]:
        values["meitrack_customized"] = fields[1]
    version = int(fields[2]) if len(fields) > 2 and re.fullmatch(r"\d{1,4}", fields[2]) else 0
    # Fuel is a percentage and hundredths of it; without a sensor it is 0.
    if len(fields) > 3 and _FUEL.fullmatch(fields[3]) and int(fields[3], 16):
        values["fuel_level_1"] = int(fields[3][:2], 16) + int(fields[3][2:], 16) / 100
    if len(fields) > 4 and fields[4]:
        _temperatures(fields[4], version, values)
    rest = fields[5:]
    if version == _HUNDREDTHS and len(rest) == 2 and all(item.isdecimal() for item in rest):
        values["meitrack_max_acceleration"] = int(rest[0][:9])
        values["meitrack_max_deceleration"] = int(rest[1][:9])
    elif len(rest) > 6 and "|" in rest[6]:
        _taximeter(rest[6].split("|"), values)
    elif any(rest):
        values["meitrack_more"] = ",".join(rest)


def _event_data(event: int, data: str, values: dict[str, Any]) -> None:
    if event == RFID:
        values["hardware_key"] = data
    elif event in (ENTER_FENCE, EXIT_FENCE):
        values["meitrack_geofence"] = data
    else:
        values["meitrack_event_data"] = data


def _temperatures(text: str, version: int, values: dict[str, Any]) -> None:
    """Sensor (2 digits) and degC (4): hundredths, or before version 3 whole degrees and hundredths
    behind them."""
    for item in text.split("|"):
        if not _TEMPERATURE.fullmatch(item):
            continue
        sensor, raw = int(item[:2], 16), int(item[2:], 16)
        if version >= _HUNDREDTHS:
            warm = (raw - 0x10000 if raw & 0x8000 else raw) / 100
        else:
            whole = (raw >> 8) - (0x100 if raw & 0x8000 else 0)
            warm = round(whole + (-1 if whole < 0 else 1) * (raw & 0xFF) / 100, 2)
        known = 1 <= sensor <= _MOST_SENSORS
        values[f"temperature_{sensor}" if known else f"meitrack_temperature_{sensor}"] = warm


def _taximeter(parts: list[str], values: dict[str, Any]) -> None:
    values["meitrack_taximeter"] = parts[0]
    for name, part in zip(_TAXIMETER, parts[1:], strict=False):
        if part:
            values[f"meitrack_taximeter_{name}"] = part
