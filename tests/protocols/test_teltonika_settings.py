"""What Teltonika devices are told, and that one which hears it does it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.catalog import models, profiles, special_settings
from waypost.emulator.devices.teltonika import Fmb920
from waypost.emulator.vehicle import Vehicle
from waypost.protocols.base import Command, CommandError, Device, Text, Transport
from waypost.protocols.instructions import AccessPoint
from waypost.protocols.teltonika import Teltonika
from waypost.protocols.teltonika.commands import packet
from waypost.protocols.teltonika.parameters import families, family_of
from waypost.telemetry.message import iso_time

START = 1_760_000_000_000
TELTONIKA = [model for model in models.all_models().values() if model.protocol == "teltonika"]
SERVER = {"host": "track.example.org", "port": 5027}
APN = {"name": "internet", "user": "web", "password": "s3cret"}


def told(code: str, kind: str, content: Any, password: str | None = None) -> list[Text]:
    command = Command(7, msgspec.json.encode(content), kind)
    return Teltonika().instructions(command, Device("350000000000006", code, password=password))


def texts(code: str, kind: str, content: Any) -> list[str]:
    return [text.text for text in told(code, kind, content)]


def emulated() -> Fmb920:
    return Fmb920("999000000000018", Vehicle(5, START), START)


def test_registration() -> None:
    content = {"server": SERVER, "apn": APN, "interval": 90}
    first, second = told("telfmb920", "registration", content)
    assert first.text == (
        "setparam 10050:90;10055:90;10150:90;10155:90;10250:90;10255:90;"
        "2000:1;2001:internet;2002:web;2003:s3cret"
    )
    assert first.secrets == ("s3cret",)
    assert second == Text("setparam 2006:0;2005:5027;2004:track.example.org")
    udp = {"server": {**SERVER, "transport": "udp"}}
    assert texts("teltmt250", "registration", udp)[1].startswith("setparam 2006:1;")


def test_registration_of_older_models_takes_a_command_for_each_parameter() -> None:
    content = {"server": SERVER, "apn": {"name": "internet"}, "interval": 90}
    assert texts("telfm1120", "registration", content) == [
        "setparam 1550 90",
        "setparam 1570 90",
        "setparam 1590 90",
        "setparam 1240 1",
        "setparam 1242 internet",
        "setparam 1247 0",
        "setparam 1246 5027",
        "setparam 1245 track.example.org",
    ]


def test_registration_of_what_is_told_no_interval() -> None:
    content = {"server": SERVER, "apn": {"name": "internet"}, "interval": 90}
    for code in ("telgh5200", "teltat100"):
        assert texts(code, "registration", content) == [
            "setparam 2000:1;2001:internet;2002:;2003:",
            "setparam 2006:0;2005:5027;2004:track.example.org",
        ]


def test_an_access_point_alone() -> None:
    assert texts("telfmb920", "apn", {"apn": {"name": "net"}}) == ["setparam 2001:net;2002:;2003:"]


TELFM = profiles.all_profiles()["telfm"].example


def test_tracking() -> None:
    assert texts("telfmb920", "tracking", TELFM) == [
        "setparam 10050:60;10051:100;10052:30;10055:60;10150:60;10151:100;10152:30;10155:60;"
        "10250:60;10251:100;10252:30;10255:60;10000:180;10005:180",
        "setparam 10100:180;10105:180;10200:180;10205:180;102:0;138:1",
    ]
    old = texts("telfma120", "tracking", {**TELFM, "stop_detection": "gps", "tracking_angle": 255})
    assert old[:4] == [
        "setparam 1550 60",
        "setparam 1551 100",
        "setparam 1552 180",
        "setparam 1554 60",
    ]
    assert old[-2:] == ["setparam 1000 0", "setparam 1002 2"]
    lines = texts("telfmc130", "tracking", {**TELFM, "stop_detection": "gps"})
    assert lines[-1].endswith(";102:0;138:4")
    heavy = profiles.all_profiles()["telfm5x"].example
    lines = texts(
        "telfmb640", "tracking", {**heavy, "sleep_mode": "soft_sleep", "sleep_timeout": 301}
    )
    assert lines[-1].endswith(";102:1;103:6") or lines[-1] == "setparam 102:1;103:6"


def test_an_ft_model_is_told_all_but_how_to_sleep() -> None:
    wanted = {**TELFM, "stop_detection": "g_sensor", "tracking_interval": 90}
    lines = texts("telftc927", "tracking", wanted)
    assert lines == [
        "setparam 10050:90;10051:100;10052:30;10055:90;10150:90;10151:100;10152:30;10155:90;"
        "10250:90;10251:100;10252:30;10255:90;10000:180;10005:180",
        "setparam 10100:180;10105:180;10200:180;10205:180;138:2",
    ]
    device = emulated()
    for line in lines:
        assert device.obey(line).startswith("New value")
    assert (device.interval, device.parked_interval) == (90_000, 180_000)
    with pytest.raises(CommandError, match="no parameters of this model are known for: sleep_mode"):
        told("telftc927", "tracking", {**wanted, "sleep_mode": "soft_sleep"})


@pytest.mark.parametrize("model", TELTONIKA, ids=lambda model: model.code)
def test_every_model_is_told_its_tracking_mode_or_nothing(model: models.Model) -> None:
    device = Device("350000000000006", model.code)
    family = family_of(model.code)
    if not Teltonika.can_tell("tracking", device):
        assert family is None or not family.moving
        with pytest.raises(CommandError, match="cannot be told"):
            told(model.code, "tracking", TELFM)
        return
    if model.profile is None:
        return
    example = profiles.all_profiles()[model.profile].example
    lines = told(model.code, "tracking", example)
    said = ";".join(line.text for line in lines)
    assert family is not None
    assert str(family.moving[0][0]) in said
    assert all(len(line.text) <= 148 for line in lines)


def test_most_models_can_be_registered() -> None:
    unknown = {
        model.code
        for model in TELTONIKA
        if not Teltonika.can_tell("registration", Device("", model.code))
    }
    assert unknown == {
        *("telfm2100", "telfm2200", "telfm3300", "telfm4100", "telfm4200", "telfm5300"),
        *("telfm6300", "telfm5500", "telfm6320", "telfmb630"),
        *("telgh1201", "telgh1202", "telgh3000", "telgh4000"),
    }
    assert {family.name for family in families()} >= {"fmb", "fmb6", "fm1", "ft", "asset"}


def test_what_the_catalog_promises_can_be_told() -> None:
    for model in TELTONIKA:
        device = Device("", model.code)
        assert model.has_auto_registration == Teltonika.can_tell("registration", device), model.code
        for promised, kind in (
            (model.has_gprs_location_request, "location_request"),
            (model.has_location_request, "location_request"),
            (model.has_led_control, "led"),
        ):
            assert not promised or Teltonika.can_tell(kind, device), (model.code, kind)


@pytest.mark.parametrize(
    ("code", "name", "changes", "expected"),
    [
        (
            "telfmb920",
            "hbm_telfm",
            {},
            "setparam 11004:2.9;11005:8.3;11006:1;11000:1",
        ),
        (
            "telfmb640",
            "hbm_telfm5x",
            {"mode": "disable"},
            "setparam 11004:0.5;11005:3;11006:10;11000:0",
        ),
        ("telfmb920", "ign_src_telfm", {}, "setparam 104:24000;105:12000;101:4"),
        ("telfmb641", "ign_src_telfm", {"mode": "movement"}, "setparam 104:24000;105:12000;101:16"),
        ("telfmb920", "tow_detection_telfm", {}, "setparam 11602:5;11605:0.3;11600:1"),
        ("telfmb920", "auto_geofence_telfm", {}, "setparam 20001:2;20002:300;20003:50;20000:1"),
        (
            "telfm1120",
            "auto_geofence_telfm",
            {"mode": "disable"},
            "setparam 1104 3|setparam 1102 300|setparam 1105 50|setparam 1101 0",
        ),
        (
            "telfm3612",
            "ign_src_telfm",
            {"mode": "din1"},
            "setparam 1005 24000|setparam 1006 12000|setparam 1004 1",
        ),
    ],
)
def test_special_settings(code: str, name: str, changes: dict[str, Any], expected: str) -> None:
    example = special_settings.all_types()[name].example
    content = {"type": name, **example, **changes}
    assert texts(code, "special_settings", content) == expected.split("|")


def test_what_no_public_list_has_is_refused() -> None:
    for code, name in (("telfmb920", "fcc_telfm"), ("telfm1120", "hbm_telfm"), ("telfmb920", "x")):
        with pytest.raises(CommandError, match="no parameters of this model are known"):
            told(code, "special_settings", {"type": name})


def test_outputs() -> None:
    switch = {"output": 1, "enable": True}
    assert texts("telfmb920", "output", switch) == ["setdigout 1"]
    assert texts("telfmb120", "output", {"output": 2, "enable": False}) == ["setdigout ?0"]
    assert texts("telfmb120", "outputs", {"outputs": [True, False]}) == ["setdigout 10"]
    assert texts("telfm1120", "output", switch) == ["setdigout 10 0 0"]
    assert texts("telfma120", "outputs", {"outputs": [False, True]}) == ["setdigout 01 0 0"]
    four = {"outputs": [False, False, True, False]}
    assert texts("telfm6320", "outputs", four) == ["setdigout 0010 0 0 0 0"]
    with pytest.raises(CommandError, match="all at once"):
        told("telfma120", "output", switch)
    for content in ({"output": 2, "enable": True}, {"output": 0, "enable": True}):
        with pytest.raises(CommandError, match="is none of 1"):
            told("telfmb920", "output", content)
    with pytest.raises(CommandError, match="2 states for 1"):
        told("telfmb920", "outputs", {"outputs": [True, False]})
    assert not Teltonika.can_tell("output", Device("", "telfmb001"))


def test_lights_and_position() -> None:
    assert texts("telfmb920", "led", {"enable": False}) == ["setparam 108:0"]
    assert texts("telfmb920", "location_request", {"type": "gprs"}) == ["getgps"]
    assert texts("telfmb920", "location_request", {"type": "sms"}) == ["getrecord"]
    assert texts("telfm1120", "location_request", {"type": "gprs"}) == ["getgps"]
    assert texts("telftc921", "location_request", {"type": "sms"}) == ["getrecord"]
    for code, kind in (("telfm1120", "sms"), ("telfmb920", "gsm")):
        with pytest.raises(CommandError, match="cannot be asked"):
            told(code, "location_request", {"type": kind})


@pytest.mark.parametrize(
    ("code", "password", "expected", "secrets"),
    [
        ("telfmb920", None, "  getgps", ()),
        ("telfmb920", "me 1234", "me 1234 getgps", ("me", "1234")),
        ("telfmb920", "1234", " 1234 getgps", ("1234",)),
        ("telftc921", None, " getgps", ()),
        ("telftc921", "1234", "1234 getgps", ("1234",)),
    ],
)
def test_sms(code: str, password: str | None, expected: str, secrets: tuple[str, ...]) -> None:
    device = Device("350000000000006", code, password=password)
    assert Teltonika().by_sms(Text("getgps"), device) == Text(expected, secrets)


def test_what_does_not_fit_is_refused() -> None:
    for name in ("x" * 150, "net;2004:elsewhere", "n\u00e9t", "a\nb"):
        with pytest.raises(CommandError):
            told("telfmb920", "apn", {"apn": {"name": name}})
    with pytest.raises(CommandError, match="do not fit one SMS"):
        Teltonika().by_sms(Text("x" * 159), Device("350000000000006", "telfmb920"))
    with pytest.raises(CommandError, match="not a tracking"):
        Teltonika().instructions(Command(1, b"[]", "tracking"), Device("", "telfmb920"))


def test_a_device_that_does_not_know_a_command_refuses_it() -> None:
    for said, ok in (("Unknown command or wrong format", False), ("New value 102:0;", True)):
        decoded = Teltonika().decode(packet(0x0C, said.encode(), 6), None)
        assert [answer.ok for answer in decoded.answers] == [ok]


def test_a_position_in_an_answer() -> None:
    answer = (
        b"GPS:1 Sat:7 Lat:54.714730 Long:25.303040 Alt:147 Speed:3 Dir:77 "
        b"Date: 2017/6/16 Time:12:12:9"
    )
    for said, count in ((answer, 1), (answer.replace(b"GPS:1", b"GPS:0"), 0)):
        decoded = Teltonika().decode(packet(0x0C, said, 6), Device("350000000000006", "telfmb920"))
        assert decoded.answers[0].text == said.decode()
        assert len(decoded.messages) == count
    strange = answer.replace(b"54.7", b"94.7"), answer.replace(b"2017/6", b"2017/13")
    for said in strange:
        assert not Teltonika().decode(packet(0x0C, said, 6), None).messages
    (message,) = Teltonika().decode(packet(0x0C, answer, 6), None).messages
    assert (message.latitude, message.longitude, message.altitude) == (54.71473, 25.30304, 147)
    assert (message.speed, message.heading, message.satellites) == (3, 77, 7)
    assert iso_time(message.time) == "2017-06-16T12:12:09Z"


# The other end ------------------------------------------------------------------------------


def test_a_device_is_registered_by_sms() -> None:
    device = emulated()
    device.sms_login, device.sms_password = "me", "1234"
    content = {"server": {**SERVER, "transport": "udp"}, "apn": APN, "interval": 90}
    owner = Device(device.device_id, device.model, password="me 1234")
    for line in told(device.model, "registration", content):
        assert device.receive_sms(line.text) is None  # without login and password
        assert device.server is None
        answer = device.receive_sms(Teltonika().by_sms(line, owner).text)
        assert answer is not None
        assert answer.startswith("New value")
    assert device.server == ("track.example.org", 5027)
    assert device.transport is Transport.UDP
    assert device.apn == AccessPoint("internet", "web", "s3cret")
    assert device.interval == 90_000


@given(
    interval=st.integers(30, 255),
    stopped=st.integers(30, 65535),
    distance=st.integers(50, 65535),
    angle=st.integers(10, 255),
)
def test_whatever_is_told_the_device_does(
    interval: int, stopped: int, distance: int, angle: int
) -> None:
    device = emulated()
    settings = {
        **TELFM,
        "tracking_interval": interval,
        "on_stop_tracking_interval": stopped,
        "tracking_distance": distance,
        "tracking_angle": angle,
    }
    for line in told(device.model, "tracking", settings):
        assert len(line.text) <= 148
        assert device.obey(line.text).startswith("New value")
    assert device.interval == interval * 1000
    assert device.parked_interval == stopped * 1000
    assert device.distance == distance
    assert device.angle == min(angle, 180)
    assert device.parameters["102"] == "0"


NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=130), max_size=64)


@given(name=NAMES, user=NAMES, password=NAMES, host=NAMES.filter(bool))
def test_whatever_the_access_point_it_arrives_or_is_refused(
    name: str, user: str, password: str, host: str
) -> None:
    device = emulated()
    apn = {"name": name, "user": user, "password": password}
    owner = Device(device.device_id, device.model)
    try:
        lines = told(
            device.model, "registration", {"server": {"host": host, "port": 1}, "apn": apn}
        )
    except CommandError:
        values = (name, user, password, host)
        assert any(
            ";" in one or not one.isascii() or not one.isprintable() or one != one.strip()
            for one in values
        )
        return
    for line in lines:
        sms = Teltonika().by_sms(line, owner)
        assert len(sms.text) <= 160
        device.receive_sms(sms.text)
        if f"2003:{password}" in line.text and password:
            assert password in line.secrets
    assert device.server == (host, 1)
    assert device.apn == AccessPoint(name, user, password)


def test_the_emulated_device_knows_the_other_commands() -> None:
    device = emulated()
    device.tick(START)
    (line,) = texts(device.model, "output", {"output": 1, "enable": True})
    assert device.obey(line).startswith("DOUT1:1")
    assert device.outputs == 1
    reports = device.count.reports
    assert device.receive_sms("  getrecord") is None
    assert device.count.reports == reports + 1
    answer = device.obey("getgps").encode()
    (message,) = Teltonika().decode(packet(0x0C, answer, 6), None).messages
    assert message.time == START
    assert device.obey("getparam 10050") == "Param ID:10050 Val:30"
    assert device.obey("setparam 1234").startswith("Unknown")
