"""What ATrack trackers are told."""

from __future__ import annotations

import pytest
from instructed import APN, SERVER, can_tell, lines, texts

from waypost.protocols.base import CommandError

ALL = {"tracking_interval": 30, "tracking_distance": 150, "tracking_angle": 20}


def test_registration_names_the_server_last() -> None:
    told = {"server": SERVER, "apn": APN, "interval": 90}
    assert lines("atrack_ak11", "registration", told) == [
        "AT$TRAC=1,90,,,,,2",
        'AT$GPRS=1,"internet.m2m","thing","s3cret","track.example.com",5020,1,3,30,0,0',
    ]
    udp = {"server": {**SERVER, "transport": "udp"}}
    assert lines("atrack_ak11", "registration", udp) == [
        "AT$TRAC=1,60,,,,,2",
        'AT$GPRS=1,,,,"track.example.com",5020,0,3,30,0,0',
    ]


def test_an_sms_is_the_same_line_and_the_password_is_secret() -> None:
    told = texts("atrack_ax5", "registration", {"server": SERVER, "apn": APN}, sms=True)
    assert told[0].secrets == ()
    assert told[1].secrets == ("s3cret",)
    assert told[1].text.startswith("AT$GPRS=1,")


def test_another_access_point_leaves_the_server() -> None:
    assert lines("atrack_ax5", "apn", {"apn": {"name": "web", "user": "", "password": ""}}) == [
        'AT$GPRS=1,"web","",""'
    ]


def test_tracking_by_time_distance_and_heading() -> None:
    assert lines("atrack_ax5", "tracking", ALL) == ["AT$TRAC=131,30,150,20,0,0,2"]
    acc = {**ALL, "control_mode": "acc", "on_stop_tracking_interval": 900, "psm_mode": 0}
    assert lines("atrack_ax5", "tracking", acc) == [
        "AT$TRAC=131,30,150,20,0,0,2,0,900",
        "AT$PMGR=0,2,2,1,1,1",
    ]


def test_what_was_not_set_has_its_printed_default_and_null_is_nothing() -> None:
    assert lines("atrack_ax5", "tracking", {}) == ["AT$TRAC=131,300,100,10,0,0,2"]
    only_time = {"tracking_interval": 60, "tracking_distance": None, "tracking_angle": None}
    assert lines("atrack_ax5", "tracking", only_time) == ["AT$TRAC=1,60,0,0,0,0,2"]


def test_outputs_and_place() -> None:
    assert lines("atrack_at5i", "output", {"output": 2, "enable": True}) == ["AT$OUTC=2,1"]
    assert lines("atrack_at5i", "outputs", {"outputs": [False, True]}) == [
        "AT$OUTC=1,0",
        "AT$OUTC=2,1",
    ]
    for way in ("gprs", "sms"):
        assert lines("atrack_at5i", "location_request", {"type": way}) == ["AT$GPOS=0"]


def test_what_there_is_to_tell_depends_on_the_model() -> None:
    assert can_tell("atrack_at5i", "outputs")
    assert not can_tell("atrack_ax5", "outputs")
    assert can_tell("atrack_ax5", "tracking")
    # Its command is not published: kept, and not sent.
    assert not can_tell("atrack_ax5", "special_settings")
    assert not can_tell("atrack_ax5", "led")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("registration", {"server": {**SERVER, "host": 'a"b'}}),
        ("registration", {"server": SERVER, "apn": {"name": "a\nAT$REST"}}),
        ("registration", {"interval": 60}),
        ("tracking", {**ALL, "psm_mode": 1}),
        ("tracking", {**ALL, "control_mode": "engine_status"}),
        ("tracking", {**ALL, "tracking_interval": "60"}),
        ("location_request", {"type": "gsm"}),
        ("special_settings", {"type": "engine_control_atrack"}),
    ],
)
def test_what_cannot_be_told_is_a_clear_error(kind: str, told: dict[str, object]) -> None:
    with pytest.raises(CommandError):
        lines("atrack_ax5", kind, told)
