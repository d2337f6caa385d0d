"""What an emulated device sends decodes to what its vehicle did, and it obeys its server."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from waypost.catalog import models
from waypost.emulator.devices import kinds
from waypost.emulator.devices.base import Device as EmulatedDevice
from waypost.emulator.vehicle import Reading, Vehicle
from waypost.protocols import find_protocol
from waypost.protocols.base import (
    Answer,
    Command,
    Device,
    HttpReply,
    HttpRequest,
    MqttPublish,
    Transport,
)
from waypost.telemetry.message import Message

START = 1_760_000_000_000
IDS = {"wondex": "2000000017", "ngp": "truck-17"}
SPOKEN = [
    pytest.param(name, transport, id=f"{name}-{transport}")
    for name, kind in kinds().items()
    for transport in kind.transports
]


def emulated(name: str, transport: Transport | None = None, **options: Any) -> EmulatedDevice:
    kind = kinds()[name]
    device_id = IDS.get(name, "999000000000018")
    return kind(device_id, Vehicle(5, START), START, transport=transport, **options)


class Receiver:
    """The server's end: the real decoder of the protocol."""

    def __init__(self, device: EmulatedDevice) -> None:
        found = find_protocol(device.protocol)
        assert found is not None
        self.transport = device.transport
        self.protocol = found(device.transport)
        self.device = Device(device.device_id, device.model)
        self.buffer = bytearray()
        self.told: list[str] = []
        self.messages: list[Message] = []
        self.answers: list[Answer] = []

    def take(self, data: bytes) -> bytes:
        """What the server sends back."""
        out = b""
        for frame in self._frames(data):
            decoded = self.protocol.decode(frame, self.device)
            if decoded.hello is not None:
                self.told += decoded.hello.device_ids
            self.messages += decoded.messages
            self.answers += decoded.answers
            if isinstance(decoded.reply, HttpReply):
                body = decoded.reply.body
                head = f"HTTP/1.1 {decoded.reply.status} x\r\nContent-Length: {len(body)}\r\n\r\n"
                out += head.encode() + body
            elif decoded.reply is not None:
                out += decoded.reply
        return out

    def _frames(self, data: bytes) -> list[Any]:
        if not data:
            return []
        if self.transport is Transport.MQTT:
            return [MqttPublish(f"ngp/{self.device.device_id}", data)]
        if self.transport is Transport.HTTP:
            head, _, body = data.partition(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            return [HttpRequest(method, target, {"content-type": "application/json"}, body)]
        self.buffer += data
        return list(self.protocol.frames(self.buffer))


def converse(device: EmulatedDevice, receiver: Receiver, now: int) -> None:
    """Both talk until neither has anything to say."""
    out = device.next_packet()
    while out:
        back = receiver.take(out)
        if device.transport is Transport.MQTT:
            device.accepted(1)
        out = device.received(back, now) if back else b""
        out += device.next_packet()


def drive(device: EmulatedDevice, receiver: Receiver, seconds: int) -> list[Reading]:
    """The readings of which the device made reports, each sent at once."""
    readings = []
    now = START
    back = receiver.take(device.connected(now))
    if back:
        device.received(back, now)
    for second in range(seconds):
        now = START + second * 1000
        before = device.count.reports
        device.tick(now)
        readings += [device.reading] * (device.count.reports - before)
        converse(device, receiver, now)
    return readings


@pytest.mark.parametrize(("name", "transport"), SPOKEN)
def test_reports_decode_to_what_the_vehicle_did(name: str, transport: Transport) -> None:
    device = emulated(name, transport, interval=5000)
    receiver = Receiver(device)
    readings = drive(device, receiver, 1800)
    messages = [message for message in receiver.messages if message.has_location]
    assert len(readings) >= 360
    assert device.waiting == 0
    assert device.device_id in receiver.told
    assert any(reading.moving for reading in readings)
    assert not all(reading.ignition for reading in readings)
    assert len(messages) == len(readings)
    seen: set[str] = set()
    for reading, message in zip(readings, messages, strict=True):
        assert message.time is not None
        assert abs(message.time - reading.time) < (1000 if device.whole_seconds else 1)
        assert message.valid
        assert not [name for name in message.values if name.endswith(("_fault", "_mismatch"))]
        assert message.latitude == pytest.approx(reading.latitude, abs=1e-6)
        assert message.longitude == pytest.approx(reading.longitude, abs=1e-6)
        assert message.speed == pytest.approx(reading.speed, abs=0.51)
        assert message.heading is not None
        assert abs(message.heading % 360 - reading.heading % 360) <= 1
        assert message.altitude in (None, 0) or message.altitude == pytest.approx(
            reading.altitude, abs=0.51
        )
        assert message.satellites in (None, reading.satellites)
        expected = {
            "ignition": (reading.ignition, 0),
            "hardware_mileage": (reading.odometer, 0.051),
            "engine_hours": (reading.engine_hours, 0.001),
            "board_voltage": (reading.board_voltage, 0.051),
            "battery_voltage": (reading.battery_voltage, 0.051),
            "battery_level": (reading.battery_level, 0),
            "input_status": (reading.inputs, 0),
            "output_status": (device.outputs, 0),
        }
        for value_name, (value, tolerance) in expected.items():
            if value_name in message.values:
                seen.add(value_name)
                assert message.values[value_name] == pytest.approx(value, abs=tolerance), value_name
        for cell, mast in zip(message.cells or (), reading.cells, strict=False):
            assert (cell.lac, cell.cell_id) == (mast.lac, mast.cell_id)
            assert (cell.mcc, cell.mnc) == (mast.mcc, mast.mnc)
    assert seen >= CARRIED[name]


#: Values that each protocol has a place for.
CARRIED = {
    "teltonika": {"ignition", "hardware_mileage", "board_voltage", "battery_voltage"},
    "gl200": {"hardware_mileage", "board_voltage", "battery_level", "ignition", "engine_hours"},
    "gl100": set(),
    "atrack": {"hardware_mileage", "input_status", "output_status"},
    "wondex": {"battery_voltage", "input_status"},
    "gt06": {"ignition", "hardware_mileage"},
    "meitrack": {"hardware_mileage", "board_voltage", "battery_voltage", "input_status"},
    "ngp": {"hardware_mileage", "board_voltage", "battery_level", "input_status"},
}

INTERVAL_COMMANDS = {
    "teltonika": "setparam 10050:7",
    "gl200": "AT+GTFRI=gv300,1,0,,0,0000,0000,,7,1000,1000,,0,0,,,,,FFFF$",
    "gl100": "AT+GTTRI=gl100,0000,0000,1,7,20260101000000",
    "atrack": "AT$TRAC=1,7",
    "wondex": "$WP+TRACK=0000,1,7,0,0,0,4,10",
    "gt06": "TIMER,7,7#",
    "meitrack": "A12,1",
}
#: Seconds that these commands ask for, where they are not 7.
INTERVALS = {"meitrack": 10}


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize("name", INTERVAL_COMMANDS)
def test_a_command_changes_the_interval_and_is_answered(name: str, transport: Transport) -> None:
    device = emulated(name, transport, interval=60_000)
    receiver = Receiver(device)
    drive(device, receiver, 2)
    command = Command(3, INTERVAL_COMMANDS[name].encode())
    encoded = receiver.protocol.encode(command, receiver.device)
    receiver.take(device.received(encoded.data, START + 2000))
    assert device.count.commands == 1
    assert len(receiver.answers) == 1
    assert receiver.answers[0].ok
    assert receiver.answers[0].key == encoded.key
    reports = device.count.reports
    for second in range(3, 31):
        device.tick(START + second * 1000)
    assert device.count.reports - reports == 30 // INTERVALS.get(name, 7)


def test_turns_ways_and_parking_make_reports_as_configured() -> None:
    device = emulated("teltonika", interval=600_000)
    device.angle, device.distance, device.parked_interval = 30, 500, 60_000
    moments: list[Reading] = []
    for second in range(3600):
        before = device.count.reports
        device.tick(START + second * 1000)
        moments += [device.reading] * (device.count.reports - before)
    parked = [(one, two) for one, two in pairwise(moments) if not (one.ignition or two.ignition)]
    assert parked
    assert all(two.time - one.time == 60_000 for one, two in parked)
    driven = [(one, two) for one, two in pairwise(moments) if one.ignition and two.ignition]
    assert len(driven) > 10
    for one, two in driven:
        turn = abs(two.heading - one.heading)
        gone = (two.odometer - one.odometer) * 1000
        assert min(turn, 360 - turn) >= 30 or gone >= 500
        assert gone < 500 + 40


def test_what_is_not_a_command_is_answered_as_wrong() -> None:
    device = emulated("atrack")
    receiver = Receiver(device)
    drive(device, receiver, 1)
    receiver.take(device.received(b"AT$NOSUCH=1\r\n", START))
    assert [answer.ok for answer in receiver.answers] == [False]


@pytest.mark.parametrize(("name", "transport"), SPOKEN)
def test_reports_are_kept_in_order_until_they_are_acknowledged(
    name: str, transport: Transport
) -> None:
    device = emulated(name, transport, interval=1000)
    if not device.is_acknowledged():
        pytest.skip("the protocol has no acknowledgement")
    for second in range(50):
        device.tick(START + second * 1000)
    for _ in range(3):  # connections that break before the server has answered
        lost = Receiver(device)
        back = lost.take(device.connected(START))
        if back:
            device.received(back, START)
        assert lost.take(device.next_packet()) or transport is Transport.MQTT
        assert device.next_packet() == b""
        device.lost()
    assert device.waiting == 50
    receiver = Receiver(device)
    back = receiver.take(device.connected(START))
    if back:
        device.received(back, START)
    converse(device, receiver, START)
    times = [message.time for message in receiver.messages]
    assert times == [START + second * 1000 for second in range(50)]
    assert device.count.acknowledged == device.count.sent == 50
    assert device.count.repeated == 3 * min(device.per_packet, 50)


def test_a_full_memory_overwrites_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waypost.emulator.devices.base.MEMORY", 10)
    device = emulated("teltonika", interval=1000)
    for second in range(15):
        device.tick(START + second * 1000)
    assert device.waiting == 10
    assert device.count.overwritten == 5


@pytest.mark.parametrize(("name", "transport"), SPOKEN)
def test_nonsense_from_the_server_does_no_harm(name: str, transport: Transport) -> None:
    for junk in (b"\0", b"\xff" * 40, b"+SACK:$AT+GT$AT$\r\n$WP+\r\n", b"HTTP/1.1 200\r\n\r\n" * 3):
        device = emulated(name, transport, interval=1000)
        device.connected(START)
        for second in range(3):
            device.tick(START + second * 1000)
            device.received(junk, START)
            device.next_packet()
        assert device.count.acknowledged == 0 or transport is Transport.HTTP


def test_every_device_pretends_to_be_a_model_of_the_catalog() -> None:
    for name, kind in kinds().items():
        model = models.model(kind.model)
        assert model is not None, kind.model
        assert model.protocol == name
