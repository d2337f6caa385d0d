"""Queclink's first dialect. The messages are examples of the GL100 and GT300 manuals."""

from __future__ import annotations

import pytest

from waypost.protocols.base import Command, Decoded, Device, ProtocolError
from waypost.protocols.gl100 import Gl100
from waypost.telemetry.message import iso_time

DEVICE = Device("359231030000010")
RTL = (
    "+RESP:GTRTL,359231030000010,0,0,0,1,4.3,92,70.0,1,121.354335,31.222073,20090101000000,0460,"
    "0000,18d8,6141,00,11F0,0102120204"
)


def decode(message: str) -> Decoded:
    protocol = Gl100()
    (frame,) = protocol.frames(bytearray(message.encode() + b"\0"))
    return protocol.decode(frame, DEVICE)


def test_a_position() -> None:
    decoded = decode(RTL)
    assert decoded.hello is not None
    assert decoded.hello.device_ids == ["359231030000010"]
    assert decoded.reply == b"+SRVACK:11F0\0"
    assert decoded.reply_means_stored
    (message,) = decoded.messages
    assert (message.latitude, message.longitude, message.altitude) == (31.222073, 121.354335, 70.0)
    assert (message.speed, message.heading, message.hdop) == (4.3, 92, 1)
    assert message.valid
    assert iso_time(message.time) == "2009-01-01T00:00:00Z"
    assert message.cells is not None
    assert (message.cells[0].mcc, message.cells[0].lac) == (460, 0x18D8)
    failed = decode(RTL.replace(",0,0,0,1,4.3", ",0,0,0,0,4.3")).messages[0]
    assert not failed.valid


def test_several_positions() -> None:
    report = (
        "+RESP:GTTRI,359231030000010,2,0,0,1,4.3,92,70.0,1,121.354335,31.222073,20090101000000,0460,"
        "0000,18d8,6141,00,0,0,1,3.6,145,30.0,2,121.354442,31.221940,20090101000100,0460,0000,18d8,"
        "6141,00,11F0,0102120204"
    )
    first, second = decode(report).messages
    assert (first.longitude, second.longitude) == (121.354335, 121.354442)
    assert (second.speed, second.heading, second.hdop) == (3.6, 145, 2)
    assert first.digest_of != second.digest_of


def test_a_repeated_report_is_the_same() -> None:
    again = RTL.replace("11F0", "11F1")
    assert decode(again).messages[0].digest_of == decode(RTL).messages[0].digest_of


def test_events() -> None:
    assert decode(RTL.replace("GTRTL", "GTSOS")).messages[0].event_id == 202
    entered = decode(RTL.replace("GTRTL", "GTSZI").replace(",0,0,0,1,4.3", ",0,3,1,1,4.3"))
    assert entered.messages[0].event_id == 409
    assert entered.messages[0].values["queclink_geofence"] == "3"
    (on,) = decode("+RESP:GTPNA,135790246811220,20090101000000,11F0,0102070202").messages
    assert on.event_id == 15
    assert iso_time(on.time) == "2009-01-01T00:00:00Z"
    (charge,) = decode("+RESP:GTCBC,359231030000010,94,20090101000000,11F0,0102100203").messages
    assert charge.values["battery_level"] == 94


def test_the_heartbeat() -> None:
    beat = "AT+GTHBD=HeartBeat,359231030000010,20090101000000,11F0,0102100203"
    decoded = decode(beat)
    assert decoded.reply == (
        b"+RESP:GTHBD,GPRS ACTIVE,HeartBeat,359231030000010,20090101000000,11F0\0"
    )
    assert decoded.hello is not None
    assert decoded.hello.device_ids == ["359231030000010"]
    assert not decoded.messages


def test_a_command_and_its_answer() -> None:
    command = Command(
        1, b"AT+GTSRI=gl100,0,1,cmnet,cmnet,cmnet,124.79.182.171,7001,,20080807100001"
    )
    sent = Gl100().encode(command, DEVICE)
    assert sent.data.endswith(b",20080807100001\0")
    (answer,) = decode(
        "+ACK:GTSRI,359231030000010,20080807100001,20090112104725,000a,0102100203"
    ).answers
    assert answer.key == sent.key


@pytest.mark.parametrize("message", ["+RESP:GTRTL,35923", "AT+GTHBD=HeartBeat,x", "+RESP:,1"])
def test_broken_messages_are_refused(message: str) -> None:
    with pytest.raises(ProtocolError):
        decode(message)


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"+RESP:GTTRI,359464030073766,1,", True),
        (b"AT+GTHBD=HeartBeat,359231030000010,", True),
        (b"+RESP:GTFRI,4B0303,867995030082104,", False),
        (b"+RSP\x07\x00", False),
        (b"GET / HTTP", False),
        (b"+RESP:GTTRI,3594", None),
        (b"AT", None),
    ],
)
def test_first_bytes(start: bytes, expected: bool | None) -> None:
    assert Gl100.recognises(start) is expected
