"""Whatever an SMSC sends is a packet, or an error that says so."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.sms import smpp_pdu as pdu
from waypost.sms.provider import Incoming, Report
from waypost.sms.text import Alphabet, choose, decode, divide

ALPHABETS = st.sampled_from([Alphabet.GSM, Alphabet.LATIN1])
FORMS: st.SearchStrategy[pdu.MessageId] = st.sampled_from(["text", "decimal", "hexadecimal"])


def deliver(body: bytes) -> bytes:
    return struct.pack(">IIII", 16 + len(body), pdu.DELIVER_SM, 0, 1) + body


def read(data: bytes, alphabet: Alphabet, form: pdu.MessageId) -> None:
    with contextlib.suppress(pdu.PduError):
        found = pdu.read_delivery(data, alphabet, form)
        assert found is None or isinstance(found, Report | Incoming | pdu.Fragment)


@given(st.binary(max_size=300), ALPHABETS, FORMS)
def test_any_bytes(body: bytes, alphabet: Alphabet, form: pdu.MessageId) -> None:
    read(deliver(body), alphabet, form)
    read(body, alphabet, form)


@given(
    message=st.binary(max_size=254),
    esm_class=st.integers(0, 255),
    coding=st.integers(0, 255),
    tags=st.lists(
        st.tuples(
            st.sampled_from([0x001E, 0x0427, 0x0424, 0x020C, 0x020E, 0x020F, 0x1400]),
            st.binary(max_size=40),
        ),
        max_size=6,
    ),
    alphabet=ALPHABETS,
    form=FORMS,
    cut=st.integers(0, 60),
)
def test_any_delivery(
    message: bytes,
    esm_class: int,
    coding: int,
    tags: list[tuple[int, bytes]],
    alphabet: Alphabet,
    form: pdu.MessageId,
    cut: int,
) -> None:
    body = b"\0\1\x01491510000001\0\0\0" + b"100\0" + bytes([esm_class, 0, 0]) + b"\0\0"
    body += bytes([0, 0, coding, 0, len(message)]) + message
    for tag, value in tags:
        body += struct.pack(">HH", tag, len(value)) + value
    read(deliver(body), alphabet, form)
    read(deliver(body[: max(len(body) - cut, 0)]), alphabet, form)


@given(st.text(min_size=1, max_size=400), ALPHABETS)
def test_a_text_is_what_its_parts_say(text: str, plain: Alphabet) -> None:
    text = text.encode("utf-16", "replace").decode("utf-16")
    alphabet = choose(text, plain)
    coding = {Alphabet.GSM: 0, Alphabet.LATIN1: 3, Alphabet.UCS2: 8}[alphabet]
    parts = divide(text, alphabet)
    assert "".join(decode(part.data, coding, plain) for part in parts) == text
    most = 140 if alphabet is Alphabet.UCS2 else 160
    assert all(len(part.data) <= most for part in parts)


@given(st.binary(max_size=300), st.integers(0, 255), ALPHABETS)
def test_any_text(data: bytes, coding: int, plain: Alphabet) -> None:
    decode(data, coding, plain)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "000000000100000R"),
        (59, "000000000100000R"),
        (3600, "000000010000000R"),
        (86_400, "000001000000000R"),
        (31 * 86_400 + 61, "000101000101000R"),
        (10**9, "010005000000000R"),
    ],
)
def test_periods(seconds: int, written: str) -> None:
    assert pdu.relative_time(seconds) == written
