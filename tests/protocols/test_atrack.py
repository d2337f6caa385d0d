"""ATrack: what a device and its owner rely on beside the recorded messages."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from fastcrc.crc16 import arc
from streams import in_pieces

from waypost.protocols.atrack import Atrack
from waypost.protocols.base import Command, CommandError, Device, Hello, ProtocolError, Transport
from waypost.telemetry.message import Message

UNIT = 356961075931165
DEVICE = Device(str(UNIT))
TIME = 1_534_381_656
ACK = struct.Struct(">HQH")


def report(body: bytes, sequence: int = 7, prefix: bytes = b"@P") -> bytes:
    """A binary report that holds ``body``."""
    content = struct.pack(">HHQ", 10 + len(body), sequence, UNIT) + body
    return prefix + arc(content).to_bytes(2, "big") + content


def record(
    custom: bytes = b"",
    *,
    fix: int = TIME,
    sent: int = TIME + 1,
    latitude: int = 44_271_225,
    warm: int = 2000,
    driver: bytes = b"",
    text: bytes = b"",
    number: int = 2,
) -> bytes:
    head = struct.pack(
        ">IIIiiHBIHBHBH", fix, TIME + 1, sent, -88_429_188, latitude, 70, number, 5, 9, 1, 3, 0, 250
    )
    return head + driver + b"\0" + struct.pack(">hh", warm, 2000) + text + b"\0" + custom


def text_report(
    lines: str, sequence: int = 7, unit: str = str(UNIT), prefix: str = "@P", more: int = 0
) -> bytes:
    """A report in ASCII, which states ``more`` bytes than it has."""
    body = f",{sequence},{unit},{lines}".encode()
    content = b",%d%s" % (len(body) + more, body)
    return b"%s,%04X%s" % (prefix.encode(), arc(content), content)


BASE = f"{TIME},{TIME},{TIME + 1},-88429188,44271225,70,2,5,9,1,3,0,250,,251,2000,\x1a,"


def messages_of(frame: bytes, setup: dict[str, object] | None = None) -> list[Message]:
    return Atrack().decode(frame, Device(str(UNIT), setup=setup or {})).messages


def test_binary_report_with_several_records_is_acknowledged_once() -> None:
    frame = report(record(driver=b"1858AE", warm=251) + record(fix=TIME + 30), sequence=513)
    decoded = Atrack().decode(frame, DEVICE)
    assert decoded.hello == Hello([str(UNIT)])
    assert decoded.reply == ACK.pack(0xFE02, UNIT, 513)
    first, second = decoded.messages
    assert first.time == TIME * 1000
    assert first.device_time == (TIME + 1) * 1000
    assert (first.latitude, first.longitude) == pytest.approx((44.271225, -88.429188))
    assert (first.speed, first.heading, first.hdop, first.valid) == (3, 70, 0.9, True)
    assert first.values == {
        "hardware_mileage": 0.5,
        "input_status": 1,
        "output_status": 0,
        "analog_1": 0.25,
        "atrack_report_id": 2,
        "hardware_key": "1858AE",
        "temperature_1": 25.1,
    }
    assert second.time == (TIME + 30) * 1000


def test_text_report_reads_as_the_binary_one() -> None:
    decoded = Atrack().decode(text_report(BASE + "\r\n" + BASE + "\r\n", 70_000), DEVICE)
    assert decoded.reply == ACK.pack(0xFE02, UNIT, 70_000 & 0xFFFF)
    assert len(decoded.messages) == 2
    message = decoded.messages[0]
    (binary,) = messages_of(report(record(warm=251, fix=TIME)))
    assert message.values == binary.values
    assert (message.latitude, message.speed) == (binary.latitude, binary.speed)


def test_unregistered_device_is_asked_for_before_its_columns_are_read() -> None:
    for frame in (report(record()), text_report(BASE + "\r\n")):
        decoded = Atrack().decode(frame, None)
        assert decoded.needs_device
        assert decoded.hello == Hello([str(UNIT)])
        assert not decoded.messages
        assert Atrack().decode(frame, None, unknown=True).messages


def test_a_copy_sent_again_is_the_same_record() -> None:
    live = record(b"%CI%DT%MV\0" + b"\0" + b"\0\x80")
    later = record(b"%CI%DT%MV\0" + b"\1" + b"\0\x80", sent=TIME + 900)
    (first,), (again,) = messages_of(report(live)), messages_of(report(later, sequence=9))
    assert first.digest_of == again.digest_of
    assert (first.buffered, again.buffered) == (False, True)
    one = f"{BASE}%CI%DT%MV,0,128\r\n"
    two = one.replace(f",{TIME + 1},-8", f",{TIME + 900},-8").replace("MV,0", "MV,1")
    (first,), (again,) = messages_of(text_report(one)), messages_of(text_report(two))
    assert first.digest_of == again.digest_of
    assert again.buffered
    (other,) = messages_of(text_report(one.replace("128", "127")))
    assert other.digest_of != first.digest_of


def test_columns_from_the_report_the_setup_or_the_devices_answer() -> None:
    custom = struct.pack(">HHB", 128, 41, 9)
    wanted = {"board_voltage": 12.8, "battery_voltage": 4.1}
    form = "%MV%BV%SA"
    in_band = report(record(b"%CI%MV%BV%SA\0" + custom) * 2)
    bare = report(record(custom) * 2)
    learned = Atrack()
    learned.decode(f'$FORM=0,@P,0,"{form}"\r\n'.encode(), DEVICE)
    for messages in (
        messages_of(in_band),
        messages_of(bare, {"custom": True, "form": form}),
        learned.decode(bare, DEVICE).messages,
    ):
        assert len(messages) == 2
        for message in messages:
            assert message.values.items() >= wanted.items()
            assert message.satellites == 9
    # Nobody said what they are: kept as they came, and the next record is found all the same.
    unknown = messages_of(bare)
    assert [message.values["atrack_custom"] for message in unknown] == [custom.hex(), custom.hex()]


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_column_that_no_table_knows_takes_what_the_others_leave(width: int) -> None:
    custom = b"%CI%MV%QQ7%SA\0" + struct.pack(">H", 128) + (5).to_bytes(width, "big") + b"\x09"
    messages = messages_of(report(record(custom) * 3))
    assert len(messages) == 3
    for message in messages:
        assert message.values["board_voltage"] == 12.8
        assert message.values["atrack_qq7"] == 5
        assert message.satellites == 9


@pytest.mark.parametrize("custom", [b"\x01", b"\0\x80\0\x29\x01\x02\x03"])
def test_columns_that_do_not_fit_cost_no_record(custom: bytes) -> None:
    messages = messages_of(report(record(b"%CI%MV%BV\0" + custom) * 3))
    assert [message.time for message in messages] == [TIME * 1000] * 3
    assert all(message.values["atrack_custom"] in custom.hex() for message in messages)


def test_columns_of_vehicle_and_network() -> None:
    form = "%GQ%CE%LC%CN%CR%JO11%JH2%JL1%IN0%HB%GL%RP%ET%XY"
    link = "http://maps.google.com/maps?q=44.2,-88.4 \x1a"
    line = (
        f"{BASE}%CI{form},20,21096194,14953,310260,5,120,8000,4294967295,1,1,{link},900,-7,zz\r\n"
    )
    (message,) = messages_of(text_report(line))
    assert message.cells is not None
    cell = message.cells[0]
    assert (cell.mcc, cell.mnc, cell.lac, cell.cell_id, cell.rssi) == (
        310,
        260,
        14953,
        21096194,
        -73,
    )
    expected = {
        "gsm_level": 65,
        "gsm_network": "310260",
        "gsm_roaming": True,
        "can_coolant_t": 80,
        "can_rpm": 1000,
        "ignition": True,
        "obd_rpm": 900,
        "obd_coolant_t": -7,
        "atrack_xy": "zz",
    }
    assert message.values.items() >= expected.items()
    assert "can_total_fuel_used" not in message.values  # all ones: not available


def test_report_ids_mean_what_the_owner_made_of_them() -> None:
    frame = report(record(number=105))
    (message,) = messages_of(frame)
    assert message.event_id is None
    (message,) = messages_of(frame, {"events": {"105": 240}})
    assert message.event_id == 240
    (message,) = messages_of(report(record(b"%CI%HC\0\1", number=107)))
    assert message.event_id == 239


def test_calendar_times_are_recognised() -> None:
    date = struct.pack(">HBBBBB", 2014, 1, 27, 11, 31, 3)
    body = date * 3 + record()[12:]
    (message,) = messages_of(report(body))
    assert message.time == int(datetime(2014, 1, 27, 11, 31, 3, tzinfo=UTC).timestamp()) * 1000


def test_a_device_without_any_fix_has_no_place() -> None:
    (message,) = messages_of(report(record(fix=0)))
    assert not message.has_location
    assert message.time == (TIME + 1) * 1000


def test_a_wrong_checksum_is_marked() -> None:
    frame = bytearray(report(record()))
    frame[3] ^= 1
    (message,) = messages_of(bytes(frame))
    assert message.values["atrack_crc_mismatch"] is True


def test_keep_alive_is_echoed() -> None:
    frame = ACK.pack(0xFE02, UNIT, 3)
    decoded = Atrack().decode(frame, None)
    assert decoded.hello == Hello([str(UNIT)])
    assert decoded.reply == frame


def test_a_picture_is_put_together() -> None:
    def piece(index: int, content: bytes) -> bytes:
        body = struct.pack(">IBBH", TIME, index, 3, len(content)) + content
        return report(body, index, b"@R")

    protocol = Atrack()
    for index, content in ((0, b"\xff\xd8"), (0, b"\xff\xd8"), (2, b"\xff\xd9")):
        decoded = protocol.decode(piece(index, content), None)
        assert decoded.messages == []
        assert decoded.reply == ACK.pack(0xFE02, UNIT, index)
        assert decoded.reply_means_stored
    (message,) = protocol.decode(piece(1, b"xyz"), None).messages
    assert message.time == TIME * 1000
    assert message.values == {"atrack_picture": b"\xff\xd8xyz\xff\xd9"}


def test_commands_and_their_answers() -> None:
    protocol = Atrack()
    encoded = protocol.encode(Command(1, b"AT$UNID+A1=?"), DEVICE)
    assert (encoded.data, encoded.key) == (b"AT$UNID+A1=?\r\n", "A1")
    assert protocol.encode(Command(1, b"AT$REBT\r\n"), DEVICE).key is None
    assert protocol.encode(Command(1, b"\x00", "hex"), DEVICE).data == b"\x00"
    for line, key, ok in (
        (b"$UNID+A1=356961075931165\r\n", "A1", True),
        (b"$OK\r\n", None, True),
        (b"$OK+A2=\r\n", "A2", True),
        (b"$ERROR=101\r\n", None, False),
    ):
        (answer,) = protocol.decode(line, DEVICE).answers
        assert (answer.key, answer.ok) == (key, ok)
        assert answer.text == line.decode().strip()
    with pytest.raises(CommandError):
        protocol.encode(Command(1, b"AT$INFO=?\nAT$REBT"), DEVICE)


def test_stream_of_everything_is_cut_in_order() -> None:
    # A checksum that begins with 0x2C looks like the comma of an ASCII report.
    sequence = next(n for n in range(65536) if report(record(), n)[2] == 0x2C)
    parts = [
        ACK.pack(0xFE02, UNIT, 1),
        report(record(), sequence),
        text_report(BASE + "\r\n"),
        b"$OK\r\n",
        report(record(), prefix=b"\x02\x03"),
        text_report(BASE + "\r\n", prefix="\x03\x01"),
    ]
    stream = b"".join(parts) + b"\0\0"
    for size in (1, 7, len(stream)):
        assert in_pieces(Atrack(), stream, size) == (parts, b"")
    for frame in parts:
        Atrack().decode(frame, DEVICE)


GOOD = text_report(BASE + "\r\n", 8)


@pytest.mark.parametrize("more", [-100, -9, -1, 1, 5, 40, 200, 700])
def test_a_wrong_length_costs_nothing_where_the_checksum_fits(more: int) -> None:
    wrong = text_report(f"{BASE}\r\n{BASE}\r\n", more=more)
    after = [GOOD, ACK.pack(0xFE02, UNIT, 1), b"$OK\r\n", GOOD]
    stream = b"".join([GOOD, wrong, *after])
    for size in (1, 7, len(stream)):
        frames, _ = in_pieces(Atrack(), stream, size)
        assert [frame.rstrip() for frame in frames] == [
            frame.rstrip() for frame in (GOOD, wrong, *after)
        ]
    # It need not wait for what follows.
    (alone,) = Atrack().frames(bytearray(wrong))
    decoded = Atrack().decode(alone, DEVICE)
    assert decoded.reply == ACK.pack(0xFE02, UNIT, 7)
    assert len(decoded.messages) == 2
    for message in decoded.messages:
        assert message.values["atrack_length_mismatch"] is True
        assert "atrack_crc_mismatch" not in message.values
    assert Atrack(Transport.UDP).frames(bytearray(wrong)) == [alone]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (GOOD.replace(b",104,", b",938,"), "says that it has 938, and its checksum is wrong"),
        (GOOD.replace(b",104,", b",98,"), "says that it has 98, and its checksum is wrong"),
        (GOOD.replace(b",104,", b",99999,"), "says that it has 99999"),
        (GOOD[:90], "of 79 bytes says that it has 104"),
        (GOOD[60:], "neither a report"),
        (b"noise, and nothing else", "neither a report"),
        (b"\x01\x02\x03\x04\x05\x06\x07", "its header alone has 16"),
    ],
)
def test_what_is_broken_takes_nothing_with_it(broken: bytes, why: str) -> None:
    stream = GOOD + broken + GOOD + GOOD
    for size in (1, 7, len(stream)):
        frames, _ = in_pieces(Atrack(), stream, size)
        assert [frame.rstrip() for frame in frames] == [
            frame.rstrip() for frame in (GOOD, broken, GOOD, GOOD)
        ]
        with pytest.raises(ProtocolError, match=why):
            Atrack().decode(frames[1], DEVICE)
        for frame in (frames[0], *frames[2:]):
            (message,) = Atrack().decode(frame, DEVICE).messages
            assert not [name for name in message.values if name.endswith("_mismatch")]
    datagram = bytearray(stream)
    assert len(Atrack(Transport.UDP).frames(datagram)) == 4
    assert not datagram


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\n",
        b"@P\x00\x00\x00\x02\x00\x01",
        b"@P\x00\x00\xff\xff\x00\x01",
        b"$" + b"x" * 20_000,
        b"@P,ABCD,99999,1,1,",
        b"\x01\x02\x00\x00\x00\x10" + b"\0" * 16,
    ],
)
def test_what_cannot_be_a_frame_is_refused(start: bytes) -> None:
    with pytest.raises(ProtocolError):
        Atrack().frames(bytearray(start))


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xfe\x02\x00",
        b"$",
        b"@P,ABCD,10,7",
        b"@P,ABCD,10,7,123,\r\n",
        b"@P,ABCD,10,7,123,1,2,3\r\n",
        text_report(BASE.replace("44271225", "944271225")),
        text_report(BASE.replace("44271225", "x")),
        report(b""),
        report(record())[:-3],
        report(record(latitude=2_000_000_000)),
        report(record()[:-1]),
        report(struct.pack(">IBBH", TIME, 3, 3, 0), prefix=b"@R"),
        report(struct.pack(">IBBH", TIME, 0, 3, 9), prefix=b"@R"),
        report(b"\0", prefix=b"@R"),
    ],
)
def test_broken_frames(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        Atrack().decode(frame, DEVICE)


@pytest.mark.parametrize(
    ("start", "verdict"),
    [
        (b"", None),
        (b"@", None),
        (b"@P,1126", None),
        (text_report(BASE), True),
        (report(record()), True),
        (ACK.pack(0xFE02, UNIT, 1), True),
        (b"\xfe\x02\x00", None),
        (b"$INFO=1", True),
        (b"$ER", None),
        (b"$OK:VER", False),
        (b"+RESP", False),
        (b"\x00\x0f35", False),
    ],
)
def test_recognised_by_its_beginning(start: bytes, verdict: bool | None) -> None:
    assert Atrack.recognises(start) is verdict
