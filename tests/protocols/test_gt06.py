"""GT06: what a device and its owner rely on beside the recorded messages.

Documented packets are the examples of the JM-VL03 protocol document, V1.1.2 (some have a wrong
checksum there, and are given a right one here).
"""

from __future__ import annotations

import pytest
from fastcrc import crc16
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
from waypost.protocols.gt06 import LONGEST_COMMAND, Gt06
from waypost.telemetry.message import Message, utc_ms

IMEI = "752533678900242"
DEVICE = Device(IMEI)
LOG_IN = bytes.fromhex("78781101075253367890024270003201000512790D0A")
HEARTBEAT = bytes.fromhex("78780A134004040001000FDCEE0D0A")
POSITION = "0F0C1D023305C9027AC8180C46586000140001CC00287D001F71"
ALARM = "0F0C1D030B26C9027AC8180C4658600004000901CC00287D001F718004041302"
MIDNIGHT = utc_ms(2015, 12, 29)


def packet(kind: int, content: str | bytes, serial: int = 8, *, long: bool = False) -> bytes:
    data = bytes.fromhex(content) if isinstance(content, str) else content
    body = (len(data) + 5).to_bytes(2 if long else 1, "big") + bytes((kind,)) + data
    body += serial.to_bytes(2, "big")
    mark = b"yy" if long else b"xx"
    return mark + body + crc16.ibm_sdlc(body).to_bytes(2, "big") + b"\r\n"


def decode(frame: bytes, device: Device = DEVICE) -> Decoded:
    return Gt06().decode(frame, device)


def message_of(kind: int, content: str, device: Device = DEVICE, *, long: bool = False) -> Message:
    (message,) = decode(packet(kind, content, long=long), device).messages
    return message


def test_a_documented_log_in_names_the_device_and_is_answered() -> None:
    decoded = decode(LOG_IN)
    assert decoded.hello == Hello([IMEI])
    assert decoded.reply == bytes.fromhex("7878050100059FF80D0A")


def test_a_heartbeat_tells_the_state_and_is_answered() -> None:
    decoded = decode(HEARTBEAT)
    (message,) = decoded.messages
    assert decoded.reply == packet(0x13, "", 0x0F)
    assert message.time is None
    assert message.values["battery_level"] == 66
    assert message.values["gsm_level"] == 100
    assert (message.values["ignition"], message.values["charging"]) == (False, False)
    again = decode(packet(0x13, "4004040001", 0x10)).messages[0]
    assert again.digest_of != message.digest_of


def test_documented_position() -> None:
    decoded = decode(packet(0x22, POSITION + "000100"))
    (message,) = decoded.messages
    assert decoded.reply == packet(0x22, "")
    assert message.time == MIDNIGHT + ((2 * 60 + 51) * 60 + 5) * 1000
    assert message.latitude == pytest.approx(23.111693, abs=1e-6)
    assert message.longitude == pytest.approx(114.409298, abs=1e-6)
    assert (message.satellites, message.valid, message.heading) == (9, True, 0)
    assert message.cells is not None
    assert (message.cells[0].mcc, message.cells[0].mnc) == (460, 0)
    assert (message.cells[0].lac, message.cells[0].cell_id) == (10365, 8049)
    assert message.event_id == 404
    assert message.values["ignition"] is False


def test_a_buffered_position_is_the_same_position() -> None:
    live, late = (message_of(0x22, f"{POSITION}0100{again}000004D2") for again in ("00", "01"))
    assert (live.buffered, late.buffered) == (False, True)
    assert live.digest_of == late.digest_of
    assert live.values["hardware_mileage"] == 1.234


def test_wide_cells_of_fourth_generation_networks() -> None:
    fix = POSITION[:36]
    narrow = message_of(0xA0, fix + "02DC" + "65" + "00006981" + "000000000956 74C9" + "010000")
    wide = message_of(0xA0, fix + "82DC" + "0165" + "00006981" + "00000000095674C9" + "010000")
    assert narrow.cells is not None
    assert wide.cells is not None
    assert (narrow.cells[0].mcc, narrow.cells[0].mnc) == (732, 101)
    assert (wide.cells[0].mcc, wide.cells[0].mnc) == (732, 357)
    assert narrow.cells[0].cell_id == wide.cells[0].cell_id == 156_660_937


@pytest.mark.parametrize(
    ("kind", "content", "event", "battery"),
    [
        (0x26, ALARM, 103, 66),
        (0x26, ALARM.replace("8004041302", "8004040102"), 202, 66),
        (0x26, ALARM.replace("8004041302", "9004040002"), 2, 66),  # only the state says it
        (0x26, ALARM.replace("8004041302", "8064040602"), 224, 100),
        (0x26, ALARM.replace("8004041302", "800404FE02") + "000004D2", 605, 66),
        (0x27, ALARM.replace("8004041302", "800204040203"), 409, 33),
        (0x16, ALARM, 103, 66),
        (0x26, ALARM.replace("0901CC00287D001F71", "00"), 103, 66),
        (0xA4, ALARM[:36] + "1001CC000000287D0000000000001F718004042C02FF", 242, 66),
    ],
)
def test_alarms(kind: int, content: str, event: int, battery: int) -> None:
    decoded = decode(packet(kind, content))
    (message,) = decoded.messages
    assert decoded.reply == packet(kind, "")
    assert message.event_id == event
    assert message.values["battery_level"] == battery
    assert message.latitude == pytest.approx(23.111693, abs=1e-6)
    assert not message.valid


def test_the_clock_of_old_packets_is_that_of_the_log_in() -> None:
    protocol = Gt06()
    utc = utc_ms(2015, 12, 29, 2, 51, 5)
    old, new = packet(0x12, POSITION), packet(0x22, POSITION + "000000")

    def times(device: Device) -> tuple[int | None, int | None]:
        return tuple(protocol.decode(frame, device).messages[0].time for frame in (old, new))  # type: ignore[return-value]

    assert times(DEVICE) == (utc, utc)
    protocol.decode(LOG_IN, DEVICE)
    assert times(DEVICE) == (utc - 8 * 3_600_000, utc)
    protocol.decode(packet(1, "0752533678900242" + "7000" + "4DD8"), DEVICE)
    assert times(DEVICE) == (utc + (12 * 60 + 45) * 60_000, utc)
    assert times(Device(IMEI, setup={"utc_offset": 60})) == (utc - 3_600_000, utc)


def test_a_device_without_clock_and_fix_is_heard() -> None:
    message = message_of(0x12, "00" * 6 + "C0" + "00" * 11 + "01CC00287D001F71")
    assert message.time is None
    assert not message.has_location
    assert message.cells is not None


def test_the_time_is_told_to_who_asks() -> None:
    protocol = Gt06()
    protocol.clock = lambda: utc_ms(2015, 12, 29, 0, 0, 21)
    decoded = protocol.decode(bytes.fromhex("7878058A000688290D0A"), DEVICE)
    assert decoded.reply == bytes.fromhex("78780B8A0F0C1D0000150006F0860D0A")


def test_who_asks_for_an_address_gets_an_answer() -> None:
    content = POSITION[:36] + b"125201353217079".ljust(21, b"\0").hex() + "0002"
    decoded = decode(packet(0x2A, content, 0x2A))
    assert decoded.messages == []
    assert decoded.reply == packet(0x97, b"\x0b\0\0\0\0NA&&NA&&0##", 0x2A, long=True)


def test_cells_and_access_points() -> None:
    cells = "00287D001F713E" + "287D001F7231" + "0" * 60
    content = "10010D020202" + "01CC" + cells + "FF"
    message = message_of(0x28, content + "0002")
    assert message.event_id == 402
    assert not message.has_location
    assert message.cells is not None
    assert [(cell.lac, cell.cell_id, cell.rssi) for cell in message.cells] == [
        (10365, 8049, -62),
        (10365, 8050, -49),
    ]
    message = message_of(0x2C, content + "02" + "0203040506073C" + "0203040506084F")
    assert message.wifi is not None
    assert [(point.mac, point.rssi) for point in message.wifi] == [
        ("02:03:04:05:06:07", -60),
        ("02:03:04:05:06:08", -79),
    ]


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        ("00" + "049F", "board_voltage", 11.83),
        ("05" + "07", "door_state_1", 1),
        ("05" + "07", "input_status", 1),
        ("0A" + "0752533678900242" + "0460001234567890" + "89860112851083310123",
         "gt06_iccid", "89860112851083310123"),
        ("1B" + b"RFID:00A1\r\n".hex(), "hardware_key", "00A1"),
        ("04" + b"ALM1=FF;STA1=C0;DYD=02;SOS=12345;".hex(), "output_status", 1),
        ("0D" + b"!AIOIL,1,80.5,23.5,V1,0100,62.25,1,99,AB".hex(), "fuel_level_1", 62.25),
        ("1E" + "FFFFFF9C" + "00000237", "temperature_1", -10.0),
        ("1E" + "FFFFFF9C" + "00000237", "humidity_1", 56.7),
        ("77" + "0102", "gt06_information_77", "0102"),
    ],
)  # fmt: skip
def test_information(content: str, name: str, value: object) -> None:
    assert message_of(0x94, content, long=True).values[name] == value


def test_the_model_decides_where_the_content_does_not() -> None:
    content = "460B120400"
    assert message_of(0x13, content).values["battery_level"] == 11
    assert message_of(0x13, content, Device(IMEI, "jimi_r11")).values["board_voltage"] == 28.34


def test_a_picture_is_asked_for_piece_by_piece() -> None:
    protocol = Gt06()
    picture = bytes(range(256)) * 5
    place = "11061A0B243305" + "03107D06" + "084889CB" + "010001"
    announced = place + len(picture).to_bytes(4, "big").hex() + "20E3ACD3"
    reply = protocol.decode(packet(0x35, announced), DEVICE).reply
    assert reply == packet(0x36, "20E3ACD3" + "00000000" + "0400", 0)

    def piece(offset: int, size: int) -> Decoded:
        content = bytes.fromhex("20E3ACD3") + offset.to_bytes(4, "big") + size.to_bytes(2, "big")
        data = content + picture[offset : offset + size]
        return protocol.decode(packet(0x36, data, long=True), DEVICE)

    rest = packet(0x36, "20E3ACD3" + "00000400" + "0100", 0)
    assert piece(0, 1024).reply == rest
    assert piece(0, 1024).reply == rest
    (message,) = piece(1024, 256).messages
    assert message.values["gt06_picture"] == picture
    assert message.time == utc_ms(2017, 6, 26, 11, 36, 51)
    assert piece(1024, 256) == Decoded()


def test_a_command_and_its_answers() -> None:
    encoded = Gt06().encode(Command(0x1234, b"sos#"), DEVICE)
    assert encoded.data == packet(0x80, b"\x08\0\0\x12\x34sos#", 0x1234)
    for frame in (
        packet(0x21, b"\0\0\x12\x34\x01OK!", long=True),
        packet(0x21, b"\0\0\x12\x34\x02" + "OK!".encode("utf-16-be"), long=True),
        packet(0x15, b"\x07\0\0\x12\x34OK!\0\x02"),
        packet(0x15, b"\x00\0\0\x12\x34OK!\0\0\0\0\x02"),
    ):
        decoded = decode(frame)
        assert decoded.messages == []
        assert decoded.reply is None
        (answer,) = decoded.answers
        assert (answer.key, answer.text, answer.ok) == (encoded.key, "OK!", True)
    (answer,) = decode(packet(0x21, b"\0\0\0\0\x01Command error!", long=True)).answers
    assert (answer.key, answer.ok) == (None, False)


def test_an_answer_that_states_a_position_is_one() -> None:
    text = (
        b"Current position!Lat:S22.571707,Lon:E113.870150,Course:90.50,Speed:12.00,"
        b"DateTime:2016-05-12 07:46:09"
    )
    decoded = decode(packet(0x21, b"\0\0\0\x07\x01" + text, long=True))
    (message,) = decoded.messages
    assert len(decoded.answers) == 1
    assert (message.latitude, message.longitude, message.speed) == (-22.571707, 113.87015, 12)
    assert message.time == utc_ms(2016, 5, 12, 7, 46, 9)


def test_a_language_is_added_for_trackers_that_want_it() -> None:
    device = Device(IMEI, setup={"language": 2})
    data = Gt06().encode(Command(1, b"WHERE#"), device).data
    assert data == packet(0x80, b"\x0a\0\0\0\x01WHERE#\0\x02", 1)


@pytest.mark.parametrize("payload", [b"", b"A\nB", b"\xff", "é#".encode(), b"A" * 246])
def test_what_is_no_command_is_refused(payload: bytes) -> None:
    with pytest.raises(CommandError):
        Gt06().encode(Command(1, payload), DEVICE)


def test_the_longest_command_fits() -> None:
    data = Gt06().encode(Command(1, b"A" * LONGEST_COMMAND), DEVICE).data
    assert Gt06().frames(bytearray(data)) == [data]
    assert Gt06().encode(Command(1, b"\x01\x02", "hex"), DEVICE).data == b"\x01\x02"


def test_an_echo_of_an_acknowledgement_is_not_answered() -> None:
    assert decode(packet(0x12, "")) == Decoded()


def test_packets_without_checksum_are_answered_in_their_way() -> None:
    beat = bytes.fromhex("787801080D0A")
    assert decode(beat).reply == beat
    scan = bytes.fromhex("7878011719012105090302030405060750" + "01028F01" + "007549E05A" + "0D0A")
    decoded = decode(scan)
    assert decoded.reply == bytes.fromhex("787800171901210509030D0A")
    (message,) = decoded.messages
    assert message.time == utc_ms(2019, 1, 21, 5, 9, 3)
    assert message.cells is not None
    assert message.wifi is not None
    assert (message.cells[0].mcc, message.cells[0].cell_id) == (655, 18912)
    assert message.wifi[0].mac == "02:03:04:05:06:07"


def test_stream_of_everything_is_cut_in_order() -> None:
    scan = bytes.fromhex("78780069190121050903" + "01028F01" + "007549E05A" + "0D0A")
    wanted = [
        LOG_IN,
        packet(0x22, POSITION + "0D0A0D"),
        packet(0x94, b"\x04ALM1=FF;\r\n;", long=True),
        scan,
        bytes.fromhex("787801080D0A"),
        HEARTBEAT,
    ]
    stream = b"".join(wanted) + LOG_IN[:11]
    for size in (1, 7, len(stream)):
        assert in_pieces(Gt06(), stream, size) == (wanted, LOG_IN[:11])


def test_a_wrong_length_is_bridged_where_the_checksum_is_right() -> None:
    frame = bytearray(HEARTBEAT)
    frame[2] -= 2
    frame[-4:-2] = crc16.ibm_sdlc(bytes(frame[2:-4])).to_bytes(2, "big")
    protocol = Gt06()
    assert protocol.frames(bytearray(frame + LOG_IN)) == [bytes(frame), LOG_IN]
    assert protocol.decode(bytes(frame), DEVICE).messages[0].values["battery_level"] == 66


@pytest.mark.parametrize(
    "frame",
    [
        HEARTBEAT[:-3],
        HEARTBEAT[:-4] + b"\0\0\r\n",
        HEARTBEAT[:4] + b"\x41" + HEARTBEAT[5:],
        bytes.fromhex("787801130D0A"),
        packet(1, "0752"),
        packet(1, "0FF2533678900242"),
        packet(1, "0000000000000000"),
        packet(0x12, POSITION[:30]),
        packet(0x12, POSITION.replace("0F0C1D", "0F0D1D")),
        packet(0x12, POSITION.replace("027AC818", "FFFFFFFF")),
        packet(0x26, ALARM[:-8]),
        packet(0x13, "40"),
        packet(0x19, "01CC"),
        packet(0x94, "", long=True),
        packet(0x94, "0A01", long=True),
        packet(0x70, "0033001200", long=True),
        packet(0x15, "02"),
        packet(0x21, "0000", long=True),
        packet(0x35, "00" * 30),
        packet(0x2C, "10010D02020201CC00" + "00" * 43 + "05" + "00" * 7),
        packet(0x32, "0F0C1D023305FF", long=True),
    ],
)
def test_a_broken_frame_is_an_error(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(frame)


@pytest.mark.parametrize("data", [b"xy\x05", b"\x00", b"yx", b"yy\xff\xf0\x94"])
def test_what_cannot_begin_a_packet_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        Gt06().frames(bytearray(data))


def test_a_datagram_is_whole() -> None:
    assert Gt06(Transport.UDP).frames(bytearray(LOG_IN + HEARTBEAT)) == [LOG_IN, HEARTBEAT]
    with pytest.raises(ProtocolError):
        Gt06(Transport.UDP).frames(bytearray(LOG_IN[:-1]))


@pytest.mark.parametrize(
    ("start", "known"),
    [(b"", None), (b"x", None), (b"y", None), (LOG_IN[:4], None), (LOG_IN, True), (b"xy", False)],
)
def test_recognition_from_the_first_bytes(start: bytes, known: bool | None) -> None:
    assert Gt06.recognises(start) is known
