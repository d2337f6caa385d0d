"""Packets with a fix of single families, which have more in them than others of their number.

In no public document: their fields were taken from recorded packets and published decoders.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.base import ProtocolError
from waypost.protocols.gt06.located import KEY_SIZE, is_date, put_key, put_mileage, read_reason
from waypost.protocols.gt06.position import (
    LONG_CELL,
    NARROW,
    WIDE,
    read_cell,
    read_counted_cell,
    read_fix,
    read_time,
)
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

#: Least content length of packet 22 that begins with its source.
_UNIT = 45
#: Content lengths that tell packets with a fix from others of the same number: that of A2, 24 and
#: 36 with one, and the longest 34 without.
A2_WITH_FIX, P24_WITH_FIX, P36_WITH_FIX = 59, 41, 48
P34_WITHOUT_FIX = 50


def has_unit(content: bytes) -> bool:
    """Does the content begin with its source and an IMEI, as that of XT and NT trackers does?"""
    return (
        len(content) > _UNIT
        and 0 < content[0] < 8
        and content[1] < 16
        and content[1:9].hex().isdigit()
        and is_date(content[9:12])
    )


def read_unit(kind: int, content: bytes) -> Message:
    """Packets 22 and 25 of XT and NT trackers: source, IMEI, time, time of the fix, fix, cell,
    state with voltages, mileage, hours; and in 25 the network and what a card reader said."""
    reader = Reader(content, 9)
    sent = read_time(reader)
    message = Message(read_time(reader), content)
    if sent != message.time:
        message.device_time = sent
    read_fix(reader, message)
    cell = read_counted_cell(reader, 13)
    message.cells = [cell] if cell is not None else None
    values = message.values
    if kind == 0x25:
        values["gt06_network"] = reader.number(1, "network")
    put_information(message, reader.number(1, "terminal information"))
    values["board_voltage"] = volts(reader.number(2, "voltage"))
    values["battery_voltage"] = reader.number(1, "battery voltage") / 10
    _percentage(values, reader.number(1, "signal"))
    put_alarm(message, reader.number(1, "alarm"))
    reader.take(1, "language")
    values["hardware_mileage"] = reader.number(3, "mileage") / 1000
    values["engine_hours"] = round(reader.number(3, "minutes of running") / 60, 4)
    if reader.left > 1:
        size = reader.number(1, "length of the card")
        if size > 1:
            reader.take(1, "kind of reader")
            put_key(values, reader.take(size - 1, "card"))
    return message


def _percentage(values: dict[str, Any], level: int) -> None:
    if level <= 100:
        values["gsm_level"] = level


def read_4g_state(content: bytes) -> Message:
    """Packet A2 of LW trackers: fix, cell, state, mileage, hours, IMEI, inputs."""
    reader = Reader(content)
    message = Message(read_time(reader), content)
    read_fix(reader, message)
    message.cells = [read_cell(reader, WIDE)]
    values = message.values
    values["gt06_network"] = reader.number(1, "network")
    put_information(message, reader.number(1, "terminal information"))
    values["board_voltage"] = volts(reader.number(2, "voltage"))
    put_battery(values, reader.number(1, "battery level"))
    put_signal(values, reader.number(1, "signal"))
    put_alarm(message, reader.number(1, "alarm"))
    reader.take(1, "language")
    put_mileage(reader, message)
    values["engine_hours"] = round(reader.number(4, "seconds of running") / 3600, 4)
    reader.take(8, "IMEI")
    values["input_status"] = reader.number(2, "inputs")
    return message


def read_vehicle(content: bytes) -> Message:
    """Packet 36 of VL trackers: fix, cell, reason, mileage, voltages, minutes, card."""
    reader = Reader(content)
    message = Message(read_time(reader), b"")
    read_fix(reader, message)
    message.cells = [read_cell(reader, LONG_CELL)]
    again = read_reason(reader, message)
    put_mileage(reader, message)
    values = message.values
    values["board_voltage"] = volts(reader.number(2, "voltage"))
    values["battery_voltage"] = reader.number(1, "battery voltage") / 10
    values["engine_hours"] = round(reader.number(3, "minutes of running") / 60, 4)
    put_key(values, reader.take(KEY_SIZE, "card"))
    message.digest_of = content[:again] + content[again + 1 :]
    return message


def read_x1(content: bytes, offset: int) -> Message:
    """Packet 34 of X1: alarms, fix, state, mileage, cell, driver, voltages, ports, inputs, outputs,
    analog inputs."""
    reader = Reader(content)
    alarms = reader.number(4, "alarms")
    message = Message(read_time(reader, offset), content)
    read_fix(reader, message)
    values = message.values
    values["gt06_alarms"] = alarms
    values["gt06_information"] = reader.number(2, "terminal information")
    put_mileage(reader, message)
    message.cells = [read_cell(reader, LONG_CELL)]
    driver = reader.number(4, "driver")
    if driver:
        values["hardware_key"] = str(driver)
    values["board_voltage"] = volts(reader.number(2, "voltage"))
    values["battery_voltage"] = volts(reader.number(2, "battery voltage"))
    ports = reader.number(4, "ports")
    values["input_status"] = reader.number(1, "inputs")
    values["output_status"] = reader.number(1, "outputs")
    for number in range(1, (ports >> 20 & 15) + 1):
        values[f"analog_{number}"] = volts(reader.number(2, "analog input"))
    return message


def read_sr411(content: bytes) -> Message:
    """Packet 24 of SR411 trackers: fix, cell, ignition, voltages."""
    reader = Reader(content)
    message = Message(read_time(reader), content)
    read_fix(reader, message)
    message.cells = [read_cell(reader, NARROW)]
    message.values["ignition"] = reader.number(1, "ignition") != 0
    message.values["board_voltage"] = volts(reader.number(2, "voltage"))
    message.values["battery_voltage"] = volts(reader.number(2, "battery voltage"))
    return message


def read_key(content: bytes, offset: int) -> Message:
    """Packet 61: IMEI, fix, cell, iButton."""
    reader = Reader(content, 8)
    if len(content) < 8:
        raise ProtocolError("cut short: a packet without its IMEI")
    message = Message(read_time(reader, offset), content)
    read_fix(reader, message)
    message.cells = [read_cell(reader, LONG_CELL)]
    message.values["hardware_key"] = str(reader.number(6, "iButton"))
    return message


def read_state_only(kind: int, content: bytes) -> Message:
    """Packets 19 and A5: cell and state."""
    message = Message(None, b"")
    reader = Reader(content)
    message.cells = [read_cell(reader, WIDE if kind == 0xA5 else NARROW)]
    read_status(reader, message)
    return message
