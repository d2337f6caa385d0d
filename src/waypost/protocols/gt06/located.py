"""Packets with a fix: positions (12, 22, A0 ...) and alarms (16, 26, 27, A4 ...).

All begin with time and fix; the serving cell follows, and then, by kind: whether the ignition is
on, why the fix was sent and whether it was buffered, mileage in metres; or the device's state and a
geofence. What a clone adds is told by the length of what it sends. Packets that the maker's table
marks "(UTC)" are so; in the older ones (10, 11, 12, 16, 17, 1A, 1E) time is that of the zone which
the log-in named.

Sources: "JM-VL03 GPS Tracker Communication Protocol" V1.1.2, "Protocol Numbers" and the packets'
own sections; "GT06 GPS Tracker Communication Protocol" v1.8.1, 5.2 and 5.3. Clones are in no public
document: their fields were taken from recorded packets and published decoders.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from waypost.protocols.gt06.position import (
    LONG_CELL,
    LONG_CODES,
    NARROW,
    WIDE,
    read_cell,
    read_counted_cell,
    read_fix,
    read_time,
)
from waypost.protocols.gt06.status import read_status, volts
from waypost.protocols.reader import Reader
from waypost.telemetry.message import Message


class Kind(NamedTuple):
    """What follows a packet's fix: ``plain``, ``wide`` or ``counted`` cell or none, the device's
    state, a geofence. ``local``: its time is not UTC."""

    cell: str = "plain"
    local: bool = False
    status: bool = False
    fence: bool = False


KINDS = {
    0x10: Kind("", local=True),
    0x11: Kind("long", local=True),
    0x12: Kind(local=True),
    0x16: Kind("counted", local=True, status=True),
    0x17: Kind(local=True),
    0x1A: Kind("", local=True),
    0x1E: Kind("", local=True),
    0x22: Kind(),
    0x26: Kind("counted", status=True),
    0x27: Kind("counted", status=True, fence=True),
    0x2D: Kind(),
    0x31: Kind(),
    0x32: Kind("counted", status=True),
    0x37: Kind(),
    0xA0: Kind("wide"),
    0xA3: Kind("counted", status=True),
    0xA4: Kind("counted", status=True, fence=True),
}
#: Content lengths of clones' packets: what ``cell`` is in them.
_CLONES = {
    (0x16, 31): "plain",
    (0x22, 42): "long_cell",
    (0x31, 37): "long_codes",
    (0x32, 34): "sl",
    (0x32, 36): "sl",
}
_WIDTHS = {
    "plain": NARROW,
    "wide": WIDE,
    "long": LONG_CODES,
    "long_cell": LONG_CELL,
    "long_codes": LONG_CODES,
}
#: "Data Upload Mode" -> event.
_MODES = {0: 403, 1: 404, 2: 405, 4: 407, 8: 15, 0x0E: 403}
_MODE_ACC = 3
_NO_FENCE = 0xFF
#: Bytes of a card's or key's number.
KEY_SIZE = 8
#: Content length of packet 12 in trackers that put their IMEI before it.
_WITH_IMEI = 34


def read_located(kind: int, content: bytes, offset: int) -> Message:
    """The message of a packet of :data:`KINDS`; ``offset``: ms that the device's clock is ahead of
    UTC. Raises :class:`ProtocolError`."""
    form = KINDS[kind]
    reader = Reader(content)
    if kind == 0x12 and len(content) == _WITH_IMEI and not is_date(content):
        reader.take(8, "IMEI")
    start = reader.at
    message = Message(read_time(reader, offset if form.local else 0), b"")
    read_fix(reader, message)
    cell = _CLONES.get((kind, len(content)), form.cell)
    tail = 0
    if cell in ("counted", "sl"):
        tail = 5 + form.fence
        found = read_counted_cell(reader, tail, cell)
        message.cells = [found] if found is not None else None
    elif cell and reader.left >= _WIDTHS[cell].total:
        message.cells = [read_cell(reader, _WIDTHS[cell])]
    again = None
    if form.status:
        read_status(reader, message, in_volts=cell == "plain")
        if form.fence:
            _fence(reader, message)
        if kind == 0x32 and reader.left == 2:
            message.altitude = float(reader.number(2, "altitude", signed=True))
        put_mileage(reader, message)
    elif kind == 0x17:
        put_key(message.values, reader.take(KEY_SIZE, "card"))
    else:
        again = _tail(kind, reader, message)
    # A fix that was buffered is the same fix.
    message.digest_of = (
        content[start:] if again is None else content[start:again] + content[again + 1 :]
    )
    return message


def is_date(content: bytes) -> bool:
    return len(content) >= 3 and 1 <= content[1] <= 12 and 1 <= content[2] <= 31


def _tail(kind: int, reader: Reader, message: Message) -> int | None:
    """What stands behind the cell of a position; where the sign lies that it was buffered."""
    if kind == 0x12 and _clone(reader, message):
        return None
    if kind == 0x11 or kind in (0x1A, 0x10, 0x1E):
        return None
    again = None
    if reader.left in (3, 7) or (reader.left > 3 and kind in (0x22, 0x2D, 0x31, 0x37, 0xA0)):
        again = read_reason(reader, message)
    if kind == 0x37:
        _module(reader, message)
    elif kind == 0x31 and reader.left in (2, 6):
        put_mileage(reader, message)
        message.altitude = float(reader.number(2, "altitude", signed=True))
    elif kind == 0x22 and reader.left == 12:
        put_mileage(reader, message)
        message.values["gt06_travel_time"] = reader.number(4, "travel time")
        message.values["temperature_1"] = _sign_and_size(reader.number(2, "temperature")) / 100
        message.values["humidity_1"] = reader.number(2, "humidity") / 100
    else:
        put_mileage(reader, message)
    return again


def read_reason(reader: Reader, message: Message) -> int:
    """Ignition, why the fix was sent, and whether it was buffered; where the last lies."""
    ignition = reader.number(1, "ignition") != 0
    message.values["ignition"] = ignition
    mode = reader.number(1, "upload mode")
    message.values["gt06_upload_mode"] = mode
    if mode == _MODE_ACC:
        message.event_id = 605 if ignition else 604
    else:
        message.event_id = _MODES.get(mode, 401)
    message.buffered = reader.number(1, "re-upload") != 0
    return reader.at - 1


def put_mileage(reader: Reader, message: Message) -> None:
    if reader.left >= 4:
        message.values["hardware_mileage"] = reader.number(4, "mileage") / 1000


def _fence(reader: Reader, message: Message) -> None:
    if reader.left:
        fence = reader.number(1, "geofence")
        if fence != _NO_FENCE:
            message.values["gt06_geofence"] = fence


def put_key(values: dict[str, Any], key: bytes) -> None:
    if any(key):
        values["hardware_key"] = key.hex()


def _sign_and_size(raw: int, sign: int = 0x8000) -> int:
    return -(raw & (sign - 1)) if raw & sign else raw


def _clone(reader: Reader, message: Message) -> bool:
    """What clones add to packet 12, told by its length; False: nothing of theirs."""
    left, values = reader.left, message.values
    rest = reader.peek(left)
    if left == 2:
        _benway(reader.number(2, "inputs"), values)
    elif left == 5:
        read_status(reader, message, in_volts=True)
    elif (
        left > 7
        and rest[4]
        and left in (7 + rest[4], 9 + rest[4])
        and rest[5 : 5 + rest[4]].isascii()
    ):
        put_mileage(reader, message)
        card = reader.take(reader.number(1, "length of the card"), "card")
        text = card.decode("ascii").strip("\0 ")
        if text.strip("0"):
            values["hardware_key"] = text
        elif text:
            values["gt06_card"] = text
        _card_alarm(reader, values)
    elif left == 12:
        read_status(reader, message, in_volts=True)
        values["gt06_oil"] = reader.number(2, "oil")
        values["temperature_1"] = _sign_and_size(reader.number(1, "temperature"), 0x80)
        values["hardware_mileage"] = reader.number(4, "mileage") / 100
    else:
        return False
    return True


def _card_alarm(reader: Reader, values: dict[str, Any]) -> None:
    """What follows a card's number: alarm, whether it was swiped, and the driving time."""
    values["gt06_card_alarm"] = reader.number(1, "alarm")
    values["gt06_card_status"] = reader.number(1, "card status")
    if reader.left == 2:
        values["gt06_driving_time"] = reader.number(2, "driving time")


def _benway(mask: int, values: dict[str, Any]) -> None:
    """Two inputs and a temperature or an analog input in ten bits."""
    values["ignition"] = bool(mask & 0x8000)
    values["input_status"] = (mask >> 15 & 1) | (mask >> 13 & 2)
    if mask & 0x1000:
        values["temperature_1"] = _sign_and_size(mask & 0x3FF, 0x200)
    elif mask & 0x2000:
        values["analog_1"] = mask & 0x3FF
    else:
        values["analog_1"] = (mask & 0x3FF) / 10


def _module(reader: Reader, message: Message) -> None:
    """A module at the end of packet 37: number, length, value."""
    if reader.left < 3:
        return
    module = reader.number(2, "module")
    value = reader.take(reader.number(1, "length of the module"), "module")
    number = int.from_bytes(value, "big")
    if module == 0x27 and len(value) == 2:
        message.values["board_voltage"] = volts(number)
    elif module == 0x2E and len(value) == 4:
        message.values["hardware_mileage"] = number / 1000
    elif module == 0x3B and len(value) == 2:
        message.precision = round(number / 100)
    else:
        message.values[f"gt06_module_{module:02x}"] = value.hex()
