"""Meitrack: what a device and its owner rely on beside the recorded messages."""

from __future__ import annotations

import struct

import pytest
from streams import in_pieces

from waypost.protocols.base import (
    Command,
    CommandError,
    Decoded,
    Device,
    Hello,
    ProtocolError,
    Transport,
)
from waypost.protocols.meitrack import LONGEST_COMMAND, Meitrack
from waypost.telemetry.message import utc_ms

UNIT = "353358017784062"
DEVICE = Device(UNIT)
#: Examples of the T622 protocol document, V1.2: 3.2, 3.3, 3.16.
HEARTBEAT = (
    b"$$a131,353358017784062,AAA,31,22.913458,114.083183,080229123628,V,9,23,21,83,"
    b"1,18,1350,127,0|0|10133|4110,0000,169|181|184|2714|919,*60\r\n"
)
SOS = (
    b"$$G127,353358017784062,AAA,1,22.538169,114.075958,100313095653,A,3,21,4,46,5,"
    b"581,0,148,0|0|10133|4172,0000,166|204|205|2709|878,*77\r\n"
)
OK = b"$$V28,353358017784062,A12,OK*02\r\n"


def framed(content: bytes, identifier: str = "A", unit: str = UNIT) -> bytes:
    body = b"," + unit.encode() + b"," + content + b"*"
    data = f"$${identifier}{len(body) + 4}".encode() + body
    return data + b"%02X\r\n" % (sum(data) & 0xFF)


def report(tail: str = "0000|0000|0000|019A|04D2,", event: int = 35, base: str = "1") -> bytes:
    return framed(
        f"AAA,{event},-33.866543,151.190148,240229081758,A,6,27,61,16,0.9,-48,65551,127284,"
        f"505|{base}|0B5F|D9D3A2,0201,{tail}".encode()
    )


def decode(frame: bytes) -> Decoded:
    return Meitrack().decode(frame, DEVICE)


def named(*groups: list[tuple[str, bytes]], index: int = 7) -> bytes:
    """A record of CCE: parameters of 1, 2, 4 and any number of bytes by their hex numbers."""
    body = struct.pack("<H", index)
    for place, group in enumerate(groups):
        body += bytes((len(group),))
        for number, value in group:
            body += bytes.fromhex(number) + (bytes((len(value),)) if place == 3 else b"") + value
    return struct.pack("<H", len(body)) + body


def fixed(event: int = 35, latitude: int = 50_651_916, inputs: int = 4) -> bytes:
    return struct.pack(
        "<BiiIBBBHHHhIIHHHHBBHHHI",
        *(event, latitude, -14_727_517, 442_066_572, 1, 9, 19, 61, 271, 12, -28, 178_157, 93_641),
        *(230, 1, 14_408, 25_943, inputs, 1, 5, 417, 1218, 0),
    )


def test_documented_reports() -> None:
    (message,) = decode(SOS).messages
    assert (message.latitude, message.longitude, message.altitude) == (22.538169, 114.075958, 581)
    assert message.time == utc_ms(2010, 3, 13, 9, 56, 53)
    assert (message.speed, message.heading, message.hdop, message.satellites) == (4, 46, 5, 3)
    assert (message.event_id, message.valid) == (202, True)
    assert message.values["battery_voltage"] == pytest.approx(4.365, abs=0.001)
    assert message.values["board_voltage"] == pytest.approx(11.318, abs=0.001)
    assert message.values["gsm_level"] == 68
    assert message.cells is not None
    assert (message.cells[0].lac, message.cells[0].cell_id, message.cells[0].mcc) == (
        10133,
        4172,
        None,
    )
    (heartbeat,) = decode(HEARTBEAT).messages
    assert (heartbeat.event_id, heartbeat.valid) == (408, False)


def test_a_report_says_who_sent_it_and_is_not_acknowledged() -> None:
    decoded = decode(report())
    assert decoded.hello == Hello([UNIT])
    assert decoded.reply is None
    (message,) = decoded.messages
    assert (message.latitude, message.altitude, message.event_id) == (-33.866543, -48, 403)
    values = message.values
    assert (values["input_status"], values["output_status"]) == (2, 1)
    assert (values["battery_voltage"], values["board_voltage"]) == (4.1, 12.34)
    assert values["hardware_mileage"] == 65.551
    assert message.cells is not None
    assert message.cells[0].cell_id == 0xD9D3A2
    assert message.cells[0].rssi == -59


@pytest.mark.parametrize(
    ("analog", "battery", "board"),
    [
        ("0002|0000|0000|019A|04D2", 4.1, 12.34),  # hundredths: T333, T366 ...
        ("000B|0009||02D8|0122", 4.266, 13.594),  # ten bits: MVT340, MVT380
        ("0000|0000|0000|0A58|0432", 4.267, 13.845),  # twelve bits: T1, MVT600
        ("0018|||025D|00CB", 3.545, 9.516),
        ("3.95|12.10|3.31|3.30|0.00", 3.95, 12.1),  # volts: TC68
        ("0000|0000|0000|0000|04D2", 0, 12.34),
        ("0000|0000|0000||", None, None),
    ],
)
def test_voltages_in_the_scale_of_the_model(
    analog: str, battery: float | None, board: float | None
) -> None:
    values = decode(report(analog + ",")).messages[0].values
    assert values.get("battery_voltage") == (pytest.approx(battery) if battery else battery)
    assert values.get("board_voltage") == (pytest.approx(board) if board else board)


@pytest.mark.parametrize(
    ("event", "tail", "name", "value"),
    [
        (37, "00B4C2D1,,3,0000,,,", "hardware_key", "00B4C2D1"),
        (20, "00000003,,3,0000,,,", "meitrack_geofence", "00000003"),
        (35, ",,3,2A32,,,", "fuel_level_1", 42.5),
        (35, ",,3,0000,,110,386", "meitrack_max_deceleration", 386),
        (35, ",,3,0000,01F9C0|0214B4,,", "temperature_1", -16.0),
        (35, ",,3,0000,01F9C0|0214B4,,", "temperature_2", 53.0),
        (35, ",,1,0000,02FB20,,", "temperature_2", -5.32),
        (35, ",,1,0000,02191E,,", "temperature_2", 25.3),
        (35, ",,108,0000,,6,0,,,,,11|171207091500|171207095500|78|3500|000000|000003",
         "meitrack_taximeter_fare", "3500"),
        (35, ",,50,,,9,9,9,9", "meitrack_more", "9,9,9,9"),
    ],
)  # fmt: skip
def test_what_stands_behind_the_voltages(event: int, tail: str, name: str, value: object) -> None:
    values = decode(report("0000|0000|0000|019A|0000," + tail, event)).messages[0].values
    assert values[name] == value


def test_fuel_of_nothing_is_no_sensor() -> None:
    values = decode(report("0000|0000|0000|019A|0000,,,3,0000,,,")).messages[0].values
    assert "fuel_level_1" not in values


def test_compressed_reports_are_acknowledged_by_their_number() -> None:
    content = b"CCC,\x02\x01\x34\x00" + struct.pack("<I", 300) + fixed() + fixed(1, inputs=1)
    decoded = decode(framed(content, "X"))
    assert decoded.reply == b"@@X27,353358017784062,CCC,2*F8\r\n"
    first, second = decoded.messages
    assert (first.latitude, first.longitude, first.altitude) == (50.651916, -14.727517, -28)
    assert (first.speed, first.heading, first.hdop, first.satellites) == (61, 271, 1.2, 9)
    assert (first.event_id, second.event_id) == (403, 202)
    assert first.time == (946_684_800 + 442_066_572) * 1000
    assert first.values["battery_voltage"] == 4.17
    assert first.values["board_voltage"] == 12.18
    assert (first.values["input_status"], first.values["output_status"]) == (4, 1)
    assert first.cells is not None
    assert (first.cells[0].mcc, first.cells[0].mnc) == (230, 1)


def test_records_of_a_later_version_keep_what_is_not_known() -> None:
    content = b"CCC,\x01\x05\x3c\x00\0\0\0\0" + fixed() + bytes(8)
    (message,) = decode(framed(content)).messages
    assert message.latitude == 50.651916
    assert message.values["meitrack_record"].startswith("0501:")


def test_named_parameters() -> None:
    record = named(
        [("01", b"\x23"), ("05", b"\x01"), ("06", b"\x0b"), ("fe69", b"\x55"), ("47", b"\x02")],
        [("08", b"\x3d\x00"), ("0b", b"\xe4\xff"), ("19", b"\x9a\x01"), ("40", b"\x81\x00")],
        [("02", struct.pack("<i", -27_257_698)), ("03", struct.pack("<i", 153_030_471)),
         ("04", struct.pack("<I", 800_000_000)), ("0c", struct.pack("<I", 48_204)),
         ("25", struct.pack("<I", 12_165_644)), ("fef4", struct.pack("<I", 90))],
        [("0e", struct.pack("<HHHIh", 505, 1, 28_721, 147_591_170, -91)),
         ("1d", bytes.fromhex("020304050607") + struct.pack("<h", -70)),
         ("2b", b"\x02" + struct.pack("<h", -1234)),
         ("fea8", b"\x01\x4d\x01\x21\x00\x00\x00"), ("aa", b"\x01\x02")],
    )  # fmt: skip
    decoded = decode(framed(b"CCE," + struct.pack("<IH", 5, 1) + record))
    (message,) = decoded.messages
    assert decoded.reply is None
    assert (message.latitude, message.longitude, message.altitude) == (-27.257698, 153.030471, -28)
    assert (message.speed, message.satellites, message.valid) == (61, 11, True)
    assert message.event_id == 241
    assert message.wifi is not None
    assert (message.wifi[0].mac, message.wifi[0].rssi) == ("02:03:04:05:06:07", -70)
    assert message.cells is not None
    assert (message.cells[0].cell_id, message.cells[0].rssi) == (147_591_170, -91)
    expected = {
        "battery_voltage": 4.1,
        "hardware_mileage": 48.204,
        "hardware_key": "12165644",
        "engine_hours": 1.5,
        "temperature_2": -12.34,
        "battery_level": 77,
        "battery_level_of_2": 33,
        "meitrack_locked": True,
        "meitrack_aa": "0102",
        "meitrack_cached": 5,
    }
    assert {name: message.values[name] for name in expected} == expected


def test_the_same_record_is_the_same_whatever_waits_behind_it() -> None:
    record = named([], [], [("04", bytes(4))], [])
    digests = {
        decode(framed(b"CCE," + struct.pack("<IH", left, 1) + record)).messages[0].digest_of
        for left in (0, 9)
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    "frame",
    [
        OK[:20],
        OK.replace(b"*02", b"*03"),
        OK.replace(b"V28", b"V29"),
        b"$$V28,OK*02\r\n",
        framed(b"AAA,35,22.5,114.0"),
        framed(report()[23:-5].replace(b"-33.866543", b"-93.866543")),
        framed(report()[23:-5].replace(b"240229", b"241329")),
        framed(b"CCC,\x02\x01"),
        framed(b"CCC,\x02\x01\x34\x00\0\0\0\0" + fixed()[:-1]),
        framed(b"CCC,\x02\x01\x34\x00\0\0\0\0" + fixed(latitude=99_000_000)),
        framed(b"CCC,\x02\x01\x00\x00\0\0\0\0"),
        framed(b"CCE,\0\0\0\0\x02\0" + named([], [], [], [])),
        framed(b"CCE,\0\0\0\0\x01\0" + named([("01", b"")], [], [], [])),
        framed(b"D00,a.jpg,3,3,xyz"),
        framed(b"D00,a.jpg,3,x,xyz"),
    ],
)
def test_a_broken_frame_is_an_error(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(frame)


def test_a_picture_is_asked_for_until_it_is_there() -> None:
    protocol = Meitrack()
    taken = protocol.decode(framed(b"D03,OK", "c"), DEVICE)
    assert isinstance(taken.reply, bytes)
    assert taken.reply.startswith(b"@@c46,353358017784062,D00,camera_picture.jpg,0*")
    parts = [bytes((number,)) * 20 + b"\r\n*,$$" for number in range(10)]
    replies = []
    for number in [*range(5), *range(6, 8), 8, 9, 5]:
        content = b"D00,p.jpg,10,%d," % number + parts[number]
        decoded = protocol.decode(framed(content, "d"), DEVICE)
        if isinstance(decoded.reply, bytes):
            replies.append(decoded.reply.split(b"*")[0])
    assert replies == [b"@@d33,353358017784062,D00,p.jpg,5"] * 2
    (message,) = decoded.messages
    assert message.values["meitrack_picture"] == b"".join(parts)
    assert decoded.hello == Hello([UNIT])


def test_a_sign_of_life_is_answered() -> None:
    assert decode(framed(b"AAC", "z")).reply == b"@@z27,353358017784062,AAC,1*15\r\n"


def test_a_documented_command_and_its_answer() -> None:
    encoded = Meitrack().encode(Command(21, b"A12,6"), DEVICE)
    assert encoded.data == b"@@V27,353358017784062,A12,6*D5\r\n"
    (answer,) = decode(OK).answers
    assert (answer.key, answer.text, answer.ok) == (encoded.key, "A12,OK", True)


def test_a_command_typed_with_its_frame_keeps_its_identifier() -> None:
    encoded = Meitrack().encode(Command(4, b"@@Q25,353358017784062,A10*6A"), DEVICE)
    assert encoded.data == b"@@Q25,353358017784062,A10*6A\r\n"
    decoded = decode(report(event=34))
    assert [answer.key for answer in decoded.answers] == ["A"]
    assert len(decoded.messages) == 1


@pytest.mark.parametrize("text", [b"C01,Error", b"A12,Failed"])
def test_a_refusal_is_not_ok(text: bytes) -> None:
    assert [answer.ok for answer in decode(framed(text)).answers] == [False]


@pytest.mark.parametrize(
    "payload", [b"", b"A12\n6", b"A12*6", b"@@", b"A" * (LONGEST_COMMAND + 1), b"\xff"]
)
def test_what_is_no_command_is_refused(payload: bytes) -> None:
    with pytest.raises(CommandError):
        Meitrack().encode(Command(1, payload), DEVICE)


def test_bytes_are_sent_as_they_are() -> None:
    assert Meitrack().encode(Command(1, b"\x01\x02", "hex"), DEVICE).data == b"\x01\x02"


def test_stream_of_everything_is_cut_in_order() -> None:
    binary = framed(b"CCC,\x02\x01\x34\x00\0\0\0\0" + fixed(13, inputs=10))
    wanted = [SOS, binary, OK, framed(b"D00,a.jpg,9,1,\r\n$$\r\n")]
    stream = b"".join(wanted) + OK[:9]
    for size in (1, 7, len(stream)):
        assert in_pieces(Meitrack(), stream, size) == (wanted, OK[:9])


def test_a_line_of_a_wrong_length_ends_where_it_ends() -> None:
    short = OK.replace(b"V28", b"V20")
    assert Meitrack().frames(bytearray(short + OK)) == [short, OK]
    long = OK.replace(b"V28", b"V90")
    for size in (1, 7, 200):
        assert in_pieces(Meitrack(), long + OK + OK, size) == ([long, OK, OK], b"")
    with pytest.raises(ProtocolError, match="90 stated"):
        Meitrack().decode(long, None)


@pytest.mark.parametrize("data", [b"$%A", b"$$1", b"$$A123456,", b"xyz", b"$$A99999,", b"@@A28,"])
def test_what_cannot_begin_a_message_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Meitrack().frames(bytearray(data))


def test_a_datagram_is_whole() -> None:
    with pytest.raises(ProtocolError):
        Meitrack(Transport.UDP).frames(bytearray(OK[:-3]))


@pytest.mark.parametrize(
    ("start", "known"),
    [
        (b"", None), (b"$", None), (b"$$", None), (b"$$A13", None), (b"$$A131,3533", None),
        (SOS, True), (b"$$\x00\x11\x13", False), (b"$$A,35", False), (b"$$A131,abc", False),
        (b"$GPRMC", False),
    ],
)  # fmt: skip
def test_recognition_from_the_first_bytes(start: bytes, known: bool | None) -> None:
    assert Meitrack.recognises(start) is known
