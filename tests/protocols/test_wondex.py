"""WondeX: what a device and its owner rely on beside the recorded messages."""

from __future__ import annotations

import pytest
from streams import in_pieces

from waypost.protocols.base import Command, CommandError, Device, ProtocolError, Transport
from waypost.protocols.wondex import Wondex

DEVICE = Device("2000000001")
KEEP_ALIVE = bytes.fromhex("d0d70b0001ca9a3b")
LINE = b"2000000001,20140529213210,-63.179111,9.781493,7,12,54.0,8,2,3.5,5,0.01,11.80,1"


def test_stream_of_everything_is_cut_in_order() -> None:
    stream = KEEP_ALIVE + LINE + b"\r\n" + b"$OK:VER=1.2\r\n" + KEEP_ALIVE + LINE[:20]
    for size in (1, 5, len(stream)):
        assert in_pieces(Wondex(), stream, size) == (
            [KEEP_ALIVE, LINE, b"$OK:VER=1.2", KEEP_ALIVE],
            LINE[:20],
        )


def test_a_datagram_needs_no_line_end() -> None:
    assert Wondex(Transport.UDP).frames(bytearray(LINE)) == [LINE]
    assert Wondex(Transport.TCP).frames(bytearray(LINE)) == []


def test_keep_alive_is_echoed_and_names_the_device() -> None:
    decoded = Wondex().decode(KEEP_ALIVE, None)
    assert decoded.hello is not None
    assert decoded.hello.device_ids == ["1000000001"]
    assert decoded.reply == KEEP_ALIVE


def test_position_with_all_it_can_add() -> None:
    decoded = Wondex().decode(LINE, DEVICE)
    (message,) = decoded.messages
    assert decoded.reply is None
    assert (message.speed, message.heading, message.satellites, message.valid) == (7, 12, 8, True)
    assert message.event_id == 401
    assert message.values == {
        "wondex_event": 2,
        "hardware_mileage": 3.5,
        "input_status": 5,
        "analog_1": 0.01,
        "analog_2": 11.8,
        "output_status": 1,
    }


def test_a_device_without_clock_and_fix_is_heard() -> None:
    line = b"2000000001,00000000000000,0.000000,0.000000,0,0,0,0,1"
    (message,) = Wondex().decode(line, DEVICE).messages
    assert message.time is None
    assert not message.valid


@pytest.mark.parametrize(
    ("typed", "key", "line", "ok"),
    [
        ("$WP+VER=0000,?", "VER", b"$OK:VER=V1.23", True),
        ("$WP+TRACK+A7=0000,1,60", "TRACK+A7", b"$OK:TRACK+A7=1,60", True),
        ("$WP+REBOOT=1234", "REBOOT", b"$ERR:REBOOT=2", False),
    ],
)
def test_answers_repeat_the_command(typed: str, key: str, line: bytes, ok: bool) -> None:
    encoded = Wondex().encode(Command(1, typed.encode()), DEVICE)
    assert encoded.data == typed.encode() + b"\r\n"
    assert encoded.key == key
    (answer,) = Wondex().decode(line, DEVICE).answers
    assert (answer.key, answer.ok, answer.text) == (key, ok, line.decode())


def test_what_a_device_says_by_itself_answers_no_particular_command() -> None:
    (answer,) = Wondex().decode(b"$MSG:Low battery", DEVICE).answers
    assert answer.key is None


def test_commands_are_one_line_or_bytes() -> None:
    assert Wondex().encode(Command(1, b"\x01\x02", "hex"), DEVICE).data == b"\x01\x02"
    for wrong in (b"", b"a\nb", b"\xff", "$WP+Ä=0000".encode()):
        with pytest.raises(CommandError):
            Wondex().encode(Command(1, wrong), DEVICE)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"hello",
        KEEP_ALIVE[:5],
        b"2000000001,20141329213210,-63.179111,9.781493,0,0,54.0,8,2",
        b"2000000001,20140529213210,-63.179111,99.781493,0,0,54.0,8,2",
        b"2000000001,20140529213210,-63.179111",
        b"\xf0\xd7\x0b\x00\x01",
    ],
)
def test_broken_frames(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        Wondex().decode(frame, DEVICE)


def test_a_line_without_end_is_refused() -> None:
    protocol = Wondex()
    with pytest.raises(ProtocolError, match="more than"):
        protocol.frames(bytearray(b"1" * (protocol.max_frame + 1)))


@pytest.mark.parametrize(
    ("start", "verdict"),
    [
        (b"", None),
        (b"2000000001,2014", None),
        (LINE, True),
        (KEEP_ALIVE, True),
        (b"$OK", None),
        (b"$OK:VER", True),
        (b"$INFO=", False),
        (b"+RESP", False),
        (b"\x00\x0f35", False),
        (b"@P,", False),
    ],
)
def test_recognised_by_its_beginning(start: bytes, verdict: bool | None) -> None:
    assert Wondex.recognises(start) is verdict
