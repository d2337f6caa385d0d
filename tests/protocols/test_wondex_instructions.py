"""What Wonde Proud trackers are told."""

from __future__ import annotations

import pytest
from instructed import APN, SERVER, can_tell, lines, texts

from waypost.protocols.base import CommandError, Device, Transport
from waypost.protocols.wondex import Wondex


def test_registration_names_the_server_last() -> None:
    told = {"server": SERVER, "apn": APN, "interval": 90}
    assert lines("tt1_wp", "registration", told) == [
        "$WP+TRACK=0000,1,90,0,0,0,4,0",
        "$WP+COMMTYPE=0000,4,,,internet.m2m,thing,s3cret,track.example.com,5020,0,8.8.8.8",
    ]
    udp = {"server": {"host": "192.0.2.7", "port": 5008, "transport": "udp"}}
    assert lines("tt1_wp", "registration", udp) == [
        "$WP+TRACK=0000,1,60,0,0,0,3,0",
        "$WP+COMMTYPE=0000,3,,,,,,192.0.2.7,5008,0,",
    ]


def test_the_devices_password_stands_in_every_command_and_is_secret() -> None:
    told = texts(
        "tt1_wp", "registration", {"server": SERVER, "apn": APN}, password="4711", sms=True
    )
    assert all("=4711," in text.text for text in told)
    assert set(told[1].secrets) == {"4711", "s3cret"}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"type": "interval", "tracking_interval": 30, "psm_mode": 0},
            ["$WP+TRACK=0000,1,30,100,0,0,4,0", "$WP+PSM=0000,0"],
        ),
        (
            {"type": "interval", "tracking_interval": 30, "tracking_angle": 15, "psm_mode": 1},
            ["$WP+TRACK=0000,6,30,100,0,0,4,15", "$WP+PSM=0000,1,300,1,2,2,3600"],
        ),
        (
            {"type": "distance", "tracking_distance": 250, "psm_mode": 2, "psm_interval": 900},
            ["$WP+TRACK=0000,2,60,250,0,0,4,0", "$WP+PSM=0000,2,300,1,2,2,900"],
        ),
        (
            {"type": "distance", "tracking_distance": 250, "tracking_angle": 40},
            ["$WP+TRACK=0000,7,60,250,0,0,4,40"],
        ),
        (
            {"type": "power_save", "tracking_interval": 60, "psm_interval": 65535},
            ["$WP+TRACK=0000,1,60,100,0,0,4,0", "$WP+PSM=0000,2,300,1,2,2,65535"],
        ),
    ],
)
def test_tracking(told: dict[str, object], expected: list[str]) -> None:
    assert lines("vt10_wp", "tracking", told) == expected


def test_tracking_goes_on_by_udp() -> None:
    told = {"type": "interval", "tracking_interval": 30}
    (line,) = lines("vt300_wp", "tracking", told, transport=Transport.UDP)
    assert line == "$WP+TRACK=0000,1,30,100,0,0,3,0"


def test_outputs_and_place() -> None:
    assert lines("tt1_wp", "output", {"output": 3, "enable": True}) == ["$WP+OUTC=0000,3,1,0,0"]
    assert lines("tt1_wp", "outputs", {"outputs": [True, False]}) == [
        "$WP+OUTC=0000,1,1,0,0",
        "$WP+OUTC=0000,2,0,0,0",
    ]
    assert lines("tt1_wp", "location_request", {"type": "sms"}) == ["$WP+GETLOCATION=0000"]
    assert lines("tt1_wp", "location_request", {"type": "gprs"}) == ["$WP+GETLOCATION=0000"]
    assert lines("tt1_wp", "location_request", {"type": "gsm"}) == ["$WP+GBLAC=0000,1"]


def test_the_cells_that_it_names_are_read() -> None:
    line = b"$MSG:GBLAC=2000000001,20140529213210,262074F715B0A4F710CEA"
    decoded = Wondex().decode(line, Device("2000000001"))
    (message,) = decoded.messages
    assert [(one.mcc, one.mnc, one.lac, one.cell_id) for one in message.cells or ()] == [
        (262, 7, 0x4F71, 0x5B0A),
        (262, 7, 0x4F71, 0x0CEA),
    ]
    assert not message.has_location
    assert [answer.key for answer in decoded.answers] == ["GBLAC"]
    other = Wondex().decode(b"$MSG:GBLAC=2000000001,20140529213210,?", Device("2000000001"))
    assert not other.messages
    assert other.answers[0].text.endswith("?")


def test_what_there_is_to_tell_depends_on_the_model() -> None:
    assert can_tell("tt1_wp", "output")
    assert not can_tell("vt10_wp", "output")
    assert can_tell("m7", "tracking")
    assert not can_tell("tt1_wp", "apn")
    assert not can_tell("tt1_wp", "led")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("registration", {"server": {**SERVER, "host": "a,b"}}),
        ("registration", {"server": SERVER, "apn": {"name": "a b\r\n$WP+REBOOT=0000"}}),
        ("tracking", {"type": "intelligent"}),
        ("tracking", {}),
        ("tracking", {"type": "interval", "bat_voltage": "1.8"}),
        ("tracking", {"type": "interval", "bat_voltage": "1.5", "bat_psm_interval": 60}),
        ("tracking", {"type": "interval", "tracking_interval": 1.5}),
    ],
)
def test_what_cannot_be_told_is_a_clear_error(kind: str, told: dict[str, object]) -> None:
    with pytest.raises(CommandError):
        lines("tt1_wp", kind, told)


def test_wake_up_times_count_while_an_m7_sleeps_with_gprs_off() -> None:
    told = {"type": "interval", "tracking_interval": 30, "wakeup_timer1": "10:00"}
    assert lines("m7_wp", "tracking", {**told, "psm_mode": 1, "psm_interval": 600})
    with pytest.raises(CommandError, match="wakeup_timer1"):
        lines("m7_wp", "tracking", {**told, "psm_mode": 2})
