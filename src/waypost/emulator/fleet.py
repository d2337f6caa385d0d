"""Many emulated vehicles against a server: what ``waypost emulate`` and ``serve --demo`` run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import cycle, islice
from zlib import crc32

import msgspec

from waypost.clock import now_ms
from waypost.emulator.devices import kinds
from waypost.emulator.devices.base import SECOND, Count, Device
from waypost.emulator.links import Link, link
from waypost.emulator.vehicle import Vehicle
from waypost.fleet.device_ids import luhn_digit
from waypost.protocols.base import Transport

#: What the demo's vehicles carry, in turn: protocol, transport, name of the make.
MIX = (
    ("teltonika", Transport.TCP, "Teltonika"),
    ("gl200", Transport.TCP, "Queclink"),
    ("ngp", Transport.HTTP, "Generic"),
    ("teltonika", Transport.UDP, "Teltonika"),
    ("atrack", Transport.TCP, "ATrack"),
    ("ngp", Transport.MQTT, "Generic"),
    ("wondex", Transport.TCP, "WondeProud"),
    ("gl200", Transport.UDP, "Queclink"),
    ("gl100", Transport.UDP, "Queclink"),
    ("atrack", Transport.UDP, "ATrack"),
    ("gt06", Transport.TCP, "Concox"),
    ("meitrack", Transport.TCP, "Meitrack"),
)
NAMES = ("Van", "Truck", "Taxi", "Courier", "Service car")
#: Begins the IMEIs of vehicles that do not exist; the industry gives out 01, 35 and 86.
NO_MAKER = "99900"
#: Seconds between two reports of a demo vehicle: whoever looks twice sees it move.
DEMO_INTERVAL = 2


class DemoDevice(msgspec.Struct, frozen=True):
    """A vehicle of the demo, as it must be registered."""

    device_id: str
    #: The catalog's code.
    model: str
    protocol: str
    transport: Transport
    label: str


class EmulatorError(Exception):
    """What was asked for cannot be emulated; the text says why."""


def demo_devices(count: int) -> list[DemoDevice]:
    """The first ``count`` vehicles of the demo; always the same ones."""
    devices = []
    for number, (protocol, transport, make) in enumerate(islice(cycle(MIX), count), 1):
        kind = kinds()[protocol]
        devices.append(
            DemoDevice(
                device_id=demo_id(protocol, number),
                model=kind.model,
                protocol=protocol,
                transport=transport,
                label=f"{NAMES[number % len(NAMES)]} {number:02d} ({make}, {transport.upper()})",
            )
        )
    return devices


def demo_id(protocol: str, number: int) -> str:
    """The id of the demo's vehicle ``number``."""
    if protocol == "ngp":
        return f"demo-{number:04d}"
    if protocol == "wondex":
        return f"{20_000_000 + number}00"
    digits = f"{NO_MAKER}{number:09d}"
    return digits + luhn_digit(digits)


def numbered_ids(first: str, count: int) -> list[str]:
    """``first`` and the ids that follow it, counting up its last digits. Raises
    :class:`EmulatorError` where it has too few of them."""
    found = re.fullmatch(r"(.*?)([0-9]*)", first)
    head, tail = (found[1], found[2]) if found else (first, "")
    if not tail and count > 1:
        raise EmulatorError(f"{first!r} does not end in digits that could be counted up")
    if not tail:
        return [first]
    last = int(tail) + count - 1
    if len(str(last)) > len(tail):
        raise EmulatorError(f"{count} ids from {first!r} on do not fit its {len(tail)} digits")
    return [f"{head}{number:0{len(tail)}d}" for number in range(int(tail), last + 1)]


class Fleet:
    """Emulated devices and their links. Make it where an event loop runs."""

    def __init__(self) -> None:
        self.devices: list[Device] = []
        self.links: list[Link] = []

    def add(
        self,
        protocol: str,
        device_id: str,
        host: str,
        port: int,
        *,
        transport: Transport | None = None,
        interval: float = 30.0,
        most: int | None = None,
        spread: float = 0.0,
        password: str = "",
    ) -> None:
        """Adds a device; the vehicle and its route follow from the id. Times in seconds; ``most``:
        reports to make in all; ``password``: the device's own, where the protocol sends one.
        Raises :class:`EmulatorError`."""
        kind = kinds().get(protocol)
        if kind is None:
            raise EmulatorError(f"{protocol!r} is none of {', '.join(sorted(kinds()))}")
        start = (now_ms() + round(spread * SECOND)) // SECOND * SECOND
        try:
            device = kind(
                device_id,
                Vehicle(crc32(device_id.encode()), start),
                start,
                interval=round(interval * SECOND),
                transport=transport,
                most=most,
            )
        except ValueError as error:
            raise EmulatorError(str(error)) from None
        self.devices.append(device)
        self.links.append(link(device, host, port, spread=spread, password=password))

    def add_demo(self, devices: Iterable[DemoDevice], host: str, ports: Mapping[str, int]) -> None:
        """Adds the demo's vehicles. ``ports``: protocol name -> port; ``mqtt`` is MQTT's."""
        for number, item in enumerate(devices):
            port = ports["mqtt" if item.transport is Transport.MQTT else item.protocol]
            self.add(
                item.protocol,
                item.device_id,
                host,
                port,
                transport=item.transport,
                interval=DEMO_INTERVAL,
                spread=number * 0.618 % 1 * DEMO_INTERVAL,
            )

    def start(self) -> None:
        for item in self.links:
            item.start()

    async def close(self) -> None:
        for item in self.links:
            await item.close()

    @property
    def done(self) -> bool:
        """All have made their reports, and all of these were acknowledged."""
        return all(device.done for device in self.devices)

    def count(self) -> Count:
        """What all devices together did."""
        total = Count()
        for device in self.devices:
            total.add(device.count)
        return total

    @property
    def waiting(self) -> int:
        """Reports not acknowledged yet."""
        return sum(device.waiting for device in self.devices)

    @property
    def online(self) -> int:
        return sum(device.online for device in self.devices)
