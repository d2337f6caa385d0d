"""Device ids: the forms that models have, and what a device may call itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.catalog import models
from waypost.fleet.device_ids import (
    WrongDeviceId,
    checked,
    has_check_digit,
    luhn_digit,
    made_up,
    spellings,
    told_as,
)


@pytest.mark.parametrize(
    ("id_type", "given_", "kept"),
    [
        ("imei", "356938035643809", "356938035643809"),
        ("imei", "356938035643800", "356938035643800"),
        ("meid", "a10000009296f2", "A10000009296F2"),
        ("id,7", "1234567", "1234567"),
        ("ascii,6,64", "a.B_c:d-9", "a.B_c:d-9"),
        ("10,2", "2234567890", "2234567890"),
    ],
)
def test_what_fits_is_kept(id_type: str, given_: str, kept: str) -> None:
    assert checked(id_type, given_) == kept


@pytest.mark.parametrize(
    ("id_type", "given_"),
    [
        ("imei", None),
        ("imei", ""),
        ("imei", "35693803564380"),
        ("imei", "3569380356438090"),
        ("imei", "35693803564380\u0669"),
        ("imei", " 356938035643809"),
        ("meid", "A10000009296F"),
        ("meid", "A10000009296G2"),
        ("id,7", "123456"),
        ("ascii,6,64", "short"),
        ("ascii,6,64", "x" * 65),
        ("ascii,6,64", "with space"),
        ("ascii,6,64", "umläut"),
        ("ascii,6,64", "newline\n"),
        ("10,2", "12345"),
        ("10,2", "12345678901"),
        ("10,2", "abcdefgh"),
    ],
)
def test_what_does_not_fit_is_refused(id_type: str, given_: str | None) -> None:
    with pytest.raises(WrongDeviceId):
        checked(id_type, given_)


def test_every_model_has_an_id_that_can_be_registered() -> None:
    for model in models.all_models().values():
        try:
            device_id = checked(model.id_type, None)
        except WrongDeviceId:
            device_id = {"i": "356938035643809", "a": "device-1", "m": "A10000009296F2"}[
                model.id_type[0]
            ]
            assert checked(model.id_type, device_id) == device_id
        else:
            assert checked(model.id_type, made_up(model.id_type)) is not None


def test_check_digits() -> None:
    assert has_check_digit("356938035643809")
    assert has_check_digit("490154203237518")
    assert not has_check_digit("356938035643808")


@given(st.text(max_size=40))
def test_a_device_is_always_what_it_calls_itself_first(told: str) -> None:
    assert spellings(told)[0] == told


@given(st.from_regex(r"[0-9]{14}", fullmatch=True), st.from_regex(r"[0-9]{2}", fullmatch=True))
def test_all_spellings_of_an_imei_lead_to_it(serial: str, version: str) -> None:
    imei = serial + luhn_digit(serial)
    for told in (serial, "0" + imei, "00" + imei):
        assert imei in spellings(told)
    if serial[0] != "0":
        assert imei in spellings(serial + version)
    exact, pattern = told_as(imei)
    assert imei in exact
    assert "0" + imei in exact
    assert pattern == serial + "__"
