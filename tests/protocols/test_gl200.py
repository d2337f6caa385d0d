"""Queclink @Track as devices speak it. The messages are examples of Queclink's manuals and messages
published in forums and issue trackers; recorded ones are in tests/corpus."""

from __future__ import annotations

from typing import Any

import pytest
from fastcrc import crc16

from waypost.protocols.base import (
    Command,
    CommandError,
    Decoded,
    Device,
    ProtocolError,
    Transport,
)
from waypost.protocols.gl200 import Gl200
from waypost.telemetry.message import Message, iso_time

DEVICE = Device("867995030082104")
FRI = (
    "+RESP:GTFRI,4B0303,867995030082104,,,10,1,1,0.0,0,47.3,117.129238,31.838810,20190416081145,"
    "0460,0000,550B,B969,00,0.0,,,,0,210100,,,,20190416081146,0856$"
)
HEX_FRI = (
    "2B5253500700FE0FBF005D4B03050318564F5F0300520A04000100211810010100000000AF004306FB3FDE01E5D3C8"
    "07E3041802093904600000550BB969000000000000000000000000000000000000"
    "07E304180209 3ABBCD1D7C0D0A"
)
HEX_IGN = (
    "2B4556540D00FE5FBF00644B03050318564F5F0300520A0455000000000100221900001CC7010000000000F8006906FB"
    "404901E5D43B07E3041805103A04600000550BB96900000000000000000000000000000000000007E30418051102BE1D"
    "62A20D0A"
)
HEX_HEARTBEAT = "2B484244EF204B03060319564F5F0300520A0407E3041A082D010455D37B0D0A"
HEX_ANSWER = "2B41434B02EF244B03050318564F5F0300520A0400002807E30418020918BBCA4CD10D0A"
PRO = (
    "2b000038000865134050947226820300030000216a908d67247f5000521619fa8b85e702ab64326a908d67"
    "0000050082000aa51da13d0424"
)
PRO_HEARTBEAT = "2B1018012345678901234580010007005E362F5A10F21424"


def decode(message: str | bytes) -> Decoded:
    data = message if isinstance(message, bytes) else message.encode()
    protocol = Gl200()
    (frame,) = protocol.frames(bytearray(data))
    return protocol.decode(frame, DEVICE)


def only(message: str | bytes) -> Message:
    (found,) = decode(message).messages
    return found


def values(message: str | bytes, *names: str) -> dict[str, Any]:
    found = only(message).values
    return {name: found[name] for name in names if name in found}


def test_a_fixed_report() -> None:
    decoded = decode(FRI)
    assert decoded.hello is not None
    assert decoded.hello.device_ids == ["867995030082104"]
    assert decoded.hello.model == "GV300CAN"
    assert decoded.reply == b"+SACK:0856$"
    assert decoded.reply_means_stored
    (message,) = decoded.messages
    assert (message.longitude, message.latitude, message.altitude) == (117.129238, 31.83881, 47.3)
    assert (message.speed, message.heading, message.hdop, message.valid) == (0, 0, 1, True)
    assert iso_time(message.time) == "2019-04-16T08:11:45Z"
    assert iso_time(message.device_time) == "2019-04-16T08:11:46Z"
    assert message.event_id == 403
    assert message.values["battery_level"] == 0
    assert message.values["ignition"] is True
    assert message.values["is_moving"] is False
    assert message.values["input_status"] == 1
    assert message.cells is not None
    cell = message.cells[0]
    assert (cell.mcc, cell.mnc, cell.lac, cell.cell_id) == (460, 0, 0x550B, 0xB969)


def test_a_buffered_copy_is_the_same_report() -> None:
    live, kept = only(FRI), only(FRI.replace("+RESP", "+BUFF"))
    assert (kept.time, kept.digest_of) == (live.time, live.digest_of)
    assert kept.buffered
    assert not live.buffered


def test_what_makes_a_report_itself() -> None:
    """Not when it was sent, unless it has no current fix of its own."""
    live = only(FRI)
    again = only(FRI.replace("20190416081146,0856", "20190416081246,0857"))
    assert again.digest_of == live.digest_of
    assert only(FRI.replace(",100,", ",99,").replace("47.3", "47.4")).digest_of != live.digest_of
    assert only(FRI.replace("GTFRI", "GTRTL")).digest_of != live.digest_of
    parked = FRI.replace(",10,1,1,0.0", ",10,1,0,0.0")
    later = parked.replace("20190416081146,0856", "20190416091146,0857")
    assert only(parked).digest_of != only(later).digest_of
    assert only(parked).digest_of == only(parked.replace("+RESP", "+BUFF")).digest_of


def test_several_positions_in_one_report() -> None:
    report = (
        "+RESP:GTFRI,4B0303,867995030082104,,,10,2,1,0.0,0,47.3,117.129238,31.838810,"
        "20190416081255,0460,0000,550B,B969,00,1,3.5,90,47.3,117.129300,31.838820,20190416081310,"
        "0460,0000,550B,B969,00,12.5,,,,80,210100,,,,20190416081311,085F$"
    )
    first, last = decode(report).messages
    assert iso_time(first.time) == "2019-04-16T08:12:55Z"
    assert iso_time(last.time) == "2019-04-16T08:13:10Z"
    assert last.speed == 3.5
    assert "battery_level" not in first.values, "told once, with the newest position"
    assert (last.values["battery_level"], last.values["hardware_mileage"]) == (80, 12.5)
    assert first.digest_of != last.digest_of
    # newer portable trackers: the cell once, after the last position
    report = (
        "+BUFF:GTFRI,970208,867963069900001,GL30MEU,0,0,3,1,27.4,75,475.0,16.372215,48.208327,"
        "20260702130741,1,30.2,49,476.7,16.372300,48.208482,20260702130742,1,33.3,32,476.9,"
        "16.372357,48.208598,20260702130743,0232,0001,A1B2,0001A2B4,13,0,4063,95,1,1,,"
        "20260702130743,0084$"
    )
    found = decode(report).messages
    assert [message.speed for message in found] == [27.4, 30.2, 33.3]
    assert found[2].cells is not None
    assert (found[2].values["battery_level"], found[2].values["battery_voltage"]) == (95, 4.063)
    # columns that the report mask leaves empty, and no send time
    report = (
        "+BUFF:GTFRI,301201,860599002480051,,0,0,2,1,,,,-2.873120,52.161232,20240710153241,,,,,,"
        "1,,,,-2.873121,52.161232,20240710153246,,,,,,64,,2193$"
    )
    found = decode(report).messages
    assert [message.longitude for message in found] == [-2.87312, -2.873121]
    assert (found[1].speed, found[1].values["battery_level"]) == (None, 64)


def test_the_append_mask_is_hex_and_moves_what_follows() -> None:
    report = (
        "+BUFF:GTFRI,8020210100,868487004398921,GV30CAU,12000,10,1,5,60.0,180,50.0,117.129417,"
        "31.839262,20250307030323,0460,0001,DF5C,027A4F1F,{},12345.6,0000012:34:56,12000,0,0,80,"
        "220100,0,4,28,,20250307030325,00AF$"
    )
    for mask, satellites in (("00", None), ("01,12", 12), ("03,12,2", 12), ("0A,1,2", None)):
        message = only(report.format(mask))
        assert message.satellites == satellites
        assert message.values["hardware_mileage"] == 12345.6
        assert message.values["engine_hours"] == 12.5822
        assert message.values["battery_level"] == 80
        assert message.values["analog_1"] == 12.0


ERI = (
    "+RESP:GTERI,040A00,862894022579562,gv200,00000002,,10,1,1,96.1,180,749.7,39.222692,24.165463,"
    "20210225065756,0420,0004,759C,3360,00,15529.8,,,2789,,01,00,2,2,282BD47A0B000063,1,FFE2,"
    "281FDD5D0B000057,1,FFC8,20210225065800,6974$"
)


def test_sensors_behind_the_device() -> None:
    assert values(ERI, "temperature_1", "temperature_2", "input_status", "analog_2") == {
        "temperature_1": -1.875,
        "temperature_2": -3.5,
        "input_status": 1,
        "analog_2": 2.789,
    }
    keys = (
        "+RESP:GTERI,4B0306,867995030009362,,00000002,,10,1,1,0.0,0,40.4,117.129326,31.839245,"
        "20190522064541,0460,0000,550B,B969,00,0.0,,,65,210100,,2,3C00000340FD1128,2,019E,"
        "FD0000034129ED28,2,01AC,20190522064542,0541$"
    )
    found = only(keys).values
    assert found["hardware_key"] == "FD0000034129ED28"
    assert "temperature_1" not in found, "an iButton has none"
    assert found["battery_level"] == 65
    fuel = (
        "+BUFF:GTERI,410502,864802030794634,,00000001,,10,1,1,0.0,0,3027.8,-78.706612,-0.955699,"
        "20230418170736,0740,0002,A08C,2AB72D,00,0.0,,,,100,110000,1,0099,20230418171004,8B98$"
    )
    assert only(fuel).values["lls_level_raw_1"] == 153


def test_a_bluetooth_accessory() -> None:
    report = (
        "+RESP:GTERI,6E1203,864696060004173,GV310LAU,00000100,,10,1,1,0.0,0,115.8,117.129356,"
        "31.839248,20230808061540,0460,0001,DF5C,05FE6667,03,15,,4.0,0000102:34:33,14549,42,11172,"
        "100,210000,0,1,0,06,12,0,001A42A2,0617,TMPS,08351B00043C,1,26,65,20231030085704,"
        "20231030085704,0017$"
    )
    found = only(report).values
    assert (found["ble_temp_sensor_1"], found["ble_tire_pressure_1"]) == (26, 65)
    assert found["analog_3"] == 11.172


def test_the_vehicles_bus() -> None:
    report = (
        "+RESP:GTCAN,F10310,868446036599153,gv350m,0,1,FFFFFFFF,LFV82A1BS36355376,2,H20460,1040.50,"
        "528,25,98,L/H51.2,,,66,154.30,150.80,281.90,2517.00,6684,,,1,,,,0,,,1,0.0,0,118.9,"
        "114.015458,22.537211,20190823021704,0460,0001,253D,AEC3,,20190823101706,0FB1$"
    )
    message = only(report)
    assert message.valid
    assert message.latitude == 22.537211
    found = message.values
    assert (found["can_rpm"], found["can_speed"]) == (528, 25), "the engine's comes first"
    assert (found["can_mileage"], found["can_fuel_rate"]) == (2046.0, 51.2)
    assert (found["ignition"], found["can_engine_state"]) == (True, True)
    assert (found["vin"], found["engine_hours"]) == ("LFV82A1BS36355376", 154.3)
    impulses = report.replace("H20460", "I6782").replace("L/H51.2", "X9")
    assert "can_mileage" not in only(impulses).values
    assert "can_fuel_rate" not in only(impulses).values


@pytest.mark.parametrize(
    ("report", "event", "expected"),
    [
        ("GTSOS,060100,135790246811220,,,10,1,", 202, {}),
        ("GTTOW,060100,135790246811220,,,00,1,", 101, {}),
        ("GTDIS,060100,135790246811220,,,21,1,", 502, {"queclink_report_type": 1}),
        ("GTGEO,060100,135790246811220,,,01,1,", 409, {"queclink_report_id": 0}),
        ("GTGEO,1A0102,135790246811220,,3,0,1,", 410, {"queclink_report_id": 3}),
        ("GTSPD,060100,135790246811220,,,00,1,", 224, {}),
        ("GTHBM,060100,135790246811220,,,31,1,", 240, {}),
        ("GTHBM,060100,135790246811220,,,30,1,", 241, {}),
        ("GTIGL,F1030A,135790246811220,,,00,1,", 605, {"ignition": True}),
        ("GTIGL,270302,135790246811220,,,01,1,", 604, {"ignition": False}),
        ("GTIGL,BD0214,135790246811220,,,01,1,", 605, {"ignition": True}),
        ("GTIGN,060100,135790246811220,,1200,", 605, {"ignition": True}),
        ("GTIGF,060100,135790246811220,,1200,", 604, {"queclink_ignition_seconds": 1200}),
        ("GTVGF,060100,135790246811220,,00,2,80,", 604, {"ignition": False}),
        ("GTIDN,060100,135790246811220,,21,", 302, {"ignition": True, "is_moving": False}),
        ("GTIDF,060100,135790246811220,,22,300,", 301, {"is_moving": True}),
        ("GTSTT,060100,135790246811220,,22,", 406, {"is_moving": True, "ignition": True}),
        ("GTSTT,060100,135790246811220,,16,", 101, {"is_moving": True, "ignition": False}),
        ("GTMPN,060100,135790246811220,,", 4, {}),
        ("GTMPF,060100,135790246811220,,", 2, {}),
        ("GTBPL,060100,135790246811220,,3.53,", 7, {"battery_voltage": 3.53}),
        ("GTBPL,1A0100,135790246811220,,3.53,", 1, {"battery_voltage": 3.53}),
        ("GTNMR,1A0102,135790246811220,,0,1,1,", 406, {"is_moving": True}),
        ("GTJDS,060100,135790246811220,,2,", 117, {}),
        ("GTGSS,060100,135790246811220,,0,", 609, {}),
        ("GTRMD,060100,135790246811220,,1,", None, {"gsm_roaming": True}),
        ("GTIDA,060100,135790246811220,,,D2C4FBC5,1,1,", None, {"hardware_key": "D2C4FBC5"}),
        ("GTDTT,060100,135790246811220,,,,0,5,a,b c,", None, {"queclink_data": ",,0,5,a,b c"}),
        ("GTXYZ,060100,135790246811220,,7,8,", None, {"queclink_data": "7,8"}),
    ],
)  # fmt: skip
def test_what_happened(report: str, event: int | None, expected: dict[str, Any]) -> None:
    position = (
        "1,4.3,92,70.0,121.354335,31.222073,20090214013254,0460,0000,18d8,6141,00,2000.0,"
        "20090214013255,11F0$"
    )
    decoded = decode("+RESP:" + report + position)
    (message,) = decoded.messages
    assert (message.latitude, message.speed) == (31.222073, 4.3)
    assert message.event_id == event
    assert {name: message.values.get(name) for name in expected} == expected
    assert decoded.reply == b"+SACK:11F0$"


def test_the_last_known_position_is_told_by_its_time_and_the_status() -> None:
    report = (
        "+RESP:GTIGF,270302,867162025085234,,3519,{},0.0,92,111.2,-116.867638,32.450321,"
        "20180327070835,0334,0020,2B24,52CC3DE,00,,243.1,20180327070837,2A98$"
    )
    assert only(report.format(1)).values["gps_status"] is True
    last_known = only(report.format(0))
    assert last_known.values["gps_status"] is False
    assert last_known.hdop == 0
    assert last_known.valid
    empty = "+RESP:GTIGF,500101,868570000393782,,0,0,,,,,,,0730,0002,A08F,872B36,00,,0.0,{}$"
    message = only(empty.format("20240921021804,E3B1"))
    assert not message.has_location
    assert iso_time(message.time) == "2024-09-21T02:18:04Z"
    assert message.cells is not None
    assert message.values["ignition"] is False


def test_information_about_the_device() -> None:
    report = (
        "+RESP:GTINF,740904,862524060876527,GV350CEU,22,8935711001088072340f,38,0,1,28018,3,4.11,0,"
        "1,,,20251007143611,,0,0,0,11,00,+0000,0,20251007143612,34DA$"
    )
    assert values(report, "board_voltage", "battery_voltage", "charging", "battery_level") == {
        "board_voltage": 28.018,
        "battery_voltage": 4.11,
        "charging": False,
    }
    answer = "+RESP:GTCID,1A0102,135790246811220,,898600810906F8048812,20100214093254,11F0$"
    assert values(answer, "queclink_iccid") == {"queclink_iccid": "898600810906F8048812"}
    assert (
        only("+RESP:GTCSQ,1A0102,135790246811220,,31,0,20100214093254,11F0$").values["gsm_level"]
        == 100
    )
    alm = "+RESP:GTALM,1A0102,135790246811220,,2,1,BSI,cmnet,,,20100214093254,11F0$"
    assert values(alm, "queclink_data") == {"queclink_data": "2,1,BSI,cmnet,,"}


def test_a_clock_that_was_never_set_is_no_time() -> None:
    report = "+RESP:GTPNA,DE0115,865284042104863,gl500m,20200101000004,{}$"
    first, second = only(report.format("0001")), only(report.format("0002"))
    assert first.time is None
    assert first.digest_of != second.digest_of


def test_a_heartbeat_is_answered_once() -> None:
    decoded = decode("+ACK:GTHBD,8020050605,135790246811220,,20100214093254,11f0$")
    assert decoded.reply == b"+SACK:GTHBD,8020050605,11f0$", "the count as it came"
    assert decoded.hello is not None
    assert not decoded.messages
    assert not decoded.reply_means_stored


def test_a_command_and_its_answer() -> None:
    protocol = Gl200()
    sent = protocol.encode(Command(1, b"AT+GTRTO=gl300,1,,,,,,00a1"), DEVICE)
    assert sent.data == b"AT+GTRTO=gl300,1,,,,,,00a1$"
    decoded = decode("+ACK:GTRTO,1A0800,860599000773978,GL300,VER,00A1,20161006053520,0C19$")
    (answer,) = decoded.answers
    assert answer.key == sent.key
    assert answer.ok
    assert "VER" in answer.text
    assert protocol.encode(Command(1, b"AT+GTRTO=gl300,1$"), DEVICE).key is None
    assert protocol.encode(Command(1, b"\x01$\x02", "hex"), DEVICE).data == b"\x01$\x02"
    (refused,) = decode("+NACK:APN,123456789012345,C031,10,0,,0,012F,20210407101530,1234$").answers
    assert (refused.ok, refused.key) == (False, "012F")
    for bad in (b"", b" $ \r\n"[:1], b"AT+GTDAT=a$b,0001$", "AT+GTDAT=\u4e2d,0001$".encode()):
        with pytest.raises(CommandError):
            protocol.encode(Command(1, bad), DEVICE)


def test_hex_reports() -> None:
    message = only(bytes.fromhex(HEX_FRI))
    assert (message.longitude, message.latitude, message.altitude) == (117.129182, 31.839176, 67)
    assert (message.heading, message.satellites, message.valid) == (175, 8, True)
    assert iso_time(message.time) == "2019-04-24T02:09:57Z"
    assert message.values["ignition"] is True
    assert message.cells is not None
    assert (message.cells[0].mcc, message.cells[0].lac) == (460, 0x550B)
    decoded = decode(bytes.fromhex(HEX_IGN))
    (message,) = decoded.messages
    assert (message.longitude, message.latitude) == (117.129289, 31.839291)
    assert message.event_id == 605
    assert not message.valid
    assert message.values["queclink_ignition_seconds"] == 7367
    assert decoded.hello is not None
    assert decoded.hello.device_ids == ["867995030082104"]
    assert decoded.reply == b"+SACK:BE1D$"


def _hex(head: bytes, body: bytes) -> bytes:
    return head + body + crc16.ibm_3740(body).to_bytes(2, "big") + b"\r\n"


def test_hex_reports_that_were_kept_and_those_without_length() -> None:
    live = bytes.fromhex(HEX_FRI)
    kept = b"+BSP" + live[4:]
    assert only(kept).buffered
    assert only(kept).digest_of == only(live).digest_of
    short = _hex(b"+RSP", live[4:8] + b"\x3f" + live[11:-4])  # mask bit 7 off: no length
    for cut in (10, 40, len(short) - 1):
        buffer = bytearray(short[:cut])
        protocol = Gl200()
        assert protocol.frames(buffer) == []
        buffer += short[cut:]
        assert protocol.frames(buffer) == [short]
    assert only(short).latitude == 31.839176


def test_hex_heartbeat_and_answer() -> None:
    assert decode(bytes.fromhex(HEX_HEARTBEAT)).reply == b"+SACK:GTHBD,,0455$"
    (answer,) = decode(bytes.fromhex(HEX_ANSWER)).answers
    assert (answer.key, answer.text) == ("0028", "+ACK:GTQSS,0028")


def test_a_name_is_no_id_where_an_imei_was_told() -> None:
    live = bytearray.fromhex(HEX_FRI)
    live[16:24] = b"truck-7\0"
    named = _hex(b"+RSP", bytes(live[4:-4]))
    protocol = Gl200()
    hello = protocol.decode(named, None).hello
    assert hello is not None
    assert hello.device_ids == ["truck-7"]
    protocol.decode(bytes.fromhex(HEX_FRI), None)
    assert protocol.decode(named, DEVICE).hello is None


def test_a_batch_of_every_second() -> None:
    def bits(*parts: tuple[int, int]) -> bytes:
        value = size = 0
        for number, width in parts:
            value, size = value << width | number & (1 << width) - 1, size + width
        return value.to_bytes(size // 8, "big")

    records = (
        bits((1, 2), (0, 1), (500, 12), (359, 9))
        + (10_000_000).to_bytes(4, "big")
        + (50_000_000).to_bytes(4, "big")
        + (1_500_000_000).to_bytes(4, "big")
        + bits((2, 2), (0, 1), (-5, 7), (2, 7), (-100, 12), (200, 11))
        + b"\0"
        + bits((2, 2), (0, 1), (0, 7), (0, 7), (1, 12), (1, 11))
    )
    live = bytes.fromhex(HEX_FRI)
    body = bytearray(live[4:29]) + (4).to_bytes(2, "big") + records + live[-13:-4]
    body[0] = 100
    body[5:7] = (len(body) + 8).to_bytes(2, "big")
    found = decode(_hex(b"+RSP", bytes(body))).messages
    assert [message.time for message in found] == [
        1_500_000_000_000,
        1_500_000_001_000,
        1_500_000_003_000,
    ]
    assert [message.speed for message in found] == [50.0, 49.5, 49.5]
    assert [message.heading for message in found] == [359, 1, 1]
    assert [message.longitude for message in found] == [10.0, 9.9999, 9.999901]
    assert [message.latitude for message in found] == [50.0, 50.0002, 50.000201]


def test_protocol_pro() -> None:
    decoded = decode(bytes.fromhex(PRO))
    assert decoded.hello is not None
    assert decoded.hello.device_ids == ["865134050947226"]
    assert decoded.hello.model == "GV500CNA"
    (message,) = decoded.messages
    assert (message.longitude, message.latitude, message.altitude) == (-91.519513, 44.786738, 272.5)
    assert (message.satellites, message.hdop, message.heading) == (29, 0.5, 130)
    assert decoded.reply == b"+SACK:A13D$"
    heartbeat = decode(bytes.fromhex(PRO_HEARTBEAT))
    assert heartbeat.reply == b"+SACK:10F2$"
    assert not heartbeat.messages
    battery = "2d000027000861261070000944c031000c000010677e5b50004120026105010f404a0000453a24"
    (message,) = decode(bytes.fromhex(battery)).messages
    assert message.buffered
    assert message.values["battery_voltage"] == 3.904


def test_the_stream_is_cut_by_what_each_form_says() -> None:
    parts = [
        FRI[:-1].encode(),
        bytes.fromhex(HEX_FRI),
        bytes.fromhex(PRO),
        bytes.fromhex(HEX_HEARTBEAT),
        b"+ACK:GTHBD,1A0401,135790246811220,,20100214093254,11F0",
    ]
    stream = parts[0] + b"$\r\n" + parts[1] + parts[2] + parts[3] + parts[4] + b"\0"
    buffer = bytearray(stream)
    assert Gl200().frames(buffer) == parts
    assert not buffer
    one = Gl200()
    buffer, found = bytearray(), []
    for byte in stream:
        buffer.append(byte)
        found += one.frames(buffer)
    assert found == parts


def test_a_datagram_ends_a_message() -> None:
    assert len(Gl200(Transport.UDP).frames(bytearray(FRI[:-1].encode()))) == 1
    assert Gl200(Transport.TCP).frames(bytearray(FRI[:-1].encode())) == []


def test_a_dollar_in_a_payload_costs_only_that_report() -> None:
    protocol = Gl200()
    stream = bytearray(
        (FRI + "+RESP:GTDAT,060100,867995030082104,,price 5$ more,x$" + FRI).encode()
    )
    frames = protocol.frames(stream)
    assert len(frames) == 3
    assert protocol.decode(frames[1], DEVICE).reply is None, "not whole: not acknowledged"


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\n",
        b"\x16\x03\x01\x02\x00",
        b"+RESP:GTFRI," + b"x" * 9000,
        b"+RSP\x07\x00\xfe\x0f\xbf\xff\xff" + b"\0" * 20,
        b"+RSP\x07\x00\xfe\x0f\xbf\x00\x20" + b"\0" * 40,
        b"+\x00\xff\xff" + b"\0" * 40,
        b"+\x00\x00\x20" + b"\0" * 40,
    ],
)
def test_what_begins_no_message_is_refused(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        Gl200().frames(bytearray(stream))


@pytest.mark.parametrize(
    "message",
    [
        b"+RESP:GTFRI$",
        b"+RESP:GTFRI,4B0303$",
        b"+RESP:GTFRI,nonsense,867995030082104,,1,2$",
        b"+RESP:GTFRI,4B0303,,,,10,1,0001$",
        b"+RESP:gtfri,4B0303,867995030082104,,1,2$",
        bytes.fromhex(HEX_FRI).replace(b"\x06\xfb", b"\x06\xfc"),
        bytes.fromhex(PRO).replace(b"\x52\x16", b"\x52\x17"),
    ],
)
def test_broken_messages_are_refused(message: bytes) -> None:
    with pytest.raises(ProtocolError, match=r"\w{4}"):
        decode(message)


def test_a_report_without_count_is_not_acknowledged() -> None:
    assert decode(FRI[:-6] + "$").reply is None
    assert only(FRI[:-6] + "$").latitude == 31.83881


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (b"+RESP:GTFRI,4B0303,8679", True),
        (b"+BUFF:GTFRI,8020050605,867488060270575,", True),
        (b"+ACK:GTHBD,1A0401,135790246811220,,", True),
        (b"+RSP\x07", True),
        (b"+EVT\x0d\x00", True),
        (b"+\x00\x00\x38", True),
        (b"-\x00\x00\x38", True),
        (b"+RESP:GTTRI,359464030073766,1,", False),
        (b"AT+GTHBD=HeartBeat,359231030000010,", False),
        (b"GET / HTTP", False),
        (b"$$A138", False),
        (b"+RE", None),
        (b"+", None),
        (b"+RESP:GTFRI,4B03", None),
    ],
)
def test_first_bytes(start: bytes, expected: bool | None) -> None:
    assert Gl200.recognises(start) is expected
