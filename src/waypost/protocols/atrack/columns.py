"""The custom columns of a report: what ``AT$FORM`` appends to it.

Names and units were taken from published decoders and configurations, widths from recorded
packets where one holds the column (AT BV CD CE CM CN DT EL ET FC FL GL GN GQ GS GV IA LC ME MF ML
MP MV PD RL RP SA SM TR VN). The rest are assumed: one byte for a state, two or four for a measure
or a count. A column that does not fit is kept as it came (:mod:`waypost.protocols.atrack.binary`).
Columns of the J1939 and J1708 buses (``JO5``, ``ZH3``) say their width themselves: O one byte, H
two, L four, S text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from waypost.protocols.atrack.beacons import read_beacons
from waypost.telemetry.message import Cell, Message

Raw = int | float | str | bytes


class Column(NamedTuple):
    """How a column is sent in binary (a ``struct`` letter, ``s`` for text up to NUL, a number for
    that many bytes), the value's name, and what a unit of it is worth (None: a flag)."""

    format: str
    name: str
    scale: float | None = 1


#: By code. An empty name: :data:`_SPECIAL` says what it means.
COLUMNS = {
    "AT": Column("i", ""),
    "BC": Column("s", ""),
    "BT": Column("B", "atrack_bluetooth", None),
    "BV": Column("H", "battery_voltage", 0.1),
    "CD": Column("s", "atrack_iccid"),
    "CE": Column("I", ""),
    "CI": Column("s", "atrack_form"),
    "CM": Column("Q", "atrack_imsi"),
    "CN": Column("I", ""),
    "CR": Column("B", ""),
    "CS": Column("B", "atrack_server_connection"),
    "DL": Column("B", "idling_state", None),
    "DT": Column("B", ""),
    "EG": Column("B", "atrack_engine_status"),
    "EH": Column("I", "engine_hours", 0.1),
    "EL": Column("B", "obd_engine_load"),
    "ET": Column("h", "obd_coolant_t"),
    "FC": Column("I", "obd_consumption", 0.1),
    "FL": Column("B", "obd_fuel"),
    "GL": Column("s", "atrack_map_link"),
    "GN": Column("60", ""),
    "GQ": Column("B", ""),
    "GS": Column("B", "atrack_gsm_status"),
    "GV": Column("6", ""),
    "HA": Column("B", ""),
    "HB": Column("B", ""),
    "HC": Column("B", ""),
    "HT": Column("s", "atrack_ht"),
    "IA": Column("b", "obd_intake_air_t"),
    "IP": Column("B", ""),
    "JD": Column("B", ""),
    "LC": Column("H", ""),
    "MA": Column("s", "atrack_mac_addresses"),
    "ME": Column("Q", "atrack_imei"),
    "MF": Column("H", "atrack_mass_air_flow"),
    "ML": Column("B", "obd_mil_status", None),
    "MP": Column("B", "obd_intake_air_pressure"),
    "MT": Column("B", "is_moving", None),
    "MV": Column("H", "board_voltage", 0.1),
    "NC": Column("s", "atrack_neighbour_cells"),
    "OC": Column("B", "atrack_obd_connection"),
    "OD": Column("I", "can_mileage", 0.1),
    "PC": Column("I", "impulse_counter_1"),
    "PD": Column("B", "obd_dtc_number"),
    "PF": Column("B", "atrack_pf"),
    "PS": Column("B", "atrack_power_lost", None),
    "RL": Column("B", "atrack_rx_level"),
    "RP": Column("H", "obd_rpm"),
    "SA": Column("B", ""),
    "SD": Column("B", "atrack_speeding", None),
    "SF": Column("B", ""),
    "SM": Column("H", "atrack_max_speed"),
    "TR": Column("B", "obd_throttle"),
    "VN": Column("s", "vin"),
    "VS": Column("B", "obd_speed"),
}

#: J1939 columns with a meaning of their own: name, worth of a unit, offset.
_J1939 = {
    "JO5": ("can_fuel", 0.4, 0),
    "JO11": ("can_coolant_t", 1, -40),
    "JH1": ("can_speed", 1 / 256, 0),
    "JH2": ("can_rpm", 0.125, 0),
    "JL1": ("can_total_fuel_used", 0.5, 0),
    "JL2": ("can_engine_hours", 0.05, 0),
    "JN2": ("can_idle_engine_hours", 0.05, 0),
    "JN3": ("can_idle_consumption", 0.5, 0),
}
#: What says "not available" on a vehicle bus.
_BUS_NONE = {"O": 0xFF, "H": 0xFFFF, "L": 0xFFFFFFFF, "N": 0xFFFFFFFF}

#: Harsh driving, impact and jamming as event of the report that carries them.
_EVENT_FLAGS = {"HA": 240, "HB": 241, "HC": 239, "IP": 242, "JD": 117}
_FLAG_NAMES = {
    "HA": "atrack_harsh_acceleration",
    "HB": "atrack_harsh_braking",
    "HC": "atrack_harsh_cornering",
    "IP": "atrack_impact",
    "JD": "atrack_jamming",
}

_CODE = re.compile(r"%([A-Z]{2}[0-9]*)")
_BUS = re.compile(r"[JZ]([OHLS])[0-9]+")
_BUS_FORMATS = {"O": "B", "H": "H", "L": "I", "S": "s"}


def codes_of(form: str) -> list[str]:
    """The columns of a format string (``%CI%MV%BV``), without the ``%CI`` that begins it."""
    codes = _CODE.findall(form)
    return codes[1:] if codes[:1] == ["CI"] else codes


def format_of(code: str) -> str | None:
    """How a column is sent in binary, as in :class:`Column`; None where it is not known."""
    column = COLUMNS.get(code)
    if column is not None:
        return column.format
    if code.startswith("AV") and code[2:].isdigit():
        return "H"
    if code.startswith("IN") and code[2:].isdigit():
        return "B"
    bus = _BUS.fullmatch(code)
    return _BUS_FORMATS[bus[1]] if bus else None


def apply(raw: dict[str, Raw], message: Message, setup: dict[str, Any]) -> None:
    """Puts columns, by their codes, into ``message``: numbers for what is a number, text, bytes."""
    values = message.values
    for code, value in raw.items():
        if code in _SPECIAL:
            _SPECIAL[code](message, value)
        elif code in _FLAG_NAMES:
            values[_FLAG_NAMES[code]] = value
            if isinstance(value, int) and value > 0 and message.event_id is None:
                message.event_id = _EVENT_FLAGS[code]
        elif code == "BC":
            values.update(read_beacons(str(value), setup.get("frame_mask") is not None))
        elif code in COLUMNS:
            _plain(values, COLUMNS[code], value)
        elif isinstance(value, int | float):
            _numbered(values, code, value)
        elif value != "":
            values[f"atrack_{code.lower()}"] = value
    _cell(raw, message)


def _plain(values: dict[str, Any], column: Column, value: Raw) -> None:
    if isinstance(value, str | bytes):
        if value:
            values[column.name] = value
    elif column.scale is None:
        values[column.name] = value != 0
    elif column.name in ("atrack_imsi", "atrack_imei"):
        values[column.name] = str(value)
    else:
        values[column.name] = value if column.scale == 1 else round(value * column.scale, 3)


def _numbered(values: dict[str, Any], code: str, value: int | float) -> None:
    """Analog and digital inputs, vehicle buses, and columns that no table knows."""
    if code[:2] == "AV" and code[2:].isdigit():
        values[f"analog_{int(code[2:])}"] = round(value * 0.001, 3)
        return
    if code == "IN0":  # the ignition line
        values["ignition"] = value != 0
        return
    if code[:1] in "JZ" and value == _BUS_NONE.get(code[1:2]):
        return
    if code in _J1939:
        name, scale, offset = _J1939[code]
        values[name] = round(value * scale + offset, 3)
    else:
        values[f"atrack_{code.lower()}"] = value


def _cell(raw: dict[str, Raw], message: Message) -> None:
    """The serving cell, of which the columns say parts."""
    cell_id, area, network = raw.get("CE"), raw.get("LC"), str(raw.get("CN", ""))
    known = len(network) > 3 and network.isdigit()
    if known:
        message.values["gsm_network"] = network
    if isinstance(cell_id, int) and isinstance(area, int) and cell_id and area:
        level = raw.get("GQ")
        strength = -113 + 2 * level if isinstance(level, int) and level <= 31 else None
        mcc, mnc = (int(network[:3]), int(network[3:])) if known else (None, None)
        message.cells = [Cell(area, cell_id, mcc, mnc, strength)]
    elif isinstance(cell_id, int) and cell_id:
        message.values["atrack_cell_id"] = cell_id


def _satellites(message: Message, value: Raw) -> None:
    message.satellites = value if isinstance(value, int) else None


def _altitude(message: Message, value: Raw) -> None:
    message.altitude = float(value) if isinstance(value, int | float) else None


def _quality(message: Message, value: Raw) -> None:
    if isinstance(value, int) and 0 <= value <= 31:  # 99: unknown
        message.values["gsm_level"] = round(value * 100 / 31)


def _roaming(message: Message, value: Raw) -> None:
    # As in 3GPP TS 27.007, +CREG: 1 at home, 5 roaming.
    if value in (1, 5):
        message.values["gsm_roaming"] = value == 5


def _fix_status(message: Message, value: Raw) -> None:
    message.values["atrack_fix_status"] = value
    message.valid = message.valid and value != 0


def _history(message: Message, value: Raw) -> None:
    message.buffered = value == 1


def _acceleration(name: str) -> Callable[[Message, Raw], None]:
    def put(message: Message, value: Raw) -> None:
        """Triples of signed 16-bit milli-g: x, y, z."""
        if isinstance(value, str):
            try:
                value = bytes.fromhex(value)
            except ValueError:
                message.values[name] = value
                return
        if isinstance(value, bytes):
            flat = [
                int.from_bytes(value[at : at + 2], "big", signed=True)
                for at in range(0, len(value) - 1, 2)
            ]
            message.values[name] = [flat[at : at + 3] for at in range(0, len(flat), 3)]

    return put


def _elsewhere(message: Message, value: Raw) -> None:
    """A part of the cell: :func:`_cell` reads it."""


_SPECIAL: dict[str, Callable[[Message, Raw], None]] = {
    "SA": _satellites,
    "AT": _altitude,
    "GQ": _quality,
    "CR": _roaming,
    "SF": _fix_status,
    "DT": _history,
    "GN": _acceleration("atrack_g_samples"),
    "GV": _acceleration("atrack_g_maximum"),
    "CE": _elsewhere,
    "LC": _elsewhere,
    "CN": _elsewhere,
}
