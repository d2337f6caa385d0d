"""WondeX trackers of Wonde Proud (TT1, SPT100, VT10, VT200, VT300) over TCP and UDP.

Specified in the WondeX VT10 (1.04), SPT100 (1.06) and VT300 (1.01) Protocol Documents; what stands
here was taken from recorded packets and published decoders and servers. A position is a line:
device id, UTC time, longitude, latitude, km/h, heading, altitude, satellites, event id, and then
what the device was set to add: mileage in km, inputs, analog inputs in V, outputs. Positions have
no acknowledgement; a keep-alive (``D0D7``, sequence, device id, little-endian) is echoed.
"""

from __future__ import annotations

import re
from typing import Any

from waypost.protocols.base import (
    Answer,
    Command,
    CommandError,
    Decoded,
    Device,
    Encoded,
    Hello,
    ProtocolError,
    Text,
    Transport,
)
from waypost.protocols.told import Telling
from waypost.protocols.wondex import instructions
from waypost.telemetry.message import Cell, Message, utc_ms

#: The first bytes of keep-alives, by family of devices.
_KEEP_ALIVES = (b"\xd0\xd7", b"\xfa\xf8")
_KEEP_ALIVE_SIZE = 8

_POSITION = re.compile(
    r"[^0-9]{0,16}([0-9]{1,20}),([0-9]{14}),(-?[0-9]{1,3}\.[0-9]+),(-?[0-9]{1,2}\.[0-9]+),"
    r"([0-9]{1,4}(?:\.[0-9]+)?),([0-9]{1,3}(?:\.[0-9]+)?),(-?[0-9]{1,6}(?:\.[0-9]*)?),"
    r"([0-9]{1,3}),([0-9]{1,5})(?:,(.*))?",
    re.ASCII,
)
_POSITION_BEGUN = re.compile(rb"[0-9]{1,20}(?:,(?:[0-9]{0,13}|[0-9]{14}(?:,(?:-[0-9]*)?)?))?")
_POSITION_SEEN = re.compile(rb"[0-9]{4,20},[0-9]{14},-?[0-9]")
_ANSWER = re.compile(r"\$(OK|ERR|MSG):([^=]*)(?:=(.*))?", re.DOTALL)
_ANSWERS = (b"$OK:", b"$ERR:", b"$MSG:")
#: Device, time, network, and area and cell of each mast. The form of the last field is not
#: published: what has another is kept as the answer that it is.
_CELLS = re.compile(r"([0-9]{1,20}),([0-9]{14}),([0-9]{3})([0-9]{2,3})((?:[0-9A-Fa-f]{8}){1,7})")
_COMMAND = re.compile(r"\$WP\+([0-9A-Za-z]+(?:\+[0-9A-Za-z]+)?)(?:=|$)")

_BATTERY = re.compile(r"([0-9]{1,3}\.[0-9]+)V")
_INTEGER = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}\.[0-9]+")

#: Ordinary tracking; the other event ids are what their owner made of them.
_EVENTS = {2: 401}
#: No analog input of these devices measures more, V; a larger number is a sensor's own unit.
_MOST_VOLTS = 50


class Wondex(Telling):
    name = "wondex"
    port = 5008
    max_frame = 2048
    commands = True
    tells = instructions.TELLS
    profiles = instructions.PROFILES

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        if start[:2] in _KEEP_ALIVES or start.startswith(_ANSWERS):
            return True
        if _POSITION_SEEN.match(start):
            return True
        begun = any(word.startswith(start) for word in (*_ANSWERS, *_KEEP_ALIVES))
        return None if begun or _POSITION_BEGUN.fullmatch(start) else False

    def frames(self, buffer: bytearray) -> list[bytes]:
        found: list[bytes] = []
        at, end = 0, len(buffer)
        while at < end:
            if buffer[at] in b"\r\n\0":
                at += 1
            elif buffer.startswith(_KEEP_ALIVES, at):
                if end - at < _KEEP_ALIVE_SIZE:
                    break
                found.append(bytes(buffer[at : at + _KEEP_ALIVE_SIZE]))
                at += _KEEP_ALIVE_SIZE
            else:
                stop = buffer.find(b"\n", at)
                if (stop if stop >= 0 else end) - at > self.max_frame:
                    if found:
                        break
                    raise ProtocolError(f"a line of more than {self.max_frame} bytes")
                if stop < 0:
                    if self.transport is not Transport.UDP:
                        break
                    stop = end  # a datagram is whole
                found.append(bytes(buffer[at:stop]).rstrip(b"\r"))
                at = min(stop + 1, end)
        del buffer[:at]
        return found

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        if frame[:2] in _KEEP_ALIVES:
            if len(frame) != _KEEP_ALIVE_SIZE:
                raise ProtocolError(f"a keep-alive of {len(frame)} bytes; it has 8")
            unit = int.from_bytes(frame[4:], "little")
            return Decoded(hello=Hello([str(unit)]), reply=frame)
        try:
            line = frame.decode("ascii").strip("\r\n\0 ")
        except UnicodeDecodeError:
            raise ProtocolError(
                f"neither a line of text nor a keep-alive: {frame[:8].hex()}"
            ) from None
        answer = _ANSWER.fullmatch(line)
        if answer is not None:
            cells = _CELLS.fullmatch(answer[3] or "") if answer[2] == "GBLAC" else None
            if cells is not None:
                return _network(line, cells)
            key = answer[2] if answer[1] != "MSG" else None
            return Decoded(answers=[Answer(line, key or None, answer[1] != "ERR", frame)])
        return _position(line)

    def encode(self, command: Command, device: Device) -> Encoded:
        """``$WP+VER=0000,?`` or ``$WP+VER+TAG=0000,?``; the answer repeats name and tag."""
        if command.kind == "hex":
            return Encoded(command.payload)
        text = command.text.strip("\r\n")
        if not text or not text.isprintable() or not text.isascii():
            raise CommandError("a command is one line of ASCII, such as $WP+VER=0000,?")
        name = _COMMAND.match(text)
        return Encoded(text.encode() + b"\r\n", key=name[1] if name else None)

    def instructions(self, command: Command, device: Device) -> list[Text]:
        if command.kind == "tracking":
            return instructions.tracking(command, device, self.transport)
        return super().instructions(command, device)


def _network(line: str, match: re.Match[str]) -> Decoded:
    """The cells around, which the device was asked for."""
    unit, time, mcc, mnc, pairs = match.groups()
    cells = [
        Cell(int(pairs[at : at + 4], 16), int(pairs[at + 4 : at + 8], 16), int(mcc), int(mnc))
        for at in range(0, len(pairs), 8)
    ]
    message = Message(_moment(time), line.encode(), cells=cells)
    return Decoded(Hello([unit]), [message], [Answer(line, "GBLAC", True, line.encode())])


def _moment(time: str) -> int | None:
    """ms UTC; None for zeros: no fix since it started. Raises :class:`ProtocolError`."""
    try:
        if int(time):
            return utc_ms(int(time[:4]), *(int(time[at : at + 2]) for at in range(4, 14, 2)))
    except ValueError as error:
        raise ProtocolError(f"no such time: {time} ({error})") from None
    return None


def _position(line: str) -> Decoded:
    match = _POSITION.fullmatch(line)
    if match is None:
        raise ProtocolError(f"neither a position nor an answer: {line[:80]!r}")
    unit, time, longitude, latitude, speed, heading, altitude, satellites, event, more = (
        match.groups()
    )
    if abs(float(longitude)) > 180 or abs(float(latitude)) > 90:
        raise ProtocolError(f"no such place: {latitude}, {longitude}")
    moment = _moment(time)
    message = Message(
        moment,
        line[match.start(1) :].encode(),
        latitude=float(latitude),
        longitude=float(longitude),
        altitude=float(altitude),
        speed=float(speed),
        heading=float(heading),
        satellites=int(satellites),
        valid=int(satellites) > 0 and moment is not None,
        event_id=_EVENTS.get(int(event)),
        values={"wondex_event": int(event), **_added(more or "")},
    )
    return Decoded(hello=Hello([unit]), messages=[message])


def _added(text: str) -> dict[str, Any]:
    """What follows the event id. Which fields there are is set on the device and not said in the
    line; what they look like tells them apart: ``3.90V`` is the battery, a decimal before any
    whole number the mileage, whole numbers inputs and then outputs, decimals between them analog
    inputs. Others keep their place: ``wondex_field_N``, counted from 1."""
    values: dict[str, Any] = {}
    whole = 0
    analog = 0
    for place, field in enumerate(text.split(","), 1):
        battery = _BATTERY.fullmatch(field)
        if battery is not None:
            values["battery_voltage"] = float(battery[1])
        elif _INTEGER.fullmatch(field) and whole < 2:
            name = ("input_status", "output_status")[whole]
            # More lines than any of these devices has: something else.
            values[name if int(field) < 256 else f"wondex_{name}"] = int(field)
            whole += 1
        elif _DECIMAL.fullmatch(field) and whole < 2:
            number = float(field)
            if whole == 0 and "hardware_mileage" not in values and number >= 0:
                values["hardware_mileage"] = number
            else:
                analog += 1
                volts = 0 <= number <= _MOST_VOLTS
                values[f"analog_{analog}" if volts else f"wondex_analog_{analog}"] = number
        elif field:
            values[f"wondex_field_{place}"] = field
    return values
