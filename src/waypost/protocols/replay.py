"""Recorded traffic through the decoders, without a socket: what ``waypost decode`` and the tests of
recorded messages stand on.

A line is a JSON object: ``protocol``, ``transport`` (``binary``: ``payload`` is hex; ``text``: one
message without its terminator; ``http``: request line, headers, empty line, body; ``mqtt``:
``PUBLISH topic``, empty line, body) and ``payload``; optional are ``body`` (``hex``: the body of
an http or mqtt payload is written so), ``model``, ``setup``, ``session`` and ``device_id``. Its
result is ``{"device_ids", "messages", "reply", "error"}``.

A device's answer to a command is shown as a message without time and location whose ``other``
holds ``answer``, unless the same frame carries messages, which then speak for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from waypost.catalog.vocabulary import is_standard
from waypost.protocols import find_protocol
from waypost.protocols.base import (
    Answer,
    Decoded,
    Device,
    Frame,
    HttpReply,
    HttpRequest,
    MqttPublish,
    Protocol,
    ProtocolError,
    Transport,
)
from waypost.telemetry.message import SOURCES, Cell, Message, Wifi, iso_time

_STREAMS = frozenset({Transport.TCP, Transport.UDP})
_TRANSPORTS = {
    "binary": _STREAMS,
    "text": _STREAMS,
    "http": frozenset({Transport.HTTP}),
    "mqtt": frozenset({Transport.MQTT}),
}


class ReplayError(Exception):
    """The line is not what it must be; the text says how."""


class Line(msgspec.Struct):
    """One line, as the module says."""

    protocol: str
    transport: str
    payload: str
    body: str | None = None
    model: str | None = None
    setup: dict[str, Any] | None = None
    session: str | int | float | bool | None = None
    device_id: str | int | None = None


_decoder = msgspec.json.Decoder(Line)


def parse_line(raw: bytes | str) -> Line:
    """A line from its JSON. Raises :class:`ReplayError`."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ReplayError(f"not a line of recorded traffic: {error}") from None


class _Session:
    """One connection: its decoder, and what is known of the device at its other end."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.device: Device | None = None
        #: ``device_id`` was given: the device does not change with what it says.
        self.known = False

    def prepare(self, line: Line) -> None:
        """What the line says of the device holds from now on."""
        if line.device_id is not None:
            self.device, self.known = Device(str(line.device_id)), True
        if line.model is None and line.setup is None:
            return
        # No id yet: what is configured must be known to the decoder all the same.
        device = self.device or Device("")
        self.device = Device(
            device.device_id,
            device.model if line.model is None else line.model,
            device.setup if line.setup is None else line.setup,
        )

    def meet(self, device_ids: list[str]) -> None:
        """The device said who it is: registered under its first id, unless it was known."""
        if self.known or not device_ids:
            return
        device = self.device
        if device is None or device.device_id not in device_ids:
            self.device = (
                msgspec.structs.replace(device, device_id=device_ids[0])
                if device is not None
                else Device(device_ids[0])
            )

    def decode(self, frame: Frame) -> Decoded:
        """Decodes, looking the device up where the decoder asks for it, as a connection does."""
        decoded = self.protocol.decode(frame, self.device)
        if decoded.hello is not None:
            self.meet(decoded.hello.device_ids)
        if decoded.needs_device:
            hello = decoded.hello
            if self.device is None:
                decoded = self.protocol.decode(frame, None, unknown=True)
            else:
                decoded = self.protocol.decode(frame, self.device)
            if decoded.hello is None:
                decoded.hello = hello
        return decoded


class Replay:
    """Recorded sessions, line by line."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, Any, str], _Session] = {}

    def feed(self, line: Line | bytes | str) -> dict[str, Any]:
        """The result of one line. Whatever is wrong with it is said in ``error``; messages read
        before that are kept."""
        result: dict[str, Any] = {"device_ids": [], "messages": [], "reply": None, "error": None}
        try:
            if not isinstance(line, Line):
                line = parse_line(line)
            session = self._session(line)
            frames, fault = _frames(session.protocol, line)
            for frame in frames:
                _add(result, session, session.decode(frame))
            if fault is not None:
                result["error"] = fault
        except (ProtocolError, ReplayError) as error:
            result["error"] = str(error) or type(error).__name__
        return result

    def _session(self, line: Line) -> _Session:
        found = find_protocol(line.protocol)
        if found is None:
            raise ReplayError(f"no protocol is named {line.protocol!r}")
        allowed = _TRANSPORTS.get(line.transport)
        if allowed is None:
            raise ReplayError(
                f"transport {line.transport!r} is none of {', '.join(sorted(_TRANSPORTS))}"
            )
        usable = allowed & found.transports
        if not usable:
            spoken = ", ".join(sorted(found.transports))
            raise ReplayError(f"{found.name} does not travel by {line.transport} but by {spoken}")
        transport = Transport.TCP if Transport.TCP in usable else min(usable)
        key = (found.name, line.session, transport)
        session = None if line.session is None else self._sessions.get(key)
        if session is None:
            session = _Session(found(transport))
            session.protocol.recorded = True
            if line.session is not None:
                self._sessions[key] = session
        session.prepare(line)
        return session


def replay(lines: Iterable[Line | bytes | str]) -> Iterator[dict[str, Any]]:
    """One result for each line."""
    player = Replay()
    for line in lines:
        yield player.feed(line)


def _frames(protocol: Protocol, line: Line) -> tuple[list[Frame], str | None]:
    """The frames of a line, and what is wrong with the bytes after them."""
    if line.transport == "text":
        return [line.payload.encode(errors="surrogatepass")], None
    if line.transport == "http":
        return [_http_request(line)], None
    if line.transport == "mqtt":
        return [_mqtt_publish(line)], None
    try:
        data = bytes.fromhex(line.payload)
    except ValueError as error:
        raise ReplayError(f"payload is not hex: {error}") from None
    buffer = bytearray(data)
    frames: list[Frame] = []
    while buffer:
        try:
            found = protocol.frames(buffer)
        except ProtocolError as error:
            if frames:
                return frames, str(error)
            raise
        if not found:
            break
        frames += found
    if not frames and data:
        # A recording may hold messages that were cut from the stream before, without what
        # marked their end there.
        return [data], None
    return frames, f"{len(buffer)} bytes follow the last frame" if buffer else None


def _split(line: Line) -> tuple[list[str], bytes]:
    """Head lines and body of an http or mqtt payload."""
    head, _, body = line.payload.replace("\r\n", "\n").partition("\n\n")
    if line.body == "hex":
        try:
            return head.split("\n"), bytes.fromhex(body)
        except ValueError as error:
            raise ReplayError(f"body is not hex: {error}") from None
    if line.body is not None:
        raise ReplayError(f"body {line.body!r} is not 'hex'")
    return head.split("\n"), body.encode(errors="surrogatepass")


def _http_request(line: Line) -> HttpRequest:
    head, body = _split(line)
    method, _, target = head[0].strip().partition(" ")
    if not method or not target:
        raise ReplayError(f"{head[0]!r} is not METHOD URI")
    headers: dict[str, str] = {}
    for text in head[1:]:
        name, colon, value = text.partition(":")
        if not colon:
            raise ReplayError(f"{text!r} is not a header line")
        headers[name.strip().lower()] = value.strip()
    return HttpRequest(method.upper(), target.strip().split(" ")[0], headers, body)


def _mqtt_publish(line: Line) -> MqttPublish:
    head, body = _split(line)
    word, _, topic = head[0].partition(" ")
    if word != "PUBLISH":
        raise ReplayError(f"{head[0]!r} is not PUBLISH topic")
    return MqttPublish(topic.strip(), body)


def _add(result: dict[str, Any], session: _Session, decoded: Decoded) -> None:
    """Takes what a frame said into the line's result."""
    if decoded.hello is not None:
        stated = result["device_ids"]
        stated += [name for name in dict.fromkeys(decoded.hello.device_ids) if name not in stated]
    device_id = (session.device.device_id or None) if session.device is not None else None
    for message in decoded.messages:
        result["messages"].append(message_object(message, device_id))
    if not decoded.messages:
        for answer in decoded.answers:
            result["messages"].append(_answer_object(answer, device_id))
    if decoded.reply is not None:
        reply = decoded.reply
        data = reply.body if isinstance(reply, HttpReply) else reply
        result["reply"] = (result["reply"] or "") + data.hex()
        if isinstance(reply, HttpReply) and reply.status >= 400:
            result["error"] = f"{reply.status} {data.decode(errors='replace')}".strip()


def message_object(message: Message, device_id: str | None) -> dict[str, Any]:
    """A message as ``waypost decode`` writes it (plain JSON values)."""
    location: dict[str, Any] | None = None
    if message.has_location:
        location = {
            "latitude": message.latitude,
            "longitude": message.longitude,
            "altitude": _plain(message.altitude),
            "speed": _plain(message.speed),
            "heading": _plain(message.heading),
            "satellites": message.satellites,
            "hdop": _plain(message.hdop),
            "valid": message.valid,
            "source": SOURCES[message.source],
        }
        if message.precision is not None:
            location["precision"] = message.precision
    values: dict[str, Any] = {}
    other: dict[str, Any] = {}
    for name, value in message.values.items():
        (values if is_standard(name) else other)[name] = _plain(value)
    return {
        "device_id": message.device_id or device_id,
        "time": iso_time(message.time),
        "device_time": iso_time(message.device_time),
        "location": location,
        "mobile_cells": [_cell_object(cell) for cell in message.cells or ()],
        "wifi_points": [_wifi_object(point) for point in message.wifi or ()],
        "event_id": message.event_id,
        "values": values,
        "other": other,
    }


def _answer_object(answer: Answer, device_id: str | None) -> dict[str, Any]:
    return message_object(Message(None, b"", values={"answer": answer.text}), device_id)


def _cell_object(cell: Cell) -> dict[str, Any]:
    return {
        "mcc": cell.mcc,
        "mnc": cell.mnc,
        "lac": cell.lac,
        "cell_id": cell.cell_id,
        "rssi": cell.rssi,
        "type": cell.type,
    }


def _wifi_object(point: Wifi) -> dict[str, Any]:
    return {"mac": point.mac, "rssi": point.rssi, "age": point.age, "channel": point.channel}


def _plain(value: Any) -> Any:
    """``value`` as JSON can carry it: bytes as hex, numbers that are none as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value
