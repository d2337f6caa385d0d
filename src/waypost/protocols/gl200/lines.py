"""Command lines of @Track: ``AT+GTxxx=password,column,...,serial number``.

A column that is left empty stays as it was (the access point's user and password: become empty).
Source: @Track manuals, section 3.2 "Command And Acknowledgement" of each: the password is the
model's name unless somebody changed it, the serial number comes back in the acknowledgement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from waypost.catalog.models import Model
from waypost.protocols.base import CommandError, Device, Text

#: Characters of a command; the devices take an SMS at a time.
LONGEST = 160

#: Models whose password is not their name.
_PASSWORDS = {
    "gl320mg": "gl320m",
    "gv57cg": "gv57",
    "gv57mg": "gv57",
    "gv75mg": "gv75m",
    "gv628w": "gv600w",
    "gv648w": "gv600w",
    "gv500map": "gv500",
    "cv100lg": "cv100",
}
#: Ends a column or a line, or is no text.
_FORBIDDEN = re.compile(r"[^ -~]|[,$]")

Columns = Mapping[int, str | int]


def short_name(model: Model) -> str:
    """``gl300`` of every model that is a GL300: makers' prefixes do not count."""
    return re.sub(r"^(ql|rl)(?=[a-z])", "", model.parent_code or model.code)


def password(device: Device, model: Model) -> str:
    """The device's own, or the one that it left the factory with."""
    name = short_name(model)
    return device.password or _PASSWORDS.get(name, name)


class Writer:
    """Writes the lines of one command to one device."""

    def __init__(self, password: str, serial: Callable[[int], str], end: str) -> None:
        """``serial``: what stands last in the n-th line; ``end``: behind it."""
        self._password = _column(password)
        self._serial = serial
        self._end = end
        self.lines: list[Text] = []

    def add(self, word: str, last: int, columns: Columns, *secrets: str) -> None:
        """Adds a line; ``columns`` by their number (the password is 0), the serial number is
        ``last``. Raises :class:`CommandError` for what the device cannot read."""
        text = self.text(word, last, columns)
        if len(text) > LONGEST:
            raise CommandError(f"{len(text)} characters are too long for a command")
        hidden = (self._password, *(secret for secret in secrets if secret))
        self.lines.append(Text(text, hidden))

    def text(self, word: str, last: int, columns: Columns) -> str:
        """The line that would be added."""
        parts = [self._password, *[""] * (last - 1), self._serial(len(self.lines))]
        for number, value in columns.items():
            parts[number] = _column(str(value))
        return f"AT+{word}={','.join(parts)}{self._end}"


def _column(text: str) -> str:
    if _FORBIDDEN.search(text):
        raise CommandError("a value has characters that cannot be sent to the device")
    return text


def within(value: int, low: int, high: int) -> int:
    """The nearest value that a column can hold."""
    return min(max(value, low), high)
