"""Access points of operators, by SIM card and by phone number, where one is the right one."""

from __future__ import annotations

import pytest

from waypost.catalog import operators


@pytest.mark.parametrize(
    ("iccid", "name"),
    [
        ("89460101234567890123", "online.telia.se"),  # Telia Sverige AB
        ("8942001012345678901", "internet.t-mobile.cz"),
        ("89300112345678901234", "internet"),  # Cosmote
        ("8901490000000000000", "internet.freedommobile.ca"),  # Freedom Mobile: 01 for country 1
        ("89490200000000000000", None),  # Telekom Deutschland has several
        ("8988303000000614227", None),  # a card for the whole world
        ("", None),
        ("8", None),
    ],
)
def test_by_sim_card(iccid: str, name: str | None) -> None:
    found = operators.access_point(None, iccid)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("phone", "apn"),
    [
        ("201001234567", ("internet.vodafone.net", "internet", "internet")),  # Vodafone, Egypt
        ("8801812345678", ("internet", "", "")),  # Robi, Bangladesh
        ("491701234567", None),  # several access points
        ("882360012345678", None),  # of no country
        ("000", None),
        ("x", None),
    ],
)
def test_by_phone_number(phone: str, apn: tuple[str, str, str] | None) -> None:
    found = operators.access_point(phone, None)
    assert ((found.name, found.user, found.password) if found else None) == apn


def test_the_sim_card_says_more_than_the_number() -> None:
    found = operators.access_point("201001234567", "89460101234567890123")
    assert found is not None
    assert found.name == "online.telia.se"
    unlisted = operators.access_point("201001234567", "8988303000000614227")
    assert unlisted is not None
    assert unlisted.name == "internet.vodafone.net"


def test_the_table_is_whole() -> None:
    assert len(operators._table().countries) > 140
    for number, (country, name) in operators._table().issuers.items():
        assert number.startswith("89")
        assert operators.issuer(number + "0" * 12) is not None, (number, country, name)
