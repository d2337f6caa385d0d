"""Reports about the device itself: GTINF and the answers to single questions (AT+GTRTO).

Source: "Device Information Report" and "Report for Querying" of the GL300, GL500, GV300 and GV350M
@Track manuals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from waypost.protocols.gl200.columns import between, hexadecimal, signal_level, volts
from waypost.protocols.gl200.events import motion_values
from waypost.protocols.gl200.models import PORTABLE
from waypost.telemetry.message import Message

Values = dict[str, Any]


def read_information(kind: str, report: str, columns: list[str], message: Message) -> bool:
    """Puts what ``columns`` say into ``message``; False where this is no such report."""
    reader = _READERS.get(report)
    if reader is None:
        return False
    reader(message.values, columns)
    if report == "INF" and kind in PORTABLE:
        _portable_inf(message.values, columns)
    return True


def _inf(values: Values, columns: list[str]) -> None:
    """``state, ICCID, RSSI, BER, power supply, mileage or voltage, second one, battery, charging,
    ...``: a mileage (portable trackers) has a decimal point, millivolts (vehicle trackers) have
    none."""
    columns = columns + [""] * (9 - len(columns))
    state = hexadecimal(columns[0])
    if state is not None:
        values.update(motion_values(state))
    if columns[1]:
        values["queclink_iccid"] = columns[1]
    _put(values, "gsm_level", signal_level(columns[2]))
    if columns[4] in ("0", "1"):
        values["external_power_state"] = columns[4] == "1"
    if "." in columns[5]:
        _put(values, "hardware_mileage", between(columns[5], 0, 4_294_967))
    else:
        _put(values, "board_voltage", volts(columns[5]))
        if len(columns[6]) > 1:
            _put(values, "queclink_second_power_voltage", volts(columns[6]))
    _put(values, "battery_voltage", between(columns[7], 0, 100))
    if columns[8] in ("0", "1"):
        values["charging"] = columns[8] == "1"


def _portable_inf(values: Values, columns: list[str]) -> None:
    """A portable tracker goes on with ``LED, GNSS on need, antenna type, antenna state, last fix,
    battery level, flash type, temperature``."""
    if len(columns) > 14:
        _put(values, "battery_level", between(columns[14], 0, 100))
    if len(columns) > 16:
        _put(values, "temperature_internal", between(columns[16], -60, 150))


def _csq(values: Values, columns: list[str]) -> None:
    if columns:
        _put(values, "gsm_level", signal_level(columns[0]))


def _cid(values: Values, columns: list[str]) -> None:
    if columns:
        values["queclink_iccid"] = columns[-1]


def _bat(values: Values, columns: list[str]) -> None:
    """``power supply, voltage, level, battery volts, charging, ...``."""
    columns = columns + [""] * (5 - len(columns))
    if columns[0] in ("0", "1"):
        values["external_power_state"] = columns[0] == "1"
    _put(values, "board_voltage", volts(columns[1]))
    _put(values, "battery_level", between(columns[2], 0, 100))
    _put(values, "battery_voltage", between(columns[3], 0, 100))
    if columns[4] in ("0", "1"):
        values["charging"] = columns[4] == "1"


def _text(values: Values, columns: list[str]) -> None:
    values["queclink_data"] = ",".join(columns)


_READERS: dict[str, Callable[[Values, list[str]], None]] = {
    "INF": _inf,
    "CSQ": _csq,
    "CID": _cid,
    "BAT": _bat,
    **dict.fromkeys(
        ("VER", "IOS", "TMZ", "ALL", "ALM", "ALC", "ALS", "AIF", "ATI", "GPS", "GSV", "CFU"), _text
    ),
    **dict.fromkeys(("UPD", "UPC", "EUC", "CML", "CSN", "CVN", "CTN", "BTI"), _text),
}


def _put(values: Values, name: str, value: float | None) -> None:
    if value is not None:
        values[name] = value
