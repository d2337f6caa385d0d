"""Packets that carry anything else: information (94), data of an external device (9B), answers to
commands (15, 21), vehicle data (8C).

Source: "JM-VL03 GPS Tracker Communication Protocol" V1.1.2, "Information Transfer Packet" (types
00, 04, 05, 09, 0A, 1B) and "Online Command"; types 0B, 0D, 1E and packets 8C and 9B from recorded
packets and published decoders.
"""

from __future__ import annotations

import re
from typing import Any

from waypost.protocols.base import Answer, Decoded, ProtocolError
from waypost.protocols.gt06.position import read_time
from waypost.protocols.gt06.status import volts
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Message, utc_ms

_FUEL = re.compile(
    r"!AIOIL,\d+,\d+\.\d+,(?P<warm>\d+\.\d+),[^,]+,\d{4},(?P<level>\d+\.\d+),[01],\d+,[0-9A-F]{2}"
)
_PLACE = re.compile(
    r"Current position!\s*Lat:(?P<ns>[NS])(?P<latitude>\d+\.\d+),"
    r"Lon:(?P<ew>[EW])(?P<longitude>\d+\.\d+),"
    r"Course:(?P<course>\d+(?:\.\d+)?),Speed:(?P<speed>\d+(?:\.\d+)?)(?:[Kk]m/[Hh])?,"
    r"DateTime:(?P<time>\d{4}-\d\d-\d\d +\d\d:\d\d:\d\d)"
)
_ICCID = re.compile(r"<ICCID:([0-9A-Fa-f]{18,20})")
#: How texts begin that say that a command was not carried out.
_REFUSED = re.compile(
    r"\W*(?:command\s+)?(?:error|fail|invalid|unknown|unsupported|not support)", re.I
)
#: Names of the parts of a status text.
_STATUS_NAMES = frozenset(("ALM1", "ALM2", "ALM3", "ALM4", "STA1", "DYD"))
_CUT_OFF = 2
#: A card as a reader on the serial port sends it: start, length or type, number, check, end.
_RAW_CARD = 8
_LANGUAGE = 2


def read_information(content: bytes) -> Message:
    """Packet 94 with two bytes of length. Raises :class:`ProtocolError`."""
    reader = Reader(content)
    kind = reader.number(1, "type of information")
    message = Message(None, b"")
    values = message.values
    if kind == 0x00:
        values["board_voltage"] = volts(reader.number(2, "external voltage"))
    elif kind == 0x04:
        _status(reader.rest(), values)
    elif kind == 0x05:
        _door(reader, message)
    elif kind == 0x09:
        _satellites(reader, message)
    elif kind == 0x0A:
        values["gt06_imei"] = reader.take(8, "IMEI").hex()[1:]
        values["gt06_imsi"] = reader.take(8, "IMSI").hex()[1:]
        values["gt06_iccid"] = reader.take(10, "ICCID").hex().rstrip("f")
    elif kind == 0x0B and reader.left == 1:
        values["gt06_network"] = "4G" if reader.number(1, "network") else "2G"
    elif kind == 0x0B and reader.left == 2:
        values["board_voltage"] = volts(reader.number(2, "external voltage"))
    elif kind == 0x0D:
        _fuel(reader, message)
    elif kind == 0x1B:
        _card(reader.rest(), values)
    elif kind == 0x1E and reader.left >= 8:
        values["temperature_1"] = reader.number(4, "temperature", signed=True) / 10
        values["humidity_1"] = reader.number(4, "humidity", signed=True) / 10
    else:
        values[f"gt06_information_{kind:02x}"] = reader.rest().hex()
    return message


def read_short_information(content: bytes) -> Message:
    """Packet 94 with one byte of length: the external voltage."""
    raw = Reader(content).number(2, "external voltage")
    return Message(None, b"", values={"board_voltage": volts(raw)})


def _status(data: bytes, values: dict[str, Any]) -> None:
    """``ALM1=FF;STA1=C0;DYD=01;SOS=...``: alarms that are switched on, state, relay."""
    for part in data.decode("ascii", "replace").strip("\0").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            continue
        if name in _STATUS_NAMES and re.fullmatch("[0-9A-Fa-f]{1,2}", value):
            number = int(value, 16)
            values[f"gt06_{name.lower()}"] = number
            if name == "DYD":
                values["output_status"] = int(bool(number & _CUT_OFF))
        elif value.strip(","):
            values[f"gt06_{re.sub('[^a-z0-9]', '', name.lower())[:16] or 'text'}"] = value


def _door(reader: Reader, message: Message) -> None:
    """Door and port, with the time in newer trackers."""
    if reader.left >= 7:
        message.time = read_time(reader)
    flags = reader.number(1, "door")
    message.values["door_state_1"] = flags & 1
    message.values["input_status"] = flags >> 2 & 1


def _satellites(reader: Reader, message: Message) -> None:
    """State of the receiver, signals of the satellites in use, and of those in view."""
    message.values["gt06_receiver"] = reader.number(1, "receiver")
    count = reader.number(1, "satellites in use")
    message.satellites = count
    message.values["gt06_satellite_signals"] = list(reader.take(count, "signals"))
    if reader.left:
        message.values["gt06_satellites_in_view"] = reader.number(1, "satellites in view")


def _fuel(reader: Reader, message: Message) -> None:
    """A text of an ultrasonic fuel sensor, behind the time in some trackers."""
    if reader.left > 6 and reader.peek(1) != b"!":
        message.time = read_time(reader)
    text = reader.rest().decode("ascii", "replace").strip("\r\n\0 ")
    found = _FUEL.fullmatch(text)
    if found is None:
        message.values["gt06_fuel_sensor"] = text
        return
    message.values["fuel_level_1"] = float(found["level"])
    message.values["fuel_temperature_1"] = float(found["warm"])


def _card(data: bytes, values: dict[str, Any]) -> None:
    """``RFID:008FB2BEBA39``, or the bytes of the reader itself."""
    text = data.strip(b"\r\n\0 ")
    if text[:1].isalpha() and text.isascii():
        name, colon, number = text.decode("ascii").partition(":")
        values["hardware_key"] = number if colon and number else name
    elif len(data) == _RAW_CARD:
        values["hardware_key"] = data[2:6].hex()
    elif data:
        values["hardware_key"] = data.hex()


def read_serial(content: bytes) -> Message:
    """Packet 9B: what an external device said, as text where it is text."""
    reader = Reader(content)
    values: dict[str, Any] = {"gt06_external_device": reader.number(1, "external device")}
    data = reader.rest()
    printable = all(32 <= byte < 127 or byte in b"\r\n\t" for byte in data)
    values["gt06_external_data"] = data.decode("ascii").strip() if printable else data.hex()
    return Message(None, b"", values=values)


def read_answer(content: bytes, ahead: int = 0) -> Decoded:
    """Packet 15: length (0: all of it), server flag, text, language. ``ahead``: ms that the clock
    of the device is ahead of UTC."""
    reader = Reader(content)
    size = reader.number(1, "length of the answer")
    if size == 0:
        size = max(reader.left - _LANGUAGE, 0)
    if size < 4:
        raise ProtocolError(f"an answer of {size} bytes has no room for its server flag")
    flag = reader.number(4, "server flag")
    # The length has one byte, and some texts are cut.
    data = reader.take(min(size - 4, reader.left), "answer")
    text = data.decode("ascii", "replace").strip("\r\n\0 ")
    iccid = _ICCID.match(text)
    if iccid is not None:
        return Decoded(messages=[Message(None, b"", values={"gt06_iccid": iccid[1]})])
    return _answer(flag, text, content, ahead)


def read_long_answer(content: bytes, ahead: int = 0) -> Decoded:
    """Packet 21: server flag, encoding (1 ASCII, 2 UTF-16), text. ``ahead`` as above."""
    reader = Reader(content)
    flag = reader.number(4, "server flag")
    coded = reader.number(1, "encoding")
    data = reader.rest()
    text = data.decode("ascii" if coded == 1 else "utf-16-be", "replace").strip("\r\n\0 ")
    return _answer(flag, text, content, ahead)


def _answer(flag: int, text: str, raw: bytes, ahead: int) -> Decoded:
    key = f"{flag:08x}" if flag else None
    decoded = Decoded(answers=[Answer(text, key, ok=_REFUSED.match(text) is None, raw=raw)])
    place = _PLACE.match(text)
    if place is not None:
        decoded.messages = [_place(place, text, ahead)]
    return decoded


def _place(place: re.Match[str], text: str, ahead: int) -> Message:
    """The position that an answer states."""
    numbers = [int(part) for part in re.findall(r"\d+", place["time"])]
    latitude, longitude = float(place["latitude"]), float(place["longitude"])
    if latitude > 90 or longitude > 180:
        raise ProtocolError(f"no such place: {latitude}, {longitude}")
    try:
        time = utc_ms(*numbers) - ahead
    except ValueError:
        raise ProtocolError(f"no such time: {place['time']}") from None
    return Message(
        time,
        text.encode(),
        latitude=-latitude if place["ns"] == "S" else latitude,
        longitude=-longitude if place["ew"] == "W" else longitude,
        heading=float(place["course"]),
        speed=float(place["speed"]),
        event_id=401,
    )


#: Items of packet 8C: number -> name, worth of a unit.
_VEHICLE = {
    0x28: ("hardware_mileage", 0.01),
    0x2B: ("obd_fuel", 0.01),
    0x2D: ("obd_coolant_t", 0.01),
    0x35: ("obd_speed", 0.01),
    0x36: ("obd_rpm", 0.01),
    0x47: ("obd_consumption", 0.01),
    0x49: ("engine_hours", 0.01),
}
_VIN = 0x4A
#: Satellites, place, speed, and course behind the text of packet 8C.
_AFTER_TEXT = 12


def read_vehicle_data(content: bytes) -> Message:
    """Packet 8C: time, ignition, ``283=00000000,363=000028ac``... (the first two digits are the
    item's number), and the last fix, which is not repeated here."""
    reader = Reader(content)
    message = Message(read_time(reader), content)
    values = message.values
    values["ignition"] = reader.number(1, "ignition") != 0
    data = reader.rest()
    text = data[: max(len(data) - _AFTER_TEXT, 0)].decode("ascii", "replace")
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        if not equals or not re.fullmatch("[0-9A-Fa-f]{2,4}", name):
            continue
        item = int(name[:2], 16)
        if item == _VIN:
            values["vin"] = value
        elif re.fullmatch("[0-9A-Fa-f]{1,8}", value):
            if item in _VEHICLE:
                known, worth = _VEHICLE[item]
                values[known] = round(int(value, 16) * worth, 4)
            else:
                values[f"gt06_obd_{item:02x}"] = int(value, 16)
    return message
