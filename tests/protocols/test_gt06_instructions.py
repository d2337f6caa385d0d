"""What Concox and Jimi trackers are told."""

from __future__ import annotations

import pytest
from instructed import APN, IMEI, SERVER, can_tell, lines, texts

from waypost.protocols.base import CommandError, Device
from waypost.protocols.gt06 import Gt06
from waypost.protocols.gt06.envelope import pack

VEHICLE = {
    "psm_interval": 3000,
    "tracking_angle": 120,
    "tracking_distance": 250,
    "tracking_interval": 30,
}


def test_registration_names_the_server_last() -> None:
    told = {"server": SERVER, "apn": APN, "interval": 90}
    assert lines("concox_x3", "registration", told) == [
        "GMT,E,0,0#",
        "TIMER,90,90#",
        "GPRSON,1#",
        "APN,internet.m2m,thing,s3cret#",
        "SERVER,1,track.example.com,5020,0#",
    ]
    udp = {"server": {"host": "192.0.2.7", "port": 5023, "transport": "udp"}, "interval": 1}
    assert lines("concox_gk309", "registration", udp) == [
        "GMT,E,0,0#",
        "TIMER,5#",
        "GPRSON,1#",
        "SERVER,0,192.0.2.7,5023,1#",
    ]
    assert lines("concox_at4", "registration", udp)[1] == "MODE,2,1#"


def test_passwords_are_secret() -> None:
    told = texts("concox_x3", "registration", {"server": SERVER, "apn": APN}, sms=True)
    assert [text.secrets for text in told] == [(), (), (), ("s3cret",), ()]
    (cut,) = texts("concox_gt06", "output", {"output": 1, "enable": True}, password="112233")
    assert (cut.text, cut.secrets) == ("DYD,112233#", ("112233",))


def test_another_access_point() -> None:
    assert lines("concox_x3", "apn", {"apn": {"name": "web"}}) == ["APN,web#"]
    assert lines("concox_x3", "apn", {"apn": APN}) == ["APN,internet.m2m,thing,s3cret#"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("interval", ["ANGLEREP,OFF#", "SENDS,0#", "DISTANCE,0#", "TIMER,30,3000#"]),
        ("distance", ["ANGLEREP,OFF#", "SENDS,0#", "TIMER,30,3000#", "DISTANCE,250#"]),
        ("power_save", ["ANGLEREP,OFF#", "SENDS,5#", "DISTANCE,0#", "TIMER,30,3000#"]),
        (
            "distance_interval_angle",
            ["ANGLEREP,ON,120,3#", "SENDS,0#", "DISTANCE,250#", "TIMER,30,3000#"],
        ),
        ("interval_angle", ["ANGLEREP,ON,120,3#", "SENDS,0#", "DISTANCE,0#", "TIMER,30,3000#"]),
        ("intelligent", ["ANGLEREP,ON,120,3#", "SENDS,5#", "DISTANCE,0#", "TIMER,30,3000#"]),
    ],
)
def test_tracking_of_a_wired_tracker(kind: str, expected: list[str]) -> None:
    assert lines("concox_gt06n", "tracking", {**VEHICLE, "type": kind}) == expected


def test_a_turn_too_small_to_be_told_is_none() -> None:
    told = {**VEHICLE, "type": "interval_angle", "tracking_angle": 4}
    assert lines("concox_gt06n", "tracking", told)[0] == "ANGLEREP,OFF#"


@pytest.mark.parametrize(
    ("model", "told", "expected"),
    [
        (
            "concox_x3",
            {"tracking_distance": 100, "tracking_interval": 30},
            ["DISTANCE,100#", "TIMER,30,30#"],
        ),
        (
            "concox_gt350",
            {"psm_mode": 0, "psm_interval": 600, "tracking_interval": 10},
            ["TIMER,10#"],
        ),
        (
            "concox_at4",
            {"type": "power_save", "psm_interval": 8, "wakeup_time": "10:20"},
            ["MODE,1,10:20,8#"],
        ),
        ("concox_at4", {"type": "interval", "tracking_interval": 3}, ["MODE,2,3#"]),
        ("concox_at4", {"type": "intelligent", "tracking_interval": 3}, ["MODE,3,3#"]),
        ("concox_gk309", {"tracking_interval": 600}, ["TIMER,600#"]),
        ("concox_wetrack2", {"tracking_interval": 600}, ["TIMER,600,600#"]),
        ("concox_jv200", {"tracking_interval": 30}, ["TIMER,30,30#"]),
        ("jimi_jc100", {"tracking_interval": 30}, ["TIMER,30,30#"]),
        (
            "concox_qbit",
            {"mode": "gps", "gps_tracking_interval": 10, "lbs_tracking_interval": 60},
            ["LBSON,OFF#", "TIMER,10#"],
        ),
        ("concox_qbit", {"mode": "lbs", "lbs_tracking_interval": 60}, ["LBSON,ON,60,60#"]),
    ],
)
def test_tracking_of_others(model: str, told: dict[str, object], expected: list[str]) -> None:
    assert lines(model, "tracking", told) == expected


def test_relay_and_place() -> None:
    assert lines("concox_x3", "output", {"output": 1, "enable": True}) == ["RELAY,1#"]
    assert lines("concox_x3", "outputs", {"outputs": [False]}) == ["RELAY,0#"]
    assert lines("concox_tr06", "output", {"output": 1, "enable": False}) == ["HFYD,000000#"]
    assert lines("concox_x3", "location_request", {"type": "gprs"}) == ["WHERE#"]
    assert lines("concox_gk309", "location_request", {"type": "gsm"}) == ["LBS#"]
    assert lines("concox_gt06", "location_request", {"type": "sms"}) == ["DWXX,000000#"]


def test_the_answer_to_where_is_a_position() -> None:
    text = (
        b"Current position! Lat:S23.525024,Lon:W46.679787,Course:263.28,Speed:0.00Km/h,"
        b"DateTime:2021-10-29 11:11:43"
    )
    frame = pack(0x21, b"\0\0\0\x07\x01" + text, 1, long=True)
    decoded = Gt06().decode(frame, Device(IMEI, "concox_x3"))
    (message,) = decoded.messages
    assert (message.latitude, message.longitude) == (-23.525024, -46.679787)
    assert message.time == 1_635_505_903_000
    assert decoded.answers[0].ok
    ahead = Device(IMEI, "concox_x3", {"utc_offset": -180})
    (message,) = Gt06().decode(frame, ahead).messages
    assert message.time == 1_635_505_903_000 + 3 * 3_600_000


def test_harsh_driving_of_the_x1() -> None:
    told = {
        "type": "harsh_behavior_concox_x1",
        "acc_speed": 40,
        "acc_detection_time": 4,
        "braking_speed": 60,
        "braking_detection_time": 4,
    }
    assert can_tell("concox_x1", "special_settings")
    assert not can_tell("concox_x3", "special_settings")
    assert lines("concox_x1", "special_settings", told) == ["SPEEDCHECK,ON,0,4,40,60#"]
    off = {**told, "acc_speed": 0, "braking_speed": 0}
    assert lines("concox_x1", "special_settings", off) == ["SPEEDCHECK,OFF#"]


def test_what_there_is_to_tell_depends_on_the_model() -> None:
    assert can_tell("concox_x3", "output")
    assert not can_tell("concox_gk309", "output")
    assert can_tell("jimi_jc400", "tracking")
    assert can_tell("concox_x3", "apn")
    assert not can_tell("concox_x3", "electronic_lock")


@pytest.mark.parametrize(
    ("model", "kind", "told"),
    [
        ("concox_x3", "registration", {"server": {**SERVER, "host": "a#b"}}),
        ("concox_x3", "registration", {"server": SERVER, "apn": {"name": "a,b"}}),
        ("concox_x3", "tracking", {"tracking_distance": 100}),
        ("concox_gt350", "tracking", {"psm_mode": 1, "psm_interval": 900, "tracking_interval": 10}),
        ("concox_at4", "tracking", {"type": "distance", "tracking_interval": 3}),
        ("concox_x3", "output", {"output": 2, "enable": True}),
        ("concox_x3", "outputs", {"outputs": [True, True]}),
        (
            "concox_x1",
            "special_settings",
            {
                "type": "harsh_behavior_concox_x1",
                "acc_speed": 40,
                "acc_detection_time": 4,
                "braking_speed": 60,
                "braking_detection_time": 2,
            },
        ),
        ("concox_x1", "special_settings", {"type": "sos_key"}),
        ("concox_x3", "led", {"enable": True}),
    ],
)
def test_what_cannot_be_told_is_a_clear_error(
    model: str, kind: str, told: dict[str, object]
) -> None:
    with pytest.raises(CommandError):
        lines(model, kind, told)
