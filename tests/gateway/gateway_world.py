"""A gateway with made-up protocols, a made-up ingest and directory, and devices to try it with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

from waypost.fleet.directory import DeviceRecord
from waypost.gateway import Gateway
from waypost.protocols.base import (
    Answer,
    Command,
    CommandError,
    Decoded,
    Device,
    Encoded,
    Hello,
    HttpReply,
    Protocol,
    ProtocolError,
    Text,
    Transport,
)
from waypost.telemetry.message import Message

NOW = 1_790_000_000_000


class Line(Protocol):
    """Lines of words: ``HELLO id [password]``, ``DATA n``, ``FOR id n``, ``SAY text``, ``PING``,
    ``BYE``. Everything but SAY is answered."""

    name = "line"
    aliases = ("lines",)
    port = 4001
    max_frame = 200
    commands = True
    needs_record: ClassVar[bool] = False

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        if start[:6] == b"HELLO ":
            return True
        return None if b"HELLO ".startswith(start) else False

    def frames(self, buffer: bytearray) -> list[bytes]:
        found = []
        while (end := buffer.find(b"\n")) >= 0:
            found.append(bytes(buffer[:end]))
            del buffer[: end + 1]
        if found:
            return found
        if buffer and not buffer[:1].isalpha():
            raise ProtocolError(f"a line begins with a letter, not {buffer[:1]!r}")
        return found

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        word, _, rest = frame.decode(errors="replace").partition(" ")
        if word == "HELLO":
            device_id, _, password = rest.partition(" ")
            hello = Hello([device_id], model="Liner", password=password or None)
            return Decoded(hello=hello, reply=b"OK\n")
        if word == "DATA":
            return Decoded(messages=[message(rest)], reply=f"ACK {rest}\n".encode())
        if word == "LOGDATA":  # says who it is with every message
            device_id, _, what = rest.partition(" ")
            reply = f"ACK {what}\n".encode()
            return Decoded(hello=Hello([device_id]), messages=[message(what)], reply=reply)
        if word == "MODEL":  # reads otherwise once the device's model is known
            if device is None and not unknown:
                return Decoded(hello=Hello([rest]), needs_device=True)
            return Decoded(reply=f"MODEL {device.model if device else None}\n".encode())
        if word == "FOR":
            other, _, what = rest.partition(" ")
            about = message(what)
            about.device_id = other
            return Decoded(messages=[message("own"), about], reply=b"ACK both\n")
        if word == "SAY":
            key, _, text = rest.partition(" ")
            return Decoded(answers=[Answer(text, key=key or None, ok=text != "no")])
        if word == "PING":
            return Decoded(reply=b"PONG\n")
        if word == "BYE":
            return Decoded(reply=b"BYE\n", close=True)
        if word == "CRASH":
            raise RuntimeError("a fault in the decoder")
        raise ProtocolError(f"no such word: {word!r}")

    @classmethod
    def can_tell(cls, kind: str, device: Device) -> bool:
        return kind == "lines"

    def instructions(self, command: Command, device: Device) -> list[Text]:
        """``lines``: these, one after the other; words that begin with an ``!`` are secrets."""
        if command.kind != "lines":
            return super().instructions(command, device)
        return [
            Text(text, tuple(word for word in text.split() if word.startswith("!")))
            for text in command.content(list[str])
        ]

    def encode(self, command: Command, device: Device) -> Encoded:
        if len(command.text) > 50:
            raise CommandError("longer than 50 characters")
        answered = not command.text.startswith("quiet")
        data = f"CMD {command.id} {command.text}\n".encode()
        return Encoded(data, key=str(command.id), answered=answered)


class Mark(Protocol):
    """A binary protocol: ``0x7E``, length, then lines as in :class:`Line`."""

    name = "mark"
    port = 4002
    transports = frozenset({Transport.TCP})

    @classmethod
    def recognises(cls, start: bytes) -> bool | None:
        return start[:1] == b"\x7e"

    def frames(self, buffer: bytearray) -> list[bytes]:
        found = []
        while len(buffer) > 1 and len(buffer) >= 2 + buffer[1]:
            if buffer[0] != 0x7E:
                raise ProtocolError(f"a frame begins with 7e, not {buffer[0]:02x}")
            size = buffer[1]
            found.append(bytes(buffer[2 : 2 + size]))
            del buffer[: 2 + size]
        return found

    def decode(self, frame: bytes, device: Device | None, *, unknown: bool = False) -> Decoded:
        return Line().decode(frame, device, unknown=unknown)


class Web(Protocol):
    """HTTP and MQTT: the body (or the topic's end) is the id, then what was measured."""

    name = "web"
    port = 4003
    transports = frozenset({Transport.HTTP, Transport.MQTT})
    topics = ("web/+",)
    mqtt_username = "web_device"
    max_frame = 1000

    def decode(self, frame: Any, device: Device | None, *, unknown: bool = False) -> Decoded:
        if self.transport is Transport.MQTT:
            device_id, what = frame.topic.partition("/")[2], frame.body.decode()
        else:
            if frame.method != "POST":
                return Decoded(reply=HttpReply(405, b"POST only"))
            device_id, _, what = frame.body.decode().partition(" ")
        if what == "bad" or not device_id:
            raise ProtocolError("this cannot be read")
        return Decoded(hello=Hello([device_id]), messages=[message(what)], reply=HttpReply(200))


PROTOCOLS: dict[str, type[Protocol]] = {"line": Line, "mark": Mark, "web": Web}


def message(what: str) -> Message:
    return Message(
        time=NOW, digest_of=what.encode(), latitude=41.0, longitude=2.0, values={"what": what}
    )


class FakeIngest:
    """Keeps what is submitted; commits at once unless ``manual``."""

    def __init__(self) -> None:
        self.manual = False
        self.full = False
        self.error: Exception | None = None
        self.open_error: Exception | None = None
        self.queue: list[tuple[int, list[str], Callable[[BaseException | None], None]]] = []
        #: What is durable: (source id, what).
        self.stored: list[tuple[int, str]] = []
        self.opened: dict[int, int] = {}
        self._room = asyncio.Event()

    async def open(self, source_id: int, retention_days: int) -> Any:
        await asyncio.sleep(0)
        if self.open_error is not None:
            raise self.open_error
        self.opened[source_id] = self.opened.get(source_id, 0) + 1
        return SimpleNamespace(source_id=source_id)

    def release(self, live: Any) -> None:
        self.opened[live.source_id] -= 1

    def submit(
        self,
        live: Any,
        messages: Sequence[Message],
        received: int,
        done: Callable[[BaseException | None], None],
    ) -> None:
        whats = [str(one.values.get("what", one.digest_of)) for one in messages]
        self.queue.append((live.source_id, whats, done))
        if not self.manual:
            asyncio.get_running_loop().call_soon(self.commit)

    def commit(self) -> None:
        queue, self.queue = self.queue, []
        for source_id, whats, done in queue:
            if self.error is None:
                self.stored += [(source_id, what) for what in whats]
            done(self.error)

    async def room(self) -> None:
        await self._room.wait()

    def make_room(self) -> None:
        self.full = False
        self._room.set()

    @property
    def whats(self) -> list[str]:
        return [what for _, what in self.stored]


class FakeDirectory:
    """Registered devices by id."""

    def __init__(self) -> None:
        self.records: dict[str, DeviceRecord] = {}
        self.error: Exception | None = None
        self.delay = 0.0
        self.lookups = 0
        self._watchers: list[tuple[Callable[[], bool], Callable[[], None]]] = []
        self._by_key: dict[Any, list[Callable[[], None]]] = {}

    def register(
        self, device_id: str, source_id: int, model: str = "m1", password: str | None = None
    ) -> None:
        device = Device(device_id, model=model, password=password)
        self.records[device_id] = DeviceRecord(source_id, device, False, 30)
        self._tell(device_id)
        self._tell(source_id)

    def give_up(self, device_id: str) -> None:
        record = self.records.pop(device_id)
        self._tell(device_id)
        self._tell(record.source_id)

    def _tell(self, key: Any) -> None:
        for callback in list(self._by_key.get(key, ())):
            callback()

    async def find(self, device_ids: Sequence[str]) -> DeviceRecord | None:
        self.lookups += 1
        found = [self.records[name] for name in device_ids if name in self.records]
        await asyncio.sleep(self.delay)
        if self.error is not None:
            raise self.error
        return found[0] if found else None

    def _watch(self, keys: Sequence[Any], callback: Callable[[], None]) -> Callable[[], None]:
        for key in keys:
            self._by_key.setdefault(key, []).append(callback)

        def stop() -> None:
            for key in keys:
                self._by_key[key].remove(callback)

        return stop

    def watch_devices(
        self, device_ids: Sequence[str], callback: Callable[[], None]
    ) -> Callable[[], None]:
        return self._watch(list(device_ids), callback)

    def watch_source(self, source_id: int, callback: Callable[[], None]) -> Callable[[], None]:
        return self._watch([source_id], callback)

    @property
    def watchers(self) -> int:
        return sum(map(len, self._by_key.values()))


class World:
    """One gateway and what it works with."""

    def __init__(self) -> None:
        self.gateway: Gateway
        self.settings: Any
        self.ingest = FakeIngest()
        self.directory = FakeDirectory()
        self.database: Any
        self.bus: Any
        self.queue: Any
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def ports(self) -> dict[str, int]:
        return self.gateway.ports

    async def tcp(self, port: str = "line") -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[port])
        self._writers.append(writer)
        return Client(reader, writer)

    async def device(self, device_id: str = "d1", port: str = "line") -> Client:
        """A device that has logged in."""
        client = await self.tcp(port)
        client.send(f"HELLO {device_id}\n")
        assert await client.line() == "OK"
        return client

    async def udp(self, port: str = "line") -> UdpClient:
        loop = asyncio.get_running_loop()
        _, client = await loop.create_datagram_endpoint(
            UdpClient, remote_addr=("127.0.0.1", self.ports[port])
        )
        return client

    def tap(self, device_id: str) -> list[tuple[str, bytes | str]]:
        return [(entry.kind, entry.data) for entry in self.gateway.tap.read(device_id)]

    def notes(self) -> list[str]:
        """What the tap noted of connections that never said who they are."""
        traces = self.gateway.tap.read_nameless().values()
        return [str(entry.data) for trace in traces for entry in trace if entry.kind == "note"]

    async def close(self) -> None:
        for writer in self._writers:
            writer.close()
        await self.gateway.stop()


class Client:
    """The device's end of a TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)

    async def line(self, timeout: float = 5) -> str:
        data = await asyncio.wait_for(self.reader.readline(), timeout)
        return data.decode().removesuffix("\n")

    async def silent(self, seconds: float = 0.1) -> bool:
        """Nothing comes for a while."""
        try:
            data = await asyncio.wait_for(self.reader.read(1000), seconds)
        except TimeoutError:
            return True
        raise AssertionError(f"got {data!r}")

    async def closed(self, timeout: float = 5) -> bytes:
        """Waits for the end; returns what came before it."""
        try:
            return await asyncio.wait_for(self.reader.read(), timeout)
        except ConnectionError:
            return b""

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


class UdpClient(asyncio.DatagramProtocol):
    """The device's end of UDP."""

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.put_nowait(data)

    def send(self, text: str) -> None:
        self.transport.sendto(text.encode())

    async def line(self, timeout: float = 5) -> str:
        data = await asyncio.wait_for(self.received.get(), timeout)
        return data.decode().removesuffix("\n")

    async def silent(self, seconds: float = 0.1) -> bool:
        await asyncio.sleep(seconds)
        return self.received.empty()


async def until(true: Callable[[], Any], seconds: float = 5) -> None:
    """Waits until something holds."""
    for _ in range(int(seconds / 0.01)):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to hold")
