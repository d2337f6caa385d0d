"""What the platform tells emulated ATrack, Wonde Proud, Concox and Meitrack trackers, they do: over
their connection and by SMS."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.emulator.devices import kinds
from waypost.emulator.devices.base import NEVER
from waypost.emulator.devices.base import Device as EmulatedDevice
from waypost.emulator.vehicle import Vehicle
from waypost.protocols import find_protocol
from waypost.protocols.base import Answer, Command, Device, Transport
from waypost.protocols.instructions import AccessPoint
from waypost.telemetry.message import Message

START = 1_760_000_000_000
MAKERS = ("atrack", "wondex", "gt06", "meitrack")
APN = {"name": "internet.m2m", "user": "thing", "password": "s3cret"}


class Told:
    """A device and the platform's end of its protocol."""

    def __init__(self, name: str, transport: Transport = Transport.TCP, **known: Any) -> None:
        kind, found = kinds()[name], find_protocol(name)
        assert found is not None
        device_id = "2000000017" if name == "wondex" else "999000000000018"
        self.device: EmulatedDevice = kind(
            device_id, Vehicle(5, START), START, interval=60_000, transport=transport
        )
        self.protocol = found(transport)
        self.known = Device(device_id, kind.model, **known)
        self.answers: list[Answer] = []
        self.messages: list[Message] = []

    def by_connection(self, kind: str, content: dict[str, Any]) -> None:
        """All lines, each answered as the platform wants it."""
        buffer = bytearray()
        for line in self.protocol.instructions(self.command(kind, content), self.known):
            encoded = self.protocol.encode(Command(7, line.text.encode()), self.known)
            buffer += self.device.received(encoded.data, START)
            answered = len(self.answers)
            for frame in self.protocol.frames(buffer):
                decoded = self.protocol.decode(frame, self.known)
                self.answers += decoded.answers
                self.messages += decoded.messages
            assert len(self.answers) == answered + 1, line
            assert self.answers[-1].ok, line
            assert self.answers[-1].key == encoded.key, line

    def by_sms(self, kind: str, content: dict[str, Any]) -> list[str | None]:
        """The answers by SMS."""
        lines = self.protocol.instructions(self.command(kind, content), self.known)
        said = [self.protocol.by_sms(line, self.known).text for line in lines]
        return [self.device.receive_sms(text) for text in said]

    @staticmethod
    def command(kind: str, content: dict[str, Any]) -> Command:
        return Command(7, msgspec.json.encode(content), kind)


@pytest.mark.parametrize("way", ["tcp", "udp"])
@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("how", ["by_sms", "by_connection"])
def test_registration_points_it_at_the_server(name: str, way: str, how: str) -> None:
    told = Told(name)
    server = {"host": "track.example.com", "port": 5123, "transport": way}
    answers = getattr(told, how)("registration", {"server": server, "apn": APN, "interval": 120})
    device = told.device
    assert device.server == ("track.example.com", 5123)
    assert device.transport is Transport(way)
    assert device.apn == AccessPoint(**APN)
    assert device.interval == 120_000
    if how == "by_sms":
        assert None not in answers


@pytest.mark.parametrize("name", MAKERS)
def test_registration_without_an_access_point_leaves_the_one_it_has(name: str) -> None:
    told = Told(name)
    told.device.apn = AccessPoint("known")
    server = {"host": "192.0.2.7", "port": 5123}
    told.by_sms("registration", {"server": server})
    assert told.device.server == ("192.0.2.7", 5123)
    assert told.device.apn == AccessPoint("known")


@pytest.mark.parametrize("name", ["atrack", "gt06"])
def test_another_access_point(name: str) -> None:
    told = Told(name)
    told.device.point_at("here", 1)
    told.by_connection("apn", {"apn": APN})
    assert told.device.apn == AccessPoint(**APN)
    assert told.device.server == ("here", 1)


#: Protocol -> tracking settings, and what the device does then: interval, parked interval, metres,
#: degrees.
TRACKING: list[tuple[str, dict[str, Any], tuple[int, int, int, int]]] = [
    (
        "atrack",
        {
            "control_mode": "acc",
            "tracking_interval": 45,
            "tracking_distance": 250,
            "tracking_angle": 30,
            "on_stop_tracking_interval": 900,
            "psm_mode": 0,
        },
        (45, 900, 250, 30),
    ),
    (
        "atrack",
        {"tracking_interval": None, "tracking_distance": 250, "tracking_angle": None},
        (NEVER, 0, 250, 0),
    ),
    (
        "wondex",
        {
            "type": "interval",
            "tracking_interval": 45,
            "tracking_angle": 30,
            "psm_mode": 2,
            "psm_interval": 600,
        },
        (45, 600, 0, 30),
    ),
    (
        "wondex",
        {"type": "distance", "tracking_distance": 250, "psm_mode": 0},
        (NEVER, 0, 250, 0),
    ),
    ("gt06", {"tracking_distance": 250, "tracking_interval": 45}, (45, 45, 250, 0)),
    (
        "meitrack",
        {
            "tracking_interval": 45,
            "tracking_distance": 250,
            "tracking_angle": 30,
            "on_stop_tracking_interval": 600,
            "psm_mode": 1,
            "psm_interval": 3600,
        },
        (50, 600, 250, 30),
    ),
]


@pytest.mark.parametrize(("name", "settings", "done"), TRACKING)
@pytest.mark.parametrize("how", ["by_sms", "by_connection"])
def test_it_tracks_as_it_is_told(
    name: str, settings: dict[str, Any], done: tuple[int, int, int, int], how: str
) -> None:
    told = Told(name)
    getattr(told, how)("tracking", settings)
    device = told.device
    seconds = (device.interval // 1000, device.parked_interval // 1000)
    assert (*seconds, device.distance, device.angle) == done


def tens(seconds: int) -> int:
    return -(-seconds // 10) * 10


@given(
    interval=st.integers(30, 65_535),
    parked=st.integers(1, 65_535),
    distance=st.integers(50, 10_000),
    angle=st.integers(10, 80),
)
def test_whatever_is_told_comes_to_be(
    interval: int, parked: int, distance: int, angle: int
) -> None:
    moving = {
        "tracking_interval": interval,
        "tracking_distance": distance,
        "tracking_angle": angle,
    }
    stopped = {"on_stop_tracking_interval": parked}
    for name, settings, done in (
        (
            "atrack",
            {**moving, **stopped, "control_mode": "acc"},
            (interval, parked, distance, angle),
        ),
        (
            "wondex",
            {**moving, "type": "interval", "psm_mode": 1, "psm_interval": parked},
            (interval, parked, 0, angle),
        ),
        (
            "wondex",
            {**moving, "type": "distance", "psm_mode": 0},
            (NEVER, 0, distance, angle),
        ),
        ("gt06", moving, (interval, interval, distance, 0)),
        (
            "meitrack",
            {**moving, **stopped, "psm_mode": 0, "psm_interval": 60},
            (tens(interval), tens(parked), distance, angle),
        ),
    ):
        told = Told(name)
        told.by_connection("tracking", settings)
        device = told.device
        seconds = (device.interval // 1000, device.parked_interval // 1000)
        assert (*seconds, device.distance, device.angle) == done, name


@pytest.mark.parametrize("name", MAKERS)
def test_outputs_are_switched_and_the_others_stay(name: str) -> None:
    told = Told(name)
    count = {"gt06": 1, "atrack": 2, "wondex": 4, "meitrack": 3}[name]
    told.by_connection("outputs", {"outputs": [True] * count})
    assert told.device.outputs == (1 << count) - 1
    told.by_connection("output", {"output": count, "enable": False})
    assert told.device.outputs == (1 << (count - 1)) - 1
    told.by_sms("output", {"output": count, "enable": True})
    assert told.device.outputs == (1 << count) - 1


@pytest.mark.parametrize("name", MAKERS)
def test_it_says_where_it_is(name: str) -> None:
    told = Told(name)
    told.device.connected(START)
    told.device.ready = True
    told.by_connection("location_request", {"type": "gprs"})
    if not told.messages:
        buffer = bytearray(told.device.next_packet())
        for frame in told.protocol.frames(buffer):
            told.messages += told.protocol.decode(frame, told.known).messages
    (message,) = told.messages
    assert message.latitude == pytest.approx(told.device.reading.latitude, abs=1e-5)
    assert told.by_sms("location_request", {"type": "sms"})[0]


def test_it_names_the_cells_around() -> None:
    told = Told("wondex")
    told.by_connection("location_request", {"type": "gsm"})
    (message,) = told.messages
    seen = [(cell.lac, cell.cell_id) for cell in message.cells or ()]
    assert seen == [(cell.lac, cell.cell_id) for cell in told.device.reading.cells]


def test_lights_go_off_and_on() -> None:
    told = Told("meitrack")
    told.by_connection("led", {"enable": False})
    assert told.device.lights is False  # type: ignore[attr-defined]
    told.by_sms("led", {"enable": True})
    assert told.device.lights is True  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["wondex", "meitrack"])
def test_a_wrong_password_changes_nothing(name: str) -> None:
    told = Told(name, password="1111")
    server = {"host": "192.0.2.7", "port": 5123}
    for answer in told.by_sms("registration", {"server": server}):
        assert answer is None or answer.startswith("$ERR")
    assert told.device.server is None


@pytest.mark.parametrize("name", MAKERS)
def test_texts_that_are_no_commands_are_not_answered(name: str) -> None:
    told = Told(name)
    for text in ("", "Hello", "Your balance is 5.00", "ä" * 200, "\0", ","):
        assert told.device.receive_sms(text) is None
    assert told.device.count.commands == 0


WRONG = {
    "atrack": ("AT$TRAC=0", "AT$TRAC=1,0", "AT$GPRS=0", 'AT$GPRS=1,,,,"h",x', "AT$OUTC=9,1"),
    "wondex": (
        "$WP+TRACK=0000,0",
        "$WP+TRACK=0000,12,5",
        "$WP+COMMTYPE=0000,9,,,,,,h,1",
        "$WP+OUTC=0000,9,1,0,0",
        "$WP+OUTC=0000,1,1",
        "$WP+PSM=0000,1",
    ),
    "gt06": ("TIMER#", "TIMER,x#", "SERVER,1,h#", "SERVER,1,h,1,7#", "RELAY,2#", "ANGLEREP,ON#"),
    "meitrack": ("0000,A12,x", "0000,A21,1,h", "0000,A13,400", "0000,C01,0,9", "0000,ZZZ,1"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_wrong_commands_are_refused_and_change_nothing(name: str) -> None:
    told = Told(name)
    device = told.device
    for text in WRONG[name]:
        answer = device.receive_sms(text)
        assert answer is None or "rr" in answer.lower(), text
    assert (device.interval, device.server, device.outputs, device.angle) == (60_000, None, 0, 0)
