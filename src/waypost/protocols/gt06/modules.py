"""Packets that are built of modules or hold lists of equipment: 70 (positions of AT and LL
trackers), F2 (peripherals), 95 (alarms with files), 32 and 33 of AZ735, 38.

In no public document: taken from recorded packets and published decoders.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.gt06.position import (
    NARROW,
    WIDE,
    Fix,
    put_place,
    read_cell,
    read_fix,
    read_network,
    read_time,
)
from waypost.protocols.gt06.status import put_signal, volts
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Cell, Message, Wifi

#: Event of module 34 -> event of the generic protocol.
_EVENTS = {
    0x10: 109,
    0x12: 103,
    0x14: 409,
    0x15: 410,
    0x1A: 1,
    0x1B: 224,
    0x1C: 15,
    0x1D: 14,
    0x20: 113,
    0x21: 2,
    0x23: 106,
}
_NO_MEASURE = 0x7FFF
_TAG = 14
_FIX = 18


def read_modules(content: bytes) -> Message:
    """Packet 70: modules of number (2 bytes), length (2) and value. Raises
    :class:`ProtocolError`."""
    message = Message(None, content)
    reader = Reader(content)
    sent = None
    while reader.left > 3:
        module = reader.number(2, "module")
        size = reader.number(2, "length of a module")
        value = Reader(reader.take(size, f"module {module:02x}"))
        if module == 0x2C and size == 4:
            sent = value.number(4, "time") * 1000
        elif module == 0x33 and size >= _FIX:
            _fix(value, message)
        else:
            _module(module, size, value, message)
    if message.time is None:
        message.time = sent
    return message


def _fix(reader: Reader, message: Message) -> None:
    message.time = reader.number(4, "time") * 1000
    message.satellites = reader.number(1, "satellites")
    message.altitude = float(reader.number(2, "altitude", signed=True))
    latitude, longitude = reader.number(4, "latitude"), reader.number(4, "longitude")
    speed = reader.number(1, "speed")
    put_place(message, latitude, longitude, reader.number(2, "course"))
    if message.latitude is not None:
        message.speed = float(speed)


def _module(module: int, size: int, reader: Reader, message: Message) -> None:
    values = message.values
    number = int.from_bytes(reader.peek(size), "big")
    if module == 0x09 and size == 1:
        if message.satellites is None:
            message.satellites = number
    elif module == 0x28 and size == 1:
        message.hdop = number / 10
    elif module == 0x11 and size >= 10:
        _cell(reader, message)
    elif module == 0x18 and size == 2:
        values["battery_voltage"] = volts(number)
    elif module == 0x2E and size == 4:
        values["hardware_mileage"] = number / 1000
    elif module == 0x2A and size == 1:
        values["door_state_1"] = int(number & 15 > 0)
        values["gt06_tampered"] = number > 15
    elif module == 0x34 and size >= 5:
        values["gt06_event"] = reader.number(1, "event")
        message.event_id = _EVENTS.get(values["gt06_event"])
    elif module == 0x7F and size == _TAG:
        _tag(reader, values)
    elif module == 0x03 and size == 10:
        values["gt06_iccid"] = reader.rest().hex().rstrip("f")
    elif module in (0x01, 0x02) and size == 8:
        values["gt06_imei" if module == 1 else "gt06_imsi"] = reader.rest().hex()[1:]
    elif module in _NUMBERS and size <= 4:
        values[_NUMBERS[module]] = number
    else:
        values[f"gt06_module_{module:02x}"] = reader.rest().hex()


#: Modules that are a number without a unit.
_NUMBERS = {0x0A: "gt06_satellites_in_view", 0x29: "gt06_index", 0x2B: "gt06_boot_reason"}


def _cell(reader: Reader, message: Message) -> None:
    """MCC, MNC (2 bytes), LAC, cell, signal."""
    mcc, mnc = reader.number(2, "MCC"), reader.number(2, "MNC")
    lac, cell_id = reader.number(2, "LAC"), reader.number(3, "cell id")
    level = reader.number(1, "signal")
    if cell_id:
        known = (mcc, mnc) if mcc else (None, None)
        message.cells = [Cell(lac, cell_id, *known)]
        message.values["gt06_signal"] = level


def _tag(reader: Reader, values: dict[str, Any]) -> None:
    """A Bluetooth tag: address, mV, percent, tenths of degC, tenths of percent, state."""
    values["gt06_ble_id_1"] = reader.take(6, "address").hex(":")
    battery = reader.number(2, "battery")
    if battery != _NO_MEASURE:
        values["ble_battery_voltage_1"] = battery / 1000
    values["ble_battery_level_1"] = min(reader.number(1, "battery level"), 100)
    for name, what in (("ble_temp_sensor_1", "temperature"), ("ble_humidity_1", "humidity")):
        raw = reader.number(2, what, signed=True)
        if raw != _NO_MEASURE:
            values[name] = raw / 10
    values["gt06_ble_state_1"] = reader.number(1, "state")


def read_peripherals(content: bytes) -> Message:
    """Packet F2: time, then items of number (2 bytes), length (1; 2 where it begins with 0, and
    in item 0A) and value."""
    reader = Reader(content)
    message = Message(reader.number(4, "time") * 1000, content)
    values = message.values
    while reader.left > 2:
        item = reader.number(2, "item")
        wide = item == 0x0A
        size = reader.number(2 if wide else 1, "length of an item")
        if size == 0 and not wide:
            size = reader.number(1, "length of an item")
        value = Reader(reader.take(size, f"item {item:02x}"))
        if item == 0x0A and size >= 10:
            _button(value, values)
        elif item == 0x0C and size >= 4:
            values["gt06_external_battery_level"] = value.number(1, "level")
            values["gt06_external_battery_charging"] = value.number(1, "charging") != 0
            values["gt06_external_battery_cycles"] = value.number(2, "cycles")
        else:
            values[f"gt06_item_{item:02x}"] = value.rest().hex()
    return message


def _button(reader: Reader, values: dict[str, Any]) -> None:
    reader.take(1, "kind of address")
    values["gt06_ble_id_1"] = reader.take(6, "address").hex(":")
    values["gt06_ble_event_1"] = reader.number(1, "event")
    values["gt06_ble_event_data_1"] = reader.number(1, "event's data")
    reader.take(1, "kind of data")
    data = reader.rest()
    printable = all(32 <= byte < 127 for byte in data)
    values["gt06_ble_data_1"] = data.decode("ascii") if printable else data.hex()


#: Alarm of packet 95 -> event.
_FILE_EVENTS = {
    0x01: 202,
    0x0E: 1,
    0x80: 113,
    0x87: 224,
    0x88: 2,
    0x90: 240,
    0x91: 241,
    0x92: 239,
    0x93: 242,
}
_MARK = b"\xff\xff"
_SHORT_FIX = Fix(speed=0, satellites=False)
_LONG_FIX = Fix(speed=2, course_first=True)


def read_file_alarm(content: bytes) -> Message:
    """Packet 95 of cameras: time, a fix (JC400: behind FFFF and a version, with the supply's
    voltage), alarm, its data, names of files."""
    reader = Reader(content)
    marked = reader.peek(2) == _MARK
    if marked:
        reader.take(3, "mark and version")
    message = Message(read_time(reader), content)
    values = message.values
    if marked:
        read_fix(reader, message, _LONG_FIX)
        values["board_voltage"] = reader.number(2, "voltage") / 10
    elif reader.left > 2:
        read_fix(reader, message, _SHORT_FIX)
    alarm = reader.number(1, "alarm")
    values["gt06_alarm"] = alarm
    # Without a fix (JC100) 1 is any alarm.
    message.event_id = _FILE_EVENTS.get(alarm) if alarm != 1 or message.has_location else None
    if reader.left >= 2:
        values["gt06_alarm_data"] = reader.number(2, "alarm's data")
    if reader.left:
        values["gt06_files"] = reader.rest().decode("ascii", "replace").strip("\0")
    return message


_AZ_STATES = {0xA2: 1, 0xA3: 1, 0xA5: 109}
_AZ_ARMED, _AZ_DISARMED = 0xA0, 0xA1


def read_az735(kind: int, content: bytes, offset: int) -> Message:
    """Packets 32 and 33 with two bytes of length: time, and behind their lengths fix, serving cell,
    neighbours, access points; state; more."""
    reader = Reader(content)
    message = Message(read_time(reader, offset), content)
    fix = _part(reader, "fix")
    if fix.left:
        read_fix(fix, message)
    serving = _part(reader, "cell")
    neighbours = _part(reader, "neighbours")
    points = _part(reader, "access points")
    cells = []
    if serving.left:
        mcc, mnc = read_network(serving, NARROW)
        for part in (serving, neighbours):
            while part.left >= 6:
                lac, cell_id = part.number(2, "LAC"), part.number(3, "cell id")
                level = part.number(1, "signal")
                if lac:
                    cells.append(Cell(lac, cell_id, mcc, mnc, -level if level else None))
    message.cells = cells or None
    found = []
    while points.left >= 7:
        mac = points.take(6, "address").hex(":")
        found.append(Wifi(mac, -points.number(1, "signal")))
    message.wifi = found or None
    state = reader.number(1, "state")
    message.values["gt06_state"] = state
    if kind == 0x33:
        message.event_id = _AZ_STATES.get(state)
        if state in (_AZ_ARMED, _AZ_DISARMED):
            message.values["gt06_armed"] = state == _AZ_ARMED
    return message


def _part(reader: Reader, what: str) -> Reader:
    return Reader(reader.take(reader.number(1, f"length of {what}"), what))


#: Network of packet 38 from which on codes are wide.
_WIDE_NETWORK = 3


def read_extended(content: bytes) -> Message:
    """Packet 38 with two bytes of length: fix, reason, network, cell, signal."""
    reader = Reader(content)
    message = Message(read_time(reader), content)
    read_fix(reader, message)
    message.values["gt06_upload_mode"] = reader.number(1, "upload mode")
    message.buffered = reader.number(1, "re-upload") != 0
    again = reader.at - 1
    message.digest_of = content[:again] + content[again + 1 :]
    network = reader.number(1, "network")
    message.cells = [read_cell(reader, WIDE if network >= _WIDE_NETWORK else NARROW)]
    if network < _WIDE_NETWORK and reader.left:
        put_signal(message.values, reader.number(1, "signal"))
    return message
