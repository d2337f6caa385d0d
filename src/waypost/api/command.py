"""Raw commands as parameters, the same in both APIs."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from waypost.api.errors import invalid
from waypost.catalog.errors import parameter_text

Kind = Literal["text", "hex"]

CommandText = Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
"""A command as text or as hexadecimal digits, in pairs, spaces between them allowed."""

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}\s*)+")


def payload_of(command: str, kind: Kind) -> bytes:
    """The bytes of a command. Raises :class:`Refused` 7 for what is not hexadecimal, or no text."""
    if kind == "hex":
        if not command.isascii() or _HEX.fullmatch(command.strip()) is None:
            text = parameter_text("raw_command/send", "command")
            raise invalid("command", text or "must be hexadecimal")
        return bytes.fromhex(command)
    try:
        return command.encode()
    except UnicodeEncodeError:
        raise invalid("command", "is not a text that can be sent") from None


def check_payload(arguments: dict[str, Any]) -> None:
    """The declaration's check of ``command`` against ``type``."""
    payload_of(arguments["command"], arguments.get("type", "text"))
