"""What Meitrack trackers are told."""

from __future__ import annotations

import pytest
from instructed import APN, IMEI, SERVER, can_tell, lines, texts

from waypost.protocols.base import Command, CommandError, Device
from waypost.protocols.meitrack import Meitrack

VEHICLE = {
    "tracking_interval": 45,
    "tracking_distance": 300,
    "tracking_angle": 359,
    "on_stop_tracking_interval": 3600,
    "psm_mode": 2,
    "psm_interval": 7250,
}


def test_registration_names_clock_interval_and_at_last_the_server() -> None:
    told = {"server": SERVER, "apn": APN, "interval": 60}
    assert lines("meitrack_t1", "registration", told) == [
        "B36,0",
        "A12,6",
        "A21,1,track.example.com,5020,internet.m2m,thing,s3cret",
    ]
    udp = {"server": {**SERVER, "transport": "udp"}, "interval": 61}
    assert lines("meitrack_t1", "registration", udp) == [
        "B36,0",
        "A12,7",
        "A21,2,track.example.com,5020,,,",
    ]


def test_sms_begin_with_the_password_and_nothing_secret_is_shown() -> None:
    told = {"server": SERVER, "apn": APN}
    *_, last = texts("meitrack_p99g", "registration", told, sms=True)
    assert last.text == "0000,A21,1,track.example.com,5020,internet.m2m,thing,s3cret"
    assert set(last.secrets) == {"0000", "s3cret"}
    own = texts("meitrack_p99g", "location_request", {"type": "sms"}, sms=True, password="8421")
    assert [(text.text, text.secrets) for text in own] == [("8421,A10", ("8421",))]


def test_tracking_of_a_vehicle() -> None:
    assert lines("meitrack_t1", "tracking", VEHICLE) == [
        "A12,5",
        "A13,359",
        "A14,300",
        "A15,360",
        "A16,1",
        "A11,121",
        "A73,2",
    ]
    awake = {**VEHICLE, "on_stop_tracking_interval": 0, "psm_mode": 0}
    assert lines("meitrack_t1", "tracking", awake) == [
        "A12,5",
        "A13,359",
        "A14,300",
        "A16,0",
        "A73,0",
    ]


def test_tracking_without_power_saving() -> None:
    told = {"tracking_interval": 60, "tracking_distance": 150, "tracking_angle": 45}
    assert lines("meitrack_p66", "tracking", told) == ["A12,6", "A13,45", "A14,150"]
    full_turn = {**told, "tracking_angle": 360}
    assert lines("meitrack_mt90", "tracking", full_turn)[1] == "A13,359"


def test_outputs_leave_the_others_alone() -> None:
    assert lines("meitrack_t1", "output", {"output": 2, "enable": True}) == ["C01,0,21222"]
    assert lines("meitrack_t1", "output", {"output": 1, "enable": False}) == ["C01,0,02222"]
    told = {"outputs": [True, False, True]}
    assert lines("meitrack_t1", "outputs", told) == ["C01,0,10122"]


def test_lights_and_place() -> None:
    assert lines("meitrack_t1", "led", {"enable": False}) == ["B31,10"]
    assert lines("meitrack_t1", "led", {"enable": True}) == ["B31,00"]
    assert lines("meitrack_t1", "location_request", {"type": "gprs"}) == ["A10"]


def test_what_there_is_to_tell_depends_on_the_model() -> None:
    assert can_tell("meitrack_t1", "output")
    assert not can_tell("meitrack_mt90", "output")
    assert can_tell("meitrack_mt90", "tracking")
    assert not can_tell("meitrack_t1", "special_settings")
    assert not can_tell("meitrack_t1", "electronic_lock")
    # A21 has the server in it, which nobody repeats when only the access point changes.
    assert not can_tell("meitrack_t1", "apn")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("registration", {"server": {**SERVER, "host": "h" * 33}}),
        ("registration", {"server": {**SERVER, "host": "a,b"}}),
        ("registration", {"server": SERVER, "apn": {"name": "a*b"}}),
        ("registration", {"server": SERVER, "apn": {"name": "länd"}}),
        ("registration", {"server": SERVER, "apn": {"name": "two\r\nlines"}}),
        ("registration", {"server": SERVER, "interval": 700_000}),
        ("registration", {}),
        ("tracking", {**VEHICLE, "tracking_interval": 655_351}),
        ("tracking", {**VEHICLE, "tracking_angle": None}),
        ("tracking", {**VEHICLE, "tracking_distance": "far"}),
        ("output", {"output": 6, "enable": True}),
        ("output", {"output": 0, "enable": True}),
        ("outputs", {"outputs": [True] * 6}),
        ("location_request", {"type": "gsm"}),
        ("electronic_lock", {"command_code": "seal"}),
        ("no_such_kind", {}),
    ],
)
def test_what_cannot_be_told_is_a_clear_error(kind: str, told: dict[str, object]) -> None:
    with pytest.raises(CommandError):
        lines("meitrack_t1", kind, told)


def test_content_that_is_no_content() -> None:
    for payload in (b"", b"[1]", b"\xff", b'{"server": 1}'):
        with pytest.raises(CommandError):
            Meitrack().instructions(Command(1, payload, "registration"), Device(IMEI))
