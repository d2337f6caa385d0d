"""Packets about the device itself: heartbeats (13, 23, 36), states (A3, F1), battery (40).

Sources: "JM-VL03 GPS Tracker Communication Protocol" V1.1.2, "Heartbeat Packet"; what other
families and clones send, from recorded packets and published decoders. None but F1 and 40 has a
time.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.gt06.status import (
    put_alarm,
    put_battery,
    put_information,
    put_signal,
    read_status,
    volts,
)
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Message

#: Content lengths of packet 13 in OBD and in portable trackers.
_OBD, _PORTABLE = 14, 16
#: Mode of an OBD tracker in which a temperature follows.
_MODE_TEMPERATURE = 4
#: Content length of the longer packet A3.
_A3_LONG = 19


def read_heartbeat(content: bytes, model: str) -> Message:
    """Packet 13. ``model``: the end of the catalog's code, in capitals."""
    message = Message(None, b"")
    reader = Reader(content)
    if len(content) == _OBD:
        _obd(reader, message)
    elif len(content) == _PORTABLE:
        _portable(reader, message)
    elif model.startswith("LW"):
        put_information(message, reader.number(1, "terminal information"))
        put_battery(message.values, reader.number(1, "battery level"))
        put_signal(message.values, reader.number(1, "signal"))
        message.values["board_voltage"] = (reader.number(2, "voltage") & 0xFFF) / 10
    else:
        read_status(reader, message, in_volts=model == "R11")
    return message


def _obd(reader: Reader, message: Message) -> None:
    values = message.values
    put_information(message, reader.number(1, "terminal information"))
    signal = reader.number(2, "signal")
    values["gsm_level"] = round((signal & 31) * 100 / 31)
    message.satellites = (signal >> 5 & 31) + (signal >> 10 & 31)
    put_alarm(message, reader.number(1, "alarm"))
    reader.take(1, "language")
    put_battery(values, reader.number(1, "battery level"))
    mode = reader.number(1, "mode")
    values["gt06_mode"] = mode
    values["board_voltage"] = volts(reader.number(2, "voltage"))
    reader.take(3, "working time")
    warm = reader.number(2, "temperature", signed=True)
    if mode == _MODE_TEMPERATURE:
        values["temperature_1"] = warm / 10


def _portable(reader: Reader, message: Message) -> None:
    values = message.values
    put_information(message, reader.number(1, "terminal information"))
    reader.take(2, "satellites")
    put_alarm(message, reader.number(1, "alarm"))
    reader.take(1, "language")
    put_battery(values, reader.number(1, "battery level"))
    values["gt06_mode"] = reader.number(1, "mode")
    values["board_voltage"] = volts(reader.number(2, "voltage"))
    reader.take(1, "reserved")
    values["gt06_working_times"] = reader.number(2, "working times")
    values["gt06_working_time"] = reader.number(2, "working time")
    warm = reader.number(2, "temperature")
    values["temperature_1"] = (warm & 0x7FFF) / (10 if warm & 0x8000 else -10)


def read_gk_heartbeat(content: bytes) -> Message:
    """Packet 23: terminal information, voltage of the battery, signal."""
    message = Message(None, b"")
    reader = Reader(content)
    put_information(message, reader.number(1, "terminal information"))
    if reader.left >= 2:
        message.values["battery_voltage"] = volts(reader.number(2, "battery voltage"))
    if reader.left >= 1:
        put_signal(message.values, reader.number(1, "signal"))
    return message


def read_modular_heartbeat(content: bytes) -> Message:
    """Packet 36 without a fix: state, then modules of number (2 bytes), length (1) and value."""
    message = Message(None, b"")
    reader = Reader(content)
    read_status(reader, message)
    while reader.left > 2:
        module = reader.number(2, "module")
        value = reader.take(reader.number(1, "length of a module"), "module")
        number = int.from_bytes(value, "big")
        if module == 0x18 and len(value) == 2:
            message.values["battery_voltage"] = volts(number)
        elif module == 0x6A and len(value) == 1:
            message.values["battery_level"] = min(number, 100)
        else:
            message.values[f"gt06_module_{module:02x}"] = value.hex()
    return message


def read_state(content: bytes) -> Message:
    """Packet A3 without a fix, short or with movement, steps and battery."""
    message = Message(None, b"")
    reader = Reader(content)
    if len(content) != _A3_LONG:
        read_status(reader, message)
        return message
    values = message.values
    put_information(message, reader.number(1, "terminal information"))
    reader.take(2, "reserved")
    values["gt06_bars"] = reader.number(1, "battery's bars")
    values["gsm_level"] = min(reader.number(1, "signal"), 100)
    values["board_voltage"] = reader.number(1, "voltage")
    values["gt06_mode"] = reader.number(1, "mode")
    values["gt06_working_time"] = reader.number(4, "working time")
    values["gt06_steps"] = reader.number(2, "steps")
    put_battery(values, reader.number(1, "battery level"))
    reader.take(1, "reserved")
    values["is_moving"] = reader.number(1, "movement") != 0
    return message


def read_flags(content: bytes) -> Message:
    """Packet F1: time, then states of number (2 bytes), length (1) and value."""
    reader = Reader(content)
    message = Message(reader.number(4, "time") * 1000, content)
    values = message.values
    while reader.left > 2:
        name = reader.number(2, "state")
        value = reader.take(reader.number(1, "length of a state"), "state")
        number = int.from_bytes(value, "big")
        if name == 1:
            values["gt06_armed"] = number != 0
        elif name == 2:
            values["ignition"] = number != 0
        elif name == 3:
            values["is_moving"] = number != 0
        elif name == 5 and len(value) == 2:
            values["board_voltage"] = volts(number)
        else:
            values[f"gt06_state_{name:02x}"] = value.hex()
    return message


def read_battery(content: bytes) -> Message:
    """Packet 40: a battery's management system."""
    reader = Reader(content)
    reader.take(8, "serial number")
    message = Message(reader.number(4, "time") * 1000, content)
    values: dict[str, Any] = message.values
    values["gt06_bms_relative_capacity"] = reader.number(1, "relative capacity")
    values["gt06_bms_remaining_capacity"] = reader.number(2, "remaining capacity")
    values["gt06_bms_absolute_capacity"] = reader.number(1, "absolute capacity")
    values["gt06_bms_full_capacity"] = reader.number(2, "full capacity")
    values["battery_health_1"] = reader.number(1, "health")
    values["temperature_1"] = round(reader.number(2, "temperature") * 0.1 - 273.1, 1)
    values["gt06_bms_current"] = reader.number(2, "current", signed=True)
    values["battery_voltage"] = reader.number(2, "voltage") / 1000
    values["gt06_bms_cycles"] = reader.number(2, "cycles")
    values["gt06_bms_cells"] = [reader.number(2, "cell") / 1000 for _ in range(14)]
    values["gt06_bms_charge_interval"] = reader.number(2, "charge interval")
    values["gt06_bms_max_charge_interval"] = reader.number(2, "longest charge interval")
    values["gt06_bms_barcode"] = _text(reader, "barcode")
    values["gt06_bms_version"] = reader.number(2, "version")
    values["gt06_bms_maker"] = _text(reader, "maker")
    values["gt06_bms_status"] = reader.number(4, "status")
    values["gt06_controller_status"] = reader.number(4, "controller's status")
    values["gt06_controller_fault"] = reader.number(4, "controller's fault")
    return message


def _text(reader: Reader, what: str) -> str:
    return reader.take(16, what).decode("ascii", "replace").strip("\0 ")
