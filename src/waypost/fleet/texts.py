"""Texts that people give to trackers, groups and tags."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
import phonenumbers

from waypost.text import END, PRINTABLE

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=60, pattern=PRINTABLE)]
"""What a tracker, group or tag is called: 1 to 60 printable characters."""

Code = Annotated[str, msgspec.Meta(max_length=100, pattern=PRINTABLE)]
"""A word that somebody typed to name a model, a device, a card ..."""

Iccid = Annotated[str, msgspec.Meta(min_length=3, max_length=20, pattern=PRINTABLE)]
"""The number of a SIM card."""

Email = Annotated[
    str, msgspec.Meta(max_length=255, pattern=r"^([^@\s<>\"',;]{1,64}@[^@\s<>\"',;]+)?" + END)
]
"""An e-mail address, or nothing."""

Color = Annotated[str, msgspec.Meta(min_length=6, max_length=6, pattern="^[0-9A-Fa-f]{6}$")]
"""Red, green and blue, two hexadecimal digits each."""

_PHONE = re.compile(r"\+?[0-9\s().\-/]+")
#: As the API documents them; ITU-T E.164 has at most 15.
_DIGITS = range(10, 16)


def is_label(text: str) -> bool:
    try:
        msgspec.convert(text, Label)
    except msgspec.ValidationError:
        return False
    return True


def normal_phone(given: str) -> str | None:
    """A phone number in international form as digits only, without plus; None for what is none.
    Numbers of country codes that nobody has are kept as they are: private networks use them."""
    if not given.isascii() or not _PHONE.fullmatch(given.strip()):
        return None
    digits = re.sub(r"\D", "", given)
    if digits.startswith("00"):
        digits = digits[2:]
    if len(digits) not in _DIGITS:
        return None
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return digits
    if not phonenumbers.is_possible_number(number):
        return digits
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
