"""The device console: raw dialogue with a connected device, in a WebSocket. Its frames.

Source: the panel API, ``tracker/console/connect``, and what the vendor's public panel reads and
sends. A frame from the client is a command as it is typed. Frames to the client are ``{"type":
"status", "data": [[name, value], ...]}`` whenever the device's state changes, and ``{"type":
"output", "msg": "..."}`` for each line of the dialogue: ``<`` what the device sent, ``>`` what it
was sent, ``*`` what happened to its connection, ``#`` what somebody typed, ``=`` the answer to
that, ``!`` why there is none.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from waypost.catalog import errors
from waypost.live.framing import text_frame
from waypost.refusal import Refused, invalid
from waypost.telemetry.message import iso_time

#: Longest command, as ``raw_command/send`` has it.
LONGEST = 8192

_encode = msgspec.json.Encoder().encode
_json = msgspec.json.Decoder().decode


class Typed(msgspec.Struct, frozen=True):
    """A command that somebody typed: a frame as it is, or an object with ``command`` and the
    parameters of ``raw_command/send``."""

    command: str
    type: Literal["text", "hex"] = "text"
    reliable: bool = False

    def payload(self) -> bytes:
        """Raises :class:`Refused` 7 for a command that cannot be sent."""
        if not 0 < len(self.command) <= LONGEST:
            raise invalid("command", f"must be 1 to {LONGEST} characters")
        if self.type == "text":
            return self.command.encode()
        try:
            return bytes.fromhex(self.command)
        except ValueError:
            raise invalid("command", "must be hexadecimal") from None


def read_typed(data: bytes) -> Typed:
    """What a frame of a viewer says. Raises :class:`Refused`: 5 for what is no text, 7."""
    try:
        text = data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Refused(5) from None
    if text.startswith("{") and '"command"' in text:
        try:
            return msgspec.convert(_json(text), Typed)
        except msgspec.ValidationError as error:
            raise invalid("command", str(error)) from None
        except ValueError:
            pass  # a device's own way to write commands
    return Typed(text)


def status(rows: list[tuple[str, str]]) -> bytes:
    """The frame that shows the device's state."""
    return text_frame(_encode({"data": rows, "type": "status"}))


def text_of(code: int) -> str:
    return errors.error(code).description


def output(sign: str, text: str, time: int) -> bytes:
    """A frame with a line of the dialogue, of the moment ``time`` (ms)."""
    line = {"type": "output", "msg": f"{sign} {text}", "time": iso_time(time)}
    return text_frame(_encode(line))
