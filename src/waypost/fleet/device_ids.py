"""Device ids: what a device says against what was registered, and the forms that models have.

A device id is text. Only IMEI have several spellings: with leading zeros cut off or added, without
the check digit, or as IMEISV with a software version in its place (3GPP TS 23.003, 6.2).
"""

from __future__ import annotations

import re
import secrets

IMEI_DIGITS = 15

#: Longest device id that is looked up at all.
LONGEST = 128

_HEX = re.compile(r"[0-9A-Fa-f]{14}")
_ASCII_ID = re.compile(r"[A-Za-z0-9._:-]+")


class WrongDeviceId(Exception):
    """A device id that its model cannot have; the text says what it must be."""


def spellings(told: str) -> tuple[str, ...]:
    """The registered ids that a device which calls itself ``told`` may be, likeliest first; the
    first is always ``told`` itself."""
    size = len(told)
    if size < 14 or size > 20 or not told.isascii():
        return (told,)
    if not told.isdigit():
        if size == 14 and _HEX.fullmatch(told) and told != told.upper():
            return (told, told.upper())
        return (told,)
    found = [told]
    bare = told.lstrip("0")
    if size == 14:
        found += [told + luhn_digit(told), "0" + told]
    elif len(bare) <= IMEI_DIGITS < size:
        found.append(told[-IMEI_DIGITS:])
    if size == 16 and told[0] != "0":
        found.append(told[:14] + luhn_digit(told[:14]))
    return tuple(dict.fromkeys(found))


def told_as(registered: str) -> tuple[list[str], str | None]:
    """The other way round: how a device of this id may call itself, and a SQL LIKE pattern for the
    IMEISV (two digits of software version) where it is an IMEI."""
    imei = len(registered) == IMEI_DIGITS and registered.isascii() and registered.isdigit()
    found = [registered, registered.lower()]
    if imei:
        found += [registered[:14], "0" + registered, registered.lstrip("0")]
    found = [told for told in dict.fromkeys(found) if registered in spellings(told)]
    return found, registered[:14] + "__" if imei else None


def luhn_digit(digits: str) -> str:
    """The check digit that completes ``digits`` (Luhn; 3GPP TS 23.003, annex B)."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char)
        if place % 2 == 0:
            number *= 2
            if number > 9:
                number -= 9
        total += number
    return str(-total % 10)


def has_check_digit(imei: str) -> bool:
    """Does the last digit of an IMEI fit the others?"""
    return luhn_digit(imei[:-1]) == imei[-1]


def checked(id_type: str, given: str | None) -> str | None:
    """``given`` as it is to be registered for a model with this ``id_type``, or None where the
    platform has to make one up. Raises :class:`WrongDeviceId`.

    ``imei``: 15 digits. ``meid``: 14 hexadecimal digits. ``id,n``: n digits. ``ascii,a,b``: a to b
    of letters, digits and ``. _ : -``. ``n,m``: n digits made up by the platform, beginning with m;
    an id that the device has already may be given whole, or but for its last m digits.
    """
    kind, _, rest = id_type.partition(",")
    if kind.isdigit() and rest.isdigit():
        return _checked_generated(int(kind), int(rest), given)
    if given is None or given == "":
        raise WrongDeviceId("is required for this model")
    if kind == "imei":
        return _digits(given, IMEI_DIGITS, "an IMEI: 15 digits")
    if kind == "meid":
        if not _HEX.fullmatch(given):
            raise WrongDeviceId("must be a MEID: 14 hexadecimal digits")
        return given.upper()
    if kind == "id" and rest.isdigit():
        return _digits(given, int(rest), f"{rest} digits")
    if kind == "ascii":
        least, _, most = rest.partition(",")
        if not _ASCII_ID.fullmatch(given) or not int(least) <= len(given) <= int(most):
            raise WrongDeviceId(f"must be {least} to {most} of letters, digits and . _ : -")
        return given
    raise ValueError(f"id_type {id_type!r} is none that models have")


def _digits(given: str, count: int, what: str) -> str:
    if len(given) != count or not given.isascii() or not given.isdigit():
        raise WrongDeviceId(f"must be {what}")
    return given


def _checked_generated(count: int, first: int, given: str | None) -> str | None:
    if given is None or given == "":
        return None
    kept = count - first
    if given.isascii() and given.isdigit():
        if len(given) == count:
            return given
        if len(given) == kept:
            return given + "".join(secrets.choice("0123456789") for _ in range(first))
    raise WrongDeviceId(f"must be {count} digits, or {kept}, or left out")


def made_up(id_type: str) -> str:
    """A random device id of the form ``n,m``: n digits that begin with m, or (``12,12``) any."""
    count, _, first = id_type.partition(",")
    if first == count:
        first = ""
    return first + "".join(secrets.choice("0123456789") for _ in range(int(count) - len(first)))
