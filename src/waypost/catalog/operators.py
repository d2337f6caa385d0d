"""Access points of mobile operators, by phone number or by the SIM card's number (ICCID).

``operators.json`` says where it comes from; ``scripts/import_operators.py`` writes it. An operator
with several access points for the internet has none here: nobody knows which one a card is for.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from waypost.catalog._data import load


class OperatorApn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: str
    user: str = ""
    password: str = ""


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operator. ``networks`` are MCC-MNC."""

    names: tuple[str, ...]
    networks: tuple[str, ...] = ()
    #: It runs the network, and does not only sell cards for it.
    primary: bool = False
    apn: OperatorApn | None = None


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    licence: str
    issuers_source: str
    #: Issuer identification number (ITU-T E.118: 89, country's code, issuer) -> ISO 3166 code of
    #: the country, and the operator's first name.
    issuers: dict[str, tuple[str, str]]
    #: By ISO 3166 code of the country.
    countries: dict[str, tuple[Operator, ...]]


@cache
def _table() -> _Table:
    return load("operators.json", _Table)


def operators(country: str) -> tuple[Operator, ...]:
    """Those of a country (ISO 3166, ``DE``)."""
    return _table().countries.get(country, ())


def issuer(iccid: str) -> Operator | None:
    """Who issued a SIM card; None: the table does not say."""
    # North American cards write their country's code 1 with a zero.
    digits = "891" + iccid[4:] if iccid.startswith("8901") else iccid
    issuers = _table().issuers
    for length in range(7, 4, -1):
        found = issuers.get(digits[:length])
        if found is not None:
            country, name = found
            return next((one for one in operators(country) if one.names[0] == name), None)
    return None


def number_holder(phone: str) -> Operator | None:
    """Whose numbers a phone number (digits, with the country's code) is one of; None: the table
    does not say. A number that was taken along to another operator is not known as such."""
    import phonenumbers
    from phonenumbers import carrier

    try:
        number = phonenumbers.parse(f"+{phone}")
    except phonenumbers.NumberParseException:
        return None
    name = _plain(carrier.name_for_number(number, "en"))
    country = phonenumbers.region_code_for_number(number)
    if not name or country is None:
        return None
    found = [one for one in operators(country) if any(_plain(other) == name for other in one.names)]
    return found[0] if len({one.apn for one in found}) == 1 else None


def access_point(phone: str | None, iccid: str | None) -> OperatorApn | None:
    """The access point of whoever issued the SIM card, where its number is known and listed, else
    of whose phone number it is; None: none is clearly the right one."""
    operator = issuer(iccid) if iccid else None
    if operator is None and phone:
        operator = number_holder(phone)
    return operator.apn if operator is not None else None


def _plain(name: str) -> str:
    """``Orange (Mobistar)`` as ``orange``: what two spellings of a name have in common."""
    return re.sub(r"[\W_]", "", re.sub(r"\(.*?\)", "", name).casefold())
