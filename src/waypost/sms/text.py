"""Texts as short messages carry them: which alphabet, how many parts. Pure.

Source: 3GPP TS 23.038 (clause 6.2.1: GSM 7 bit default alphabet and its extension table; clause 4:
data coding scheme) and TS 23.040 (clause 9.2.3.24: user data header, concatenation). As is usual
between an application and a short message centre, a character of the default alphabet travels as
one octet.
"""

from __future__ import annotations

import enum

import msgspec

#: Octets or, with the GSM alphabet, septets of a message that is not divided.
_WHOLE = {"gsm": 160, "latin1": 160, "ucs2": 140}
#: Likewise of a part of one that is, which has to leave room for the header (7 septets, 6 octets).
_PART = {"gsm": 153, "latin1": 153, "ucs2": 134}
#: One octet of the header counts them.
MOST_PARTS = 255

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
_EXTENDED = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_GSM: dict[str, bytes] = {
    character: bytes([code]) for code, character in enumerate(_BASIC) if code != _ESCAPE
}
_GSM.update({character: bytes([_ESCAPE, code]) for code, character in _EXTENDED.items()})


#: Data codings that are a character set (SMPP 3.4, 5.2.19).
_CHARSETS = {0x01: "ascii", 0x06: "iso8859-5", 0x07: "iso8859-8"}


class TextError(ValueError):
    """The text cannot be sent as an SMS; says why."""


class Alphabet(enum.StrEnum):
    """How characters travel."""

    GSM = "gsm"
    LATIN1 = "latin1"
    UCS2 = "ucs2"


class Part(msgspec.Struct, frozen=True):
    """One short message of a text: ``number`` (from 1) of ``of``, without any header."""

    data: bytes
    number: int
    of: int


def choose(text: str, plain: Alphabet = Alphabet.GSM) -> Alphabet:
    """The alphabet for a text: ``plain`` where it has every character, else UCS-2."""
    return (
        plain
        if all(_encode(character, plain) is not None for character in text)
        else (Alphabet.UCS2)
    )


def divide(text: str, alphabet: Alphabet) -> list[Part]:
    """The parts of a text, each as long as a short message can be. A character is never cut.
    Raises :class:`TextError` for a text that is empty, not in the alphabet, or too long."""
    if not text:
        raise TextError("the text is empty")
    pieces = [_encode(character, alphabet) for character in text]
    encoded: list[bytes] = []
    for character, piece in zip(text, pieces, strict=True):
        if piece is None:
            raise TextError(f"the {alphabet} alphabet has no {character!r}")
        encoded.append(piece)
    whole = b"".join(encoded)
    if len(whole) <= _WHOLE[alphabet]:
        return [Part(whole, 1, 1)]
    parts = [b""]
    for piece in encoded:
        if len(parts[-1]) + len(piece) > _PART[alphabet]:
            parts.append(b"")
        parts[-1] += piece
    if len(parts) > MOST_PARTS:
        raise TextError(f"the text needs {len(parts)} short messages, more than {MOST_PARTS}")
    return [Part(data, number, len(parts)) for number, data in enumerate(parts, 1)]


def encode(text: str, alphabet: Alphabet) -> bytes:
    """A text as one piece, however long. Raises :class:`TextError`."""
    return b"".join(part.data for part in divide(text, alphabet))


def _encode(character: str, alphabet: Alphabet) -> bytes | None:
    if alphabet is Alphabet.GSM:
        return _GSM.get(character)
    try:
        return character.encode("latin-1" if alphabet is Alphabet.LATIN1 else "utf-16-be")
    except UnicodeEncodeError:
        return None


def decode_gsm(data: bytes) -> str:
    """Text of octets that are characters of the GSM default alphabet; what it has not becomes the
    replacement character."""
    found: list[str] = []
    codes = iter(data)
    for code in codes:
        if code != _ESCAPE:
            found.append(_BASIC[code] if code < len(_BASIC) else "\ufffd")
            continue
        extended = next(codes, None)
        if extended is not None:
            # An unknown extension reads as the character itself (TS 23.038, 6.2.1.1).
            plain = _BASIC[extended] if extended < len(_BASIC) else "\ufffd"
            found.append(_EXTENDED.get(extended, plain))
    return "".join(found)


def decode(data: bytes, coding: int, plain: Alphabet = Alphabet.GSM) -> str:
    """Text of a message with this data coding (SMPP 3.4, 5.2.19; TS 23.038 for values from 0x40).
    ``plain`` is what the centre calls its default. Eight-bit data is shown as hexadecimal."""
    if coding >= 0xF0:  # data coding / message class
        coding = 0x04 if coding & 0x04 else 0x00
    elif coding >= 0xE0:  # message waiting, UCS-2
        coding = 0x08
    elif coding >= 0xC0:  # message waiting, default alphabet
        coding = 0x00
    if coding == 0x08:
        return data.decode("utf-16-be", "replace")
    if coding in (0x02, 0x04):
        return data.hex()
    if coding == 0x03 or (coding == 0x00 and plain is Alphabet.LATIN1):
        return data.decode("latin-1")
    if coding in _CHARSETS:
        return data.decode(_CHARSETS[coding], "replace")
    return decode_gsm(data)
