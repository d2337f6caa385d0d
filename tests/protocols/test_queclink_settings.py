"""What Queclink devices are told, and that those which hear it do it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.catalog import models, profiles, special_settings
from waypost.emulator.devices.gl100 import Gl100 as OldDevice
from waypost.emulator.devices.gl100 import Gt300
from waypost.emulator.devices.gl200 import Gl300, Gv300
from waypost.emulator.vehicle import Vehicle
from waypost.protocols.base import Command, CommandError, Device, Text, Transport
from waypost.protocols.gl100 import Gl100
from waypost.protocols.gl200 import Gl200, Track
from waypost.protocols.instructions import AccessPoint

START = 1_760_000_000_000
QUECLINK = [model for model in models.all_models().values() if model.protocol in ("gl200", "gl100")]
SERVER = {"host": "track.example.org", "port": 5004}
APN = {"name": "internet", "user": "web", "password": "s3cret"}


def speaker(code: str) -> Track:
    protocol = Gl100() if models.all_models()[code].protocol == "gl100" else Gl200()
    protocol.clock = lambda: START
    return protocol


def told(code: str, kind: str, content: Any, password: str | None = None) -> list[Text]:
    command = Command(7, msgspec.json.encode(content), kind)
    device = Device("350000000000006", code, password=password)
    return speaker(code).instructions(command, device)


def texts(code: str, kind: str, content: Any) -> list[str]:
    return [text.text for text in told(code, kind, content)]


def able(code: str, kind: str) -> bool:
    return speaker(code).can_tell(kind, Device("350000000000006", code))


def test_registration() -> None:
    content = {"server": SERVER, "apn": APN, "interval": 90}
    report, server = told("qlgv300", "registration", content)
    assert report.text == "AT+GTFRI=gv300,1,,,,,,90,90,,,,,,,,,,0038$"
    assert server == Text(
        "AT+GTQSS=gv300,internet,web,s3cret,3,,1,track.example.org,5004,,,,15,1,,,0039$",
        ("gv300", "s3cret"),
    )
    assert texts("qlgl300", "registration", {**content, "interval": 3}) == [
        "AT+GTFRI=gl300,1,,,,,,5,5,,,,,,,,,,,,0038$",
        "AT+GTQSS=gl300,internet,web,s3cret,3,,1,track.example.org,5004,,,,15,1,,,0039$",
    ]
    # What is set in a way that no public manual says is left as it is.
    assert len(texts("qlgl50", "registration", content)) == 1
    assert texts("qlgl500", "registration", content)[0] == (
        "AT+GTGBC=gl500,,,,,,,,,,,,,2,,1,,,,,,,,0038$"
    )


def test_registration_of_a_device_that_knows_its_access_point() -> None:
    content = {"server": {**SERVER, "transport": "udp"}}
    assert texts("qlgv75mg", "registration", content) == [
        "AT+GTFRI=gv75m,1,,,,,,,60,,,,,,,,,,0038$",
        "AT+GTSRI=gv75m,4,,1,track.example.org,5004,,,,15,1,,,,,0039$",
    ]


def test_what_is_too_long_for_one_message_is_sent_in_two() -> None:
    apn = {"name": "a" * 40, "user": "u" * 30, "password": "p" * 30}
    content = {"server": {**SERVER, "host": "h" * 60}, "apn": apn}
    words = [line.split("=")[0] for line in texts("qlgv300", "registration", content)]
    assert words == ["AT+GTFRI", "AT+GTBSI", "AT+GTSRI"]
    words = [line.split("=")[0] for line in texts("qlgv600mg", "registration", content)]
    assert words == ["AT+GTFRI", "AT+GTQSS", "AT+GTSRI"]
    with pytest.raises(CommandError, match="too long"):
        told("qlgv300", "registration", {"server": {**SERVER, "host": "h" * 200}})


def test_an_access_point_alone() -> None:
    assert texts("qlgl300", "apn", {"apn": {"name": "net"}}) == ["AT+GTBSI=gl300,net,,,,,,,0038$"]
    (line,) = texts("qlgl300m", "apn", {"apn": {"name": "net"}})
    assert line == "AT+GTQSS=gl300m,net,,,,,,,,,,,,,,,0038$"


def test_the_device_s_own_password_counts() -> None:
    (line,) = told("qlgl300", "location_request", {"type": "gprs"}, password="Secr3t")
    assert line == Text("AT+GTRTO=Secr3t,1,,,,,,0038$", ("Secr3t",))
    assert Gl200().by_sms(line, Device("350000000000006", "qlgl300")) == line


GL200 = profiles.all_profiles()["gl200"].example
WAYS = {"tracking_interval": 30, "tracking_distance": 100, "tracking_angle": 30}


@pytest.mark.parametrize(
    ("code", "settings", "expected"),
    [
        ("qlgv55", WAYS, "AT+GTFRI=gv55,5,,,,,,,30,100,100,,30,,,,,,0038$"),
        (
            "qlgv55",
            {**WAYS, "tracking_distance": 0},
            "AT+GTFRI=gv55,1,,,,,,,30,50,50,,30,,,,,,0038$",
        ),
        (
            "qlgv55",
            {**WAYS, "tracking_interval": 0},
            "AT+GTFRI=gv55,3,,,,,,,5,100,100,,30,,,,,,0038$",
        ),
        (
            "gv500",
            profiles.all_profiles()["gv500"].example,
            "AT+GTFRI=gv500,1,,,,,,,30,100,100,,30,600,,,,,0038$|"
            "AT+GTCFG=gv500,,,,,,,,1,,,,,,,,,,,,,0039$",
        ),
        (
            "gv55lite",
            {**profiles.all_profiles()["gv55lite"].example, "type": "distance", "psm_interval": 0},
            "AT+GTFRI=gv55lite,2,,,,,,,30,100,100,,30,0,,,,,0038$|"
            "AT+GTCFG=gv55lite,,,,,,,,1,,,,,,,,,,,,,0039$",
        ),
        (
            "qlgl300",
            GL200,
            "AT+GTFRI=gl300,2,,,,,,30,30,,,,100,100,,,,,30,,0038$|"
            "AT+GTNMD=gl300,1,28,,,,,,,,,,,,0039$|"
            "AT+GTCFG=gl300,,,,,2,,,,,,,,,,,,,,,,003A$",
        ),
        (
            "rlgl200",
            {**GL200, "type": "power_save", "tracking_angle": 0, "non_movement_duration": 0},
            "AT+GTFRI=gl200,1,,,,,,30,30,,,,100,100,,,,,0,,0038$|"
            "AT+GTNMD=gl200,8,1,,,600,600,,,,,,,,0039$",
        ),
        (
            "qlgl500",
            {"type": "interval", "tracking_interval": 5, "psm_interval": 8},
            "AT+GTGBC=gl500,,,,,,,,,,,,,5,,1,,,,,,,,0038$",
        ),
        (
            "qlgl500",
            {
                "type": "power_save",
                "tracking_interval": 5,
                "wakeup_time": "10:30",
                "psm_interval": 8,
            },
            "AT+GTGBC=gl500,,,,,,,,1030,8,,,,,,0,,,,,,,,0038$",
        ),
        (
            "qlgt300",
            profiles.all_profiles()["gt300"].example,
            "AT+GTTRI=gt300,0000,2359,1,30,1,10,20,,00E0",
        ),
        (
            "rlgt300",
            {**profiles.all_profiles()["gt300"].example, "tracking_interval": 61},
            "AT+GTTRI=gt300,0000,2359,2,120,1,10,20,,00E0",
        ),
    ],
)
def test_tracking(code: str, settings: dict[str, Any], expected: str) -> None:
    assert texts(code, "tracking", settings) == expected.split("|")


@pytest.mark.parametrize("model", QUECLINK, ids=lambda model: model.code)
def test_every_model_is_told_its_tracking_mode_or_nothing(model: models.Model) -> None:
    example = profiles.all_profiles()[model.profile or "interval"].example
    if able(model.code, "tracking"):
        assert told(model.code, "tracking", example)
    else:
        with pytest.raises(CommandError, match="cannot be told"):
            told(model.code, "tracking", example)


def test_which_models_cannot_be_told() -> None:
    def unable(kind: str) -> set[str]:
        return {model.code for model in QUECLINK if model.profile and not able(model.code, kind)}

    assert unable("registration") == {"qlgv100"}
    assert unable("tracking") == {
        *("qlgv100", "qlgb100", "qlgb100mg", "qlgb130mg"),
        *("qlcv100", "qlcv100lg", "qlcv200", "qlcv200xeu"),
    }
    for model in QUECLINK:
        assert model.has_auto_registration == able(model.code, "registration")
        assert model.has_gprs_location_request == able(model.code, "location_request")
        assert model.has_led_control == able(model.code, "led")


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (
            "qlgmt100",
            "hbm_ql",
            "AT+GTHBM=gmt100,1,,,100,50,50,,70,50,50,,,50,50,,,,,,,,,,0038$",
        ),
        (
            "qlgv55",
            "hbm_ms_ql",
            "AT+GTHBM=gv55,1,,,100,50,50,,60,50,50,,,50,50,,,,,,30,40,15,150,0038$",
        ),
        (
            "qlgmt100",
            "tow_detection_ql",
            "AT+GTTOW=gmt100,1,300,300,12000,,,,,6,83,3,,,,,,,,,0038$",
        ),
        (
            "qlgv300",
            "tow_detection_ql2",
            "AT+GTTOW=gv300,1,5,5,12000,,,,,6,4,3,,,,,,,,,0038$",
        ),
        ("qlgt300", "sos_key", "AT+GTSOS=gt300,2,1,55548875236,00E0"),
        ("qlgl320m", "pwr_off_key", "AT+GTFKS=gl320m,1,,,,,,,,,,0038$"),
        ("qlgl320mg", "pwr_off_key", "AT+GTFKS=gl320m,1,,,,,,,,,,0038$"),
    ],
)
def test_special_settings(code: str, name: str, expected: str) -> None:
    content = {"type": name, **special_settings.all_types()[name].example}
    assert texts(code, "special_settings", content) == [expected]


def test_the_power_key_may_switch_nothing_off() -> None:
    content = {"type": "pwr_off_key", "mode": "disable"}
    assert texts("qlgl320m", "special_settings", content) == ["AT+GTFKS=gl320m,0,,,,,,,,,,0038$"]


def test_the_phone_book() -> None:
    items = [{"name": "Alice", "phone": "7911888888"}, {"name": "\u5f20\u4e09", "phone": "7"}]
    content = {"type": "phonebook_gt300", "capacity": 20, "items": items}
    lines = texts("qlgt300", "special_settings", content)
    assert len(lines) == 20
    assert lines[0] == "AT+GTPHB=gt300,1,1,0,Alice,7911888888,00E0"
    assert lines[1] == "AT+GTPHB=gt300,1,2,1,205F094E,7,00E1"
    assert lines[19] == "AT+GTPHB=gt300,1,20,0,,,00F3"


def test_what_a_model_does_not_have_is_refused() -> None:
    for code, name in (
        ("qlgv55", "hbm_ql"),
        ("qlgv55", "virtual_ign_ql"),
        ("qlgmt100", "charging_gmt100"),
        ("qlgl320m", "sos_key"),
        ("qlgt300", "x"),
    ):
        with pytest.raises(CommandError, match="is known for"):
            told(code, "special_settings", {"type": name})
    with pytest.raises(CommandError, match="not to a name"):
        told("qlgt300", "registration", {"server": SERVER, "apn": APN})
    with pytest.raises(CommandError, match="access point together"):
        told("qlgl100", "registration", {"server": {"host": "192.0.2.7", "port": 1}})
    for code, kind in (("qlgl500", "gsm"), ("qlgt300", "gsm")):
        with pytest.raises(CommandError, match="does not say which cells"):
            told(code, "location_request", {"type": kind})
    for name in ("a,b", "a$b", "n\u00e9t", "a\nb"):
        with pytest.raises(CommandError, match="cannot be sent"):
            told("qlgl300", "apn", {"apn": {"name": name}})


def test_outputs_and_lights() -> None:
    switch = {"output": 2, "enable": True}
    assert texts("qlgv300", "output", switch) == ["AT+GTOUT=gv300,,,,1,0,0,,,,,,,,,,,0038$"]
    states = {"outputs": [True, False, True]}
    assert texts("qlgv300", "outputs", states) == ["AT+GTOUT=gv300,1,0,0,0,0,0,1,0,0,,,,,,,,0038$"]
    first = {"output": 1, "enable": False}
    assert texts("qlgmt100", "output", first) == ["AT+GTOUT=gmt100,0,0,0,,,,,,,,,,,0038$"]
    with pytest.raises(CommandError, match="is none of 1"):
        told("qlgmt100", "output", switch)
    with pytest.raises(CommandError, match="3 states for 1"):
        told("qlgmt100", "outputs", states)
    assert not able("qlgl300", "output")
    (line,) = texts("qlgl300", "led", {"enable": True})
    assert line == "AT+GTCFG=gl300,,,,,,,,,,,,1,,,,,,,,,0038$"
    assert texts("qlgl300", "location_request", {"type": "gsm"}) == ["AT+GTRTO=gl300,F,,,,,,0038$"]


# The other end ------------------------------------------------------------------------------


@given(
    interval=st.integers(5, 86_400),
    distance=st.integers(50, 65_535),
    angle=st.integers(0, 180),
)
def test_whatever_a_vehicle_s_device_is_told_it_does(
    interval: int, distance: int, angle: int
) -> None:
    device = Gv300("999000000000018", Vehicle(5, START), START)
    settings = {
        "tracking_interval": interval,
        "tracking_distance": distance,
        "tracking_angle": angle,
    }
    for line in told(device.model, "tracking", settings):
        assert b"+ACK:GTFRI" in device.received(line.text.encode(), START)
    assert device.interval == interval * 1000
    assert (device.distance, device.angle) == (distance, angle)


@given(interval=st.integers(5, 86_400), distance=st.integers(50, 65_535), by_way=st.booleans())
def test_whatever_a_portable_device_is_told_it_does(
    interval: int, distance: int, by_way: bool
) -> None:
    device = Gl300("999000000000018", Vehicle(5, START), START)
    settings = {
        **GL200,
        "type": "distance" if by_way else "interval",
        "tracking_interval": interval,
        "tracking_distance": distance,
    }
    for line in told(device.model, "tracking", settings):
        assert b"+ACK" in device.received(line.text.encode(), START)
    assert device.distance == (distance if by_way else 0)
    assert by_way or device.interval == interval * 1000
    assert device.angle == 30
    assert device.settings["GTNMD"][1] == "1"


@given(interval=st.integers(5, 86_400))
def test_whatever_the_older_device_is_told_it_does(interval: int) -> None:
    device = Gt300("999000000000018", Vehicle(5, START), START)
    settings = {**profiles.all_profiles()["gt300"].example, "tracking_interval": interval}
    (line,) = told(device.model, "tracking", settings)
    assert b"+ACK:GTTRI" in device.received(line.text.encode(), START)
    asked = max(interval, 30) if interval < 60 else interval
    assert asked <= device.interval / 1000 < asked + 60


def test_devices_are_registered_by_sms() -> None:
    content = {"server": {**SERVER, "transport": "udp"}, "apn": APN, "interval": 90}
    for kind in (Gv300, Gl300):
        device = kind("999000000000018", Vehicle(5, START), START)
        answers = [
            device.receive_sms(line.text) for line in told(device.model, "registration", content)
        ]
        assert all(answer is not None and answer.startswith("+ACK:GT") for answer in answers)
        assert device.server == ("track.example.org", 5004)
        assert device.transport is Transport.UDP
        assert device.apn == AccessPoint("internet", "web", "s3cret")
        assert device.interval == 90_000
        assert device.receive_sms("AT+GTRTO=wrong,1,,,,,,0001$") is None
        # From now on the server gets its acknowledgements.
        (line,) = texts(device.model, "location_request", {"type": "sms"})
        reports = device.count.reports
        assert device.receive_sms(line) is None
        assert device.count.reports == reports + 1


NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=130), max_size=60)


@given(name=NAMES.filter(bool), user=NAMES, password=NAMES, host=NAMES.filter(bool))
def test_whatever_the_access_point_it_arrives_or_is_refused(
    name: str, user: str, password: str, host: str
) -> None:
    device = Gv300("999000000000018", Vehicle(5, START), START)
    apn = {"name": name, "user": user, "password": password}
    try:
        lines = told(
            device.model, "registration", {"server": {"host": host, "port": 1}, "apn": apn}
        )
    except CommandError:
        everything = name + user + password + host
        assert len(everything) > 90 or any(
            not " " <= one <= "~" or one in ",$" for one in everything
        )
        return
    for line in lines:
        assert len(line.text) <= 160
        assert device.receive_sms(line.text) or device.server
        if line.text.startswith(("AT+GTQSS", "AT+GTBSI")):
            assert not password or password in line.secrets
    assert device.server == (host, 1)
    assert device.apn == AccessPoint(name, user, password)


@pytest.mark.parametrize("kind", [OldDevice, Gt300])
def test_older_devices_are_registered_by_sms(kind: type[OldDevice]) -> None:
    server = {"host": "192.0.2.7", "port": 5003, "transport": "tcp"}
    content = {"server": server, "apn": APN, "interval": 180}
    device = kind("999000000000018", Vehicle(5, START), START, transport=Transport.UDP)
    for line in told(device.model, "registration", content):
        answer = device.receive_sms(line.text)
        assert answer is not None
        assert answer.startswith("+ACK:GT")
    assert device.server == ("192.0.2.7", 5003)
    assert device.transport is Transport.TCP
    assert device.apn == AccessPoint("internet", "web", "s3cret")
    assert device.interval == 180_000


@pytest.mark.parametrize("kind", [Gv300, Gl300, OldDevice, Gt300])
@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
def test_every_line_is_matched_with_its_answer(
    kind: type[Gv300] | type[OldDevice], transport: Transport
) -> None:
    emulated = kind("999000000000018", Vehicle(5, START), START, transport=transport)
    protocol = speaker(emulated.model)
    protocol.transport = transport
    device = Device(emulated.device_id, emulated.model)
    server = {"host": "192.0.2.7", "port": 5003, "transport": str(transport)}
    for kind_, content in (
        ("registration", {"server": server, "apn": APN}),
        ("location_request", {"type": "gprs"}),
    ):
        for line in told(emulated.model, kind_, content):
            encoded = protocol.encode(Command(7, line.text.encode()), device)
            assert encoded.key is not None
            back = bytearray(emulated.received(encoded.data, START))
            (frame,) = protocol.frames(back)
            (answer,) = protocol.decode(frame, device).answers
            assert answer.key == encoded.key


def test_a_device_of_the_older_dialect_is_told_in_it_wherever_it_connects() -> None:
    command = Command(1, b"AT+GTTRI=gt300,0000,0000,1,60,0,,,,0002")
    sent = Gl200().encode(command, Device("350000000000006", "qlgt300"))
    assert sent.data == command.payload + b"\0"
    assert sent.key == "0002"
