"""Reports in binary, several in a message: records of one layout (``CCC``), and records that name
each of their parameters (``CCE``). All numbers are little-endian.

Sources: "MEITRACK T622 GPRS Protocol" V1.2, 3.45 "Setting the Data Compression Format - CCC"; the
layout of CCC 0x0102 and the parameters of CCE from recorded messages and published decoders.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.base import ProtocolError
from waypost.protocols.meitrack.events import put_event
from waypost.protocols.meitrack.text import put_signal
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Cell, Message, Wifi

#: Times count from here: 2000-01-01, seconds.
_EPOCH = 946_684_800
#: Records of CCC as every version begins them, bytes, and all of one of version 0x0102.
_COMMON, _RECORD = 44, 52


def read_fixed(content: bytes) -> list[Message]:
    """The records of a CCC message: version, size of a record, records left in the device, records.
    Raises :class:`ProtocolError`."""
    reader = Reader(content, order="little")
    version = reader.number(2, "version")
    size = reader.number(2, "size of a record")
    left = reader.number(4, "records left")
    if size < _COMMON or reader.left % size:
        raise ProtocolError(f"{reader.left} bytes are no whole records of {size} bytes")
    messages = []
    while reader.left:
        messages.append(_record(reader.take(size, "record"), version))
    for message in messages:
        message.values["meitrack_cached"] = left
    return messages


def _record(data: bytes, version: int) -> Message:
    reader = Reader(data, order="little")
    event = reader.number(1, "event")
    latitude = reader.number(4, "latitude", signed=True)
    longitude = reader.number(4, "longitude", signed=True)
    message = Message(_time(reader.number(4, "time")), data)
    put_event(message, event)
    _place(message, latitude, longitude)
    values = message.values
    message.valid = reader.number(1, "positioning status") == 1
    message.satellites = reader.number(1, "satellites")
    strength = put_signal(values, reader.number(1, "signal"))
    message.speed = float(reader.number(2, "speed"))
    message.heading = float(reader.number(2, "heading"))
    message.hdop = reader.number(2, "HDOP") / 10
    message.altitude = float(reader.number(2, "altitude", signed=True))
    values["hardware_mileage"] = reader.number(4, "mileage") / 1000
    values["meitrack_run_time"] = reader.number(4, "run time")
    mcc, mnc = reader.number(2, "MCC"), reader.number(2, "MNC")
    lac, cell_id = reader.number(2, "LAC"), reader.number(2, "cell id")
    if lac or cell_id:
        message.cells = [Cell(lac, cell_id, mcc or None, mnc if mcc else None, strength)]
    values["input_status"] = reader.number(1, "inputs")
    values["output_status"] = reader.number(1, "outputs")
    if len(data) == _RECORD:
        values["analog_1"] = reader.number(2, "analog input") / 100
        values["battery_voltage"] = reader.number(2, "battery") / 100
        values["board_voltage"] = reader.number(2, "external power") / 100
        fences = reader.number(4, "geofences")
        if fences:
            values["meitrack_geofence"] = fences
    else:
        values["meitrack_record"] = f"{version:04x}:{reader.rest().hex()}"
    return message


def _time(seconds: int) -> int:
    return (_EPOCH + seconds) * 1000


def _place(message: Message, latitude: int, longitude: int) -> None:
    if abs(latitude) > 90_000_000 or abs(longitude) > 180_000_000:
        raise ProtocolError(f"no such place: {latitude / 1e6}, {longitude / 1e6}")
    message.latitude, message.longitude = latitude / 1e6, longitude / 1e6


def read_named(content: bytes) -> list[Message]:
    """The records of a CCE message: records left in the device, number of records, records, each
    behind its length. Raises :class:`ProtocolError`."""
    reader = Reader(content, order="little")
    left = reader.number(4, "records left")
    count = reader.number(2, "number of records")
    messages = []
    for _ in range(count):
        size = reader.number(2, "length of a record")
        message = _parameters(reader.take(size, "record"))
        message.values["meitrack_cached"] = left
        messages.append(message)
    return messages


def _parameters(data: bytes) -> Message:
    """A record: its index, and parameters of one, two, four and any number of bytes, each kind
    behind its count. Numbers of parameters have one byte, or two that begin with FE."""
    reader = Reader(data, order="little")
    reader.take(2, "index")
    # Two records of one moment are two records: only the index tells them apart.
    message = Message(None, data)
    for size in (1, 2, 4):
        for _ in range(reader.number(1, "number of parameters")):
            number = _number(reader)
            raw = reader.take(size, f"parameter {number:02x}")
            _fixed_size(message, number, size, raw)
    for _ in range(reader.number(1, "number of parameters")):
        number = _number(reader)
        size = reader.number(1, f"length of parameter {number:02x}")
        value = reader.take(size, f"parameter {number:02x}")
        try:
            _any_size(message, number, Reader(value, order="little"))
        except ProtocolError:
            message.values[f"meitrack_{number:02x}"] = value.hex()
    if message.latitude is None or message.longitude is None:
        message.latitude = message.longitude = None
    else:
        _place(message, round(message.latitude), round(message.longitude))
    return message


def _number(reader: Reader) -> int:
    number = reader.number(1, "number of a parameter")
    return 0xFE00 | reader.number(1, "number of a parameter") if number == 0xFE else number


#: Parameters of fixed size that are a value: name, worth of a unit.
_VALUES: dict[int, tuple[str, float]] = {
    0x0C: ("hardware_mileage", 0.001),
    0x0D: ("meitrack_run_time", 1),
    0x14: ("output_status", 1),
    0x15: ("input_status", 1),
    0x16: ("analog_1", 0.01),
    0x17: ("analog_2", 0.01),
    0x18: ("analog_3", 0.01),
    0x19: ("battery_voltage", 0.01),
    0x1A: ("board_voltage", 0.01),
    0x1C: ("meitrack_system_flags", 1),
    0x29: ("fuel_level_1", 0.01),
    0x91: ("obd_speed", 1),
    0x97: ("obd_throttle", 1),
    0x99: ("obd_rpm", 1),
    0x9B: ("can_mileage", 0.001),
    0x9C: ("obd_coolant_t", 1),
    0x9D: ("obd_fuel", 1),
    0x9F: ("temperature_1", 1),
    0xA0: ("can_total_fuel_used", 0.001),
    0xA2: ("meitrack_fuel_consumption", 0.01),
    0xFEF4: ("engine_hours", 1 / 60),
}
#: Those that are a number of the message itself.
_FIELDS = {
    0x02: "latitude",
    0x03: "longitude",
    0x08: "speed",
    0x09: "heading",
    0x0A: "hdop",
    0x0B: "altitude",
}
_SIGNED = frozenset((0x02, 0x03, 0x0B, 0x9C, 0x9F))
_EVENT, _LONG_EVENT = 0x01, 0x40
_FENCE, _RFID, _LOCK, _LEVEL = 0x1B, 0x25, 0x47, 0xFE69


def _fixed_size(message: Message, number: int, size: int, data: bytes) -> None:
    raw = int.from_bytes(data, "little")
    amount = int.from_bytes(data, "little", signed=number in _SIGNED)
    values = message.values
    if number in (_EVENT, _LONG_EVENT):
        put_event(message, raw)
    elif number in _FIELDS:
        setattr(message, _FIELDS[number], float(amount))
    elif number == 0x04:
        message.time = _time(raw)
    elif number == 0x05:
        message.valid = raw != 0
    elif number == 0x06:
        message.satellites = raw
    elif number == 0x07:
        put_signal(values, raw)
    elif number == _RFID:
        if raw:
            values["hardware_key"] = str(raw)
    elif number == _FENCE:
        if raw:
            values["meitrack_geofence"] = raw
    elif number == _LOCK:
        if raw:
            values["meitrack_locked"] = raw == 2
    elif number == _LEVEL:
        if raw <= 100:
            values["battery_level"] = raw
    elif number in _VALUES:
        name, worth = _VALUES[number]
        values[name] = amount if worth == 1 else round(amount * worth, 4)
    else:
        values[f"meitrack_{number:02x}"] = raw


_CELLS = frozenset((0x0E, 0x0F, 0x10, 0x11, 0x12, 0x13))
_POINTS = range(0x1D, 0x26)
_TEMPERATURES = range(0x2A, 0x32)
_FILLER = 0xFF


def _any_size(message: Message, number: int, reader: Reader) -> None:
    values = message.values
    if number in _CELLS:
        _cell(message, reader)
    elif number in _POINTS:
        mac = reader.take(6, "address").hex(":")
        level = reader.number(2, "signal", signed=True)
        message.wifi = [*(message.wifi or ()), Wifi(mac, level or None)]
    elif number in _TEMPERATURES:
        reader.take(1, "label")
        warm = reader.number(2, "temperature", signed=True)
        values[f"temperature_{number - _TEMPERATURES.start + 1}"] = warm / 100
    elif number == 0x4B:
        _network(reader, values)
    elif number == 0xFE31:
        reader.take(1, "version")
        values["meitrack_alarm"] = reader.number(1, "alarm")
        if reader.left:
            values["meitrack_alarm_file"] = reader.rest().decode("ascii", "replace").strip("\0")
    elif number == 0xFE73:
        _tag(reader, values)
    elif number == 0xFEA8:
        _batteries(reader, values)
    elif number != _FILLER and set(reader.peek(reader.left)) - {_FILLER}:
        values[f"meitrack_{number:02x}"] = reader.rest().hex()


def _cell(message: Message, reader: Reader) -> None:
    """MCC, MNC, LAC, cell id, dBm."""
    mcc, mnc = reader.number(2, "MCC"), reader.number(2, "MNC")
    lac, cell_id = reader.number(2, "LAC"), reader.number(4, "cell id")
    level = reader.number(2, "signal", signed=True)
    if lac or cell_id:
        cell = Cell(lac, cell_id, mcc or None, mnc if mcc else None, level or None)
        message.cells = [*(message.cells or ()), cell]


def _network(reader: Reader, values: dict[str, Any]) -> None:
    """Version, kind, length and text of the network's technology."""
    reader.take(2, "version and kind")
    text = reader.take(reader.number(1, "length of the text"), "text")
    if text.isascii() and text:
        values["meitrack_network"] = text.decode("ascii").strip("\0")


def _tag(reader: Reader, values: dict[str, Any]) -> None:
    """A Bluetooth sensor: version, name, address, percent, degC and percent in 1/256, limits."""
    reader.take(1, "version")
    name = reader.take(reader.number(1, "length of the name"), "name")
    values["meitrack_ble_name_1"] = name.decode("utf-8", "replace")
    values["meitrack_ble_id_1"] = reader.take(6, "address").hex(":")
    values["ble_battery_level_1"] = reader.number(1, "battery")
    values["ble_temp_sensor_1"] = round(reader.number(2, "temperature", signed=True) / 256, 2)
    values["ble_humidity_1"] = round(reader.number(2, "humidity", signed=True) / 256, 2)


def _batteries(reader: Reader, values: dict[str, Any]) -> None:
    """Three batteries: whether each is there, and its percentage."""
    for number in range(1, 4):
        present, level = reader.number(1, "battery"), reader.number(1, "level")
        if present:
            values["battery_level" if number == 1 else f"battery_level_of_{number}"] = level
