"""The generic protocol: one JSON object a message, over HTTP and MQTT.

Source: Navixy Generic Protocol 1.0 to 1.2, "Message structure and attributes". Names, types,
ranges and limits are the catalog's (``ngp.json``, ``vocabulary.json``). Unlike the documented
platform this one keeps messages that come out of order or with fewer than three satellites; the
latter are marked as not valid.

A message that is not as documented raises :class:`ProtocolError`: HTTP answers 400 with its text.
Over HTTP the path and the content type do not matter; over MQTT the topic is ``ngp/{device_id}``.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import Any

import msgspec

from waypost.catalog import ngp as table
from waypost.catalog.ngp import Attribute
from waypost.catalog.vocabulary import CUSTOM, attribute, is_standard
from waypost.protocols.base import (
    Decoded,
    Device,
    Hello,
    HttpReply,
    HttpRequest,
    MqttPublish,
    Protocol,
    ProtocolError,
    Transport,
)
from waypost.telemetry.message import GNSS, LBS, Cell, Message, Wifi, utc_ms

#: Most cells, access points or custom attributes in a message.
MOST_ITEMS = 256
#: Most objects and arrays within each other.
DEEPEST = 16
#: Longest name of an attribute, characters.
LONGEST_NAME = 128
#: A fix with fewer satellites is kept, but is not a valid one.
ENOUGH_SATELLITES = 3

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-]?)(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}", re.ASCII)
_SOURCES = {"GNSS": GNSS, "LBS": LBS, "ATLAS": LBS}
_NOT_CURRENT = ("NO_FIX", "LAST_KNOWN_POSITION")

#: Root attributes that have a place of their own in a message.
_ELSEWHERE = frozenset(
    {"message_time", "device_id", "version", "location", "event_id", "mobile_cells", "wifi_points"}
)
_WORDS = {
    "boolean": "true or false",
    "integer": "a whole number",
    "float": "a number",
    "string": "text",
    "timestamp": "a time such as 2026-02-05T06:00:11Z",
    "object": "an object",
    "array": "an array",
}


class Ngp(Protocol):
    name = "ngp"
    transports = frozenset({Transport.HTTP, Transport.MQTT})
    port = table.ngp().http.port
    topics = (table.ngp().mqtt.topic.replace("{device_id}", "+"),)
    mqtt_username = table.ngp().mqtt.username
    #: A message with one of the longest blobs, and as much beside it.
    max_frame = 2 * table.ngp().limits.blob

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        post = b"POST "
        return True if start.startswith(post) else None if post.startswith(start) else False

    def decode(
        self, frame: HttpRequest | MqttPublish, device: Device | None, *, unknown: bool = False
    ) -> Decoded:
        if isinstance(frame, MqttPublish):
            message, device_id = read_message(frame.body)
            if frame.topic != table.ngp().mqtt.topic.replace("{device_id}", device_id):
                raise ProtocolError(
                    f"device_id {device_id!r} was published to topic {frame.topic[:80]!r}"
                )
            return Decoded(hello=Hello([device_id]), messages=[message])
        if frame.method != "POST":
            raise ProtocolError(f"a message is sent by POST, not {frame.method[:16]}")
        message, device_id = read_message(frame.body)
        return Decoded(
            hello=Hello([device_id]), messages=[message], reply=HttpReply(200, b"stored")
        )


def read_message(body: bytes) -> tuple[Message, str]:
    """The message that ``body`` holds, and its device. Raises :class:`ProtocolError`."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ProtocolError("a message is one JSON object")
    _check_depth(content, DEEPEST)
    root = {name: value for name, value in content.items() if value is not None}
    _require(root, "Root")
    device_id = _checked("device_id", root["device_id"], table.attributes()["device_id"])
    longest = table.ngp().limits.device_id
    if not 0 < len(device_id) <= longest:
        raise ProtocolError(f"device_id has 1 to {longest} characters, not {len(device_id)}")
    for name in ("version", "event_id", "location", "mobile_cells", "wifi_points"):
        if name in root:
            root[name] = _checked(name, root[name], table.attributes()[name])
    told = _checked("message_time", root["message_time"], table.attributes()["message_time"])
    message = Message(told, _digest_of(root), values={}, event_id=root.get("event_id"))
    for name, value in root.items():
        if name not in _ELSEWHERE:
            _put(message.values, name, value)
    if "location" in root:
        _locate(message, root["location"])
    if "mobile_cells" in root:
        message.cells = [_cell(item) for item in _items(root["mobile_cells"], "mobile_cells")]
    if "wifi_points" in root:
        message.wifi = [_wifi(item) for item in _items(root["wifi_points"], "wifi_points")]
    return message, device_id


def _check_depth(value: Any, left: int) -> None:
    if isinstance(value, dict | list):
        if not left:
            raise ProtocolError(f"more than {DEEPEST} objects and arrays within each other")
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)


def _digest_of(root: dict[str, Any]) -> bytes:
    """What the message reports, however it is written: without the envelope."""
    report = {
        name: value
        for name, value in root.items()
        if name not in ("message_time", "device_id", "version")
    }
    try:
        return msgspec.json.encode(report, order="sorted")
    except UnicodeError as error:
        raise ProtocolError(f"text that is not Unicode: {error}") from None


def _require(content: dict[str, Any], place: str) -> None:
    for name in _required(place):
        if name not in content:
            within = "" if place == "Root" else f" of {place}"
            raise ProtocolError(f"{name}{within} is missing")


@cache
def _required(place: str) -> tuple[str, ...]:
    return tuple(name for name, row in table.attributes(place).items() if row.required)


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    """Checks an attribute of the root and keeps it under its own name; one that has no standard
    name is kept as ``ngp_...``."""
    _check_name(name)
    if name == "custom_attributes":
        values[name] = [
            _custom(item) for item in _items(_checked(name, value, _array), "custom_attributes")
        ]
        return
    if not is_standard(name):
        values[f"ngp_{name}"] = _mixed(name, value)
        return
    row = None if name.startswith(CUSTOM) else attribute(name)
    values[name] = _mixed(name, value) if row is None else _checked(name, value, row)


def _check_name(name: str) -> None:
    if len(name) > LONGEST_NAME:
        raise ProtocolError(f"an attribute's name has more than {LONGEST_NAME} characters")


_array = Attribute("", "array")


def _checked(name: str, value: Any, row: Attribute) -> Any:
    """``value`` if it is what ``row`` says, times as milliseconds. Raises
    :class:`ProtocolError`."""
    kind = row.type
    if kind == "mixed":
        return _mixed(name, value)
    if kind == "timestamp":
        return _moment(name, value)
    if kind == "boolean":
        right = isinstance(value, bool)
    elif kind == "integer":
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        right = isinstance(value, int) and not isinstance(value, bool)
        right = right and -(1 << 63) <= value < 1 << 63
    elif kind == "float":
        right = isinstance(value, int | float) and not isinstance(value, bool)
        right = right and abs(value) < 1e300
    elif kind == "string":
        right = isinstance(value, str)
    else:
        right = isinstance(value, dict if kind == "object" else list)
    if not right:
        raise ProtocolError(f"{name} is {_WORDS[kind]}, not {_shown(value)}")
    if (row.min is not None and value < row.min) or (row.max is not None and value > row.max):
        raise ProtocolError(f"{name} is {_range(row)}, not {_shown(value)}")
    if row.enum and value not in row.enum:
        raise ProtocolError(f"{name} is one of {', '.join(row.enum)}, not {_shown(value)}")
    if kind == "string":
        _check_length(name, value, table.ngp().limits.string)
    return value


def _range(row: Attribute) -> str:
    if row.max is None:
        return f"{row.min:g} or more"
    return f"{row.max:g} or less" if row.min is None else f"{row.min:g} to {row.max:g}"


def _mixed(name: str, value: Any) -> Any:
    """Any JSON value, with texts of bounded length."""
    if isinstance(value, str):
        _check_length(name, value, table.ngp().limits.string)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _mixed(name, item)
    elif isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        raise ProtocolError(f"{name} is too large a number")
    return value


def _check_length(name: str, value: str, most: int) -> None:
    if len(value) > most or len(value.encode(errors="replace")) > most:
        raise ProtocolError(f"{name} is longer than {most} bytes")


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 40 else text[:40] + "..."


def _moment(name: str, value: Any) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ProtocolError(f"{name} is {_WORDS['timestamp']}, not {_shown(value)}")
    fraction, zone = match[7], match[8]
    try:
        moment = utc_ms(*(int(part or 0) for part in match.groups()[:6]))
    except ValueError as error:
        raise ProtocolError(f"{name} is no possible time: {_shown(value)} ({error})") from None
    if fraction:
        moment += int(fraction[:3].ljust(3, "0"))
    if zone and zone not in "Zz":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:])
        moment -= (minutes if zone[0] == "+" else -minutes) * 60_000
    return moment


def _items(array: list[Any], name: str) -> list[dict[str, Any]]:
    """The objects of an array, each with what is required."""
    if len(array) > MOST_ITEMS:
        raise ProtocolError(f"{name} has {len(array)} items; {MOST_ITEMS} are the most")
    items = []
    for item in array:
        if not isinstance(item, dict):
            raise ProtocolError(f"{name} holds objects, not {_shown(item)}")
        item = {key: value for key, value in item.items() if value is not None}
        _require(item, name)
        for key, row in table.attributes(name).items():
            if key in item and row.type != "mixed":
                item[key] = _checked(f"{name}.{key}", item[key], row)
        items.append(item)
    return items


def _cell(item: dict[str, Any]) -> Cell:
    return Cell(
        item["lac"], item["cell_id"], item["mcc"], item["mnc"], item.get("rssi"), item.get("type")
    )


def _wifi(item: dict[str, Any]) -> Wifi:
    if not _MAC.fullmatch(item["mac"]):
        raise ProtocolError(f"wifi_points.mac is six bytes in hex, not {_shown(item['mac'])}")
    digits = re.sub("[:-]", "", item["mac"]).lower()
    mac = ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    return Wifi(mac, item["rssi"], item.get("channel"), item.get("age"))


def _custom(item: dict[str, Any]) -> dict[str, Any]:
    """A custom attribute: its value may be a blob in base64."""
    value = item["value"]
    if isinstance(value, str) and len(value) > table.ngp().limits.string:
        _check_length("custom_attributes.value", value, table.ngp().limits.blob)
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ProtocolError(
                "custom_attributes.value is longer than "
                f"{table.ngp().limits.string} bytes and no blob in base64"
            ) from None
    else:
        _mixed("custom_attributes.value", value)
    return {key: item[key] for key in ("type", "id", "value", "units") if key in item}


def _locate(message: Message, given: dict[str, Any]) -> None:
    """Takes the location, whose time is the message's where it has one."""
    location: dict[str, Any] = {}
    for name, row in table.attributes("location").items():
        if given.get(name) is not None:
            location[name] = _checked(f"location.{name}", given[name], row)
    for name, value in given.items():
        if name not in table.attributes("location") and value is not None:
            _check_name(name)
            message.values[f"ngp_{name}"] = _mixed(f"location.{name}", value)
    if ("latitude" in location) != ("longitude" in location):
        raise ProtocolError("location.latitude and location.longitude go together")
    for name in ("fix_type", "vdop", "pdop"):
        if name in location:
            message.values[name] = location[name]
    if "latitude" not in location:
        return
    message.latitude = float(location["latitude"])
    message.longitude = float(location["longitude"])
    for name in ("altitude", "speed", "heading", "hdop", "satellites", "precision"):
        if name in location:
            setattr(message, name, location[name])
    source = location.get("source_type", "GNSS")
    message.source = _SOURCES[source]
    if source == "ATLAS":
        message.values["ngp_source_type"] = source
    few = message.satellites is not None and message.satellites < ENOUGH_SATELLITES
    message.valid = location.get("fix_type") not in _NOT_CURRENT and not (
        few and message.source == GNSS
    )
    fixed = location.get("gnss_time")
    if fixed is not None and fixed != message.time:
        message.device_time, message.time = message.time, fixed
