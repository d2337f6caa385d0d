"""The tap: raw bytes in and out of each device, kept a short while in memory.

A trace is a bounded ring of entries. While nobody knows who is at the other end of a connection it
stands under the address; the device's log-in merges it into the device's own trace, so the whole
story of a device (connections, bytes, errors, why it was closed) is in one place.

Live watching goes over the bus (``bus.taps``).
"""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import Any

import msgspec

from waypost.bus.base import Bus, Subscription
from waypost.bus.taps import WATCH, Entry, tap_subject

#: Bytes of all traces together, above which the one that was silent longest is forgotten.
TOTAL_BYTES = 64 * 1024 * 1024
#: Traces of connections that never said who they are.
NAMELESS = 1000
#: What an entry costs beside its bytes.
_ENTRY = 120
#: Longest time one request to watch lasts, seconds.
WATCH_SECONDS = 300

_encode = msgspec.msgpack.Encoder().encode


class Trace:
    """What is remembered of one device, or of one address."""

    __slots__ = ("entries", "home", "kept", "key", "nameless", "size", "touched", "watched_until")

    def __init__(self, home: OrderedDict[str, Trace], key: str, *, nameless: bool) -> None:
        self.home = home
        self.key = key
        #: Of an address, not of a device.
        self.nameless = nameless
        self.entries: list[tuple[int, str, bytes | str, str]] = []
        self.size = 0
        #: Stands in ``home``; False once it was forgotten.
        self.kept = True
        #: Got an entry since room was last looked for.
        self.touched = False
        self.watched_until = 0.0


class Tap:
    """The traces of this process. ``limit`` bytes per device, ``total`` bytes in all."""

    def __init__(self, bus: Bus, limit: int, total: int = TOTAL_BYTES) -> None:
        self._bus = bus
        self._limit = limit
        self._total = total
        self._size = 0
        self._devices: OrderedDict[str, Trace] = OrderedDict()
        self._nameless: OrderedDict[str, Trace] = OrderedDict()
        self._watch: Subscription | None = None

    async def start(self) -> None:
        self._watch = await self._bus.subscribe(WATCH, self._on_watch)

    async def close(self) -> None:
        if self._watch is not None:
            await self._watch.close()

    # Writing.

    def nameless(self, address: str) -> Trace:
        """The trace of a connection that has not said who it is."""
        trace = self._nameless.get(address)
        if trace is None:
            trace = self._nameless[address] = Trace(self._nameless, address, nameless=True)
            if len(self._nameless) > NAMELESS:
                self._forget(next(iter(self._nameless.values())))
        return trace

    def device(
        self, device_id: str, known_as: Trace | None = None, *, renamed: bool = False
    ) -> Trace:
        """The trace of a device; what ``known_as`` held so far becomes part of it if it was an
        address's, or if the device was ``renamed`` (registered under another spelling)."""
        trace = self._devices.get(device_id)
        if trace is None:
            trace = self._devices[device_id] = Trace(self._devices, device_id, nameless=False)
        if known_as is None or known_as is trace:
            return trace
        if known_as.nameless or renamed:
            entries = known_as.entries
            self._forget(known_as)
            for entry in entries:
                self.add(trace, *entry)
        return trace

    def add(self, trace: Trace, time: int, kind: str, data: bytes | str, address: str) -> None:
        """Remembers an entry; ``data`` is kept by reference."""
        if not trace.kept:
            trace = self._again(trace)
        entry = (time, kind, data, address)  # an Entry only when it is read: this is hot
        trace.entries.append(entry)
        size = len(data) + _ENTRY
        self._size += size
        trace.size = size = trace.size + size
        trace.touched = True
        if size > self._limit:
            self._shorten(trace)
        if self._size > self._total:
            self._make_room()
        if trace.watched_until:
            self._publish(trace, entry)

    def _again(self, trace: Trace) -> Trace:
        """A forgotten trace that goes on: itself, or what took its place."""
        current = trace.home.setdefault(trace.key, trace)
        trace.kept = current is trace
        return current

    def _shorten(self, trace: Trace) -> None:
        # A quarter at once, so that a full ring is not shifted for every entry.
        keep = self._limit - self._limit // 4
        entries, drop, freed = trace.entries, 0, 0
        while trace.size - freed > keep and drop < len(entries) - 1:
            freed += len(entries[drop][2]) + _ENTRY
            drop += 1
        del entries[:drop]
        trace.size -= freed
        self._size -= freed

    def _make_room(self) -> None:
        """Forgets traces that were silent since room was last needed (second chance), first those
        of connections that never said who they are."""
        for traces in (self._nameless, self._devices):
            while traces and self._size > self._total:
                key, oldest = next(iter(traces.items()))
                if oldest.touched:
                    oldest.touched = False
                    traces.move_to_end(key)
                else:
                    self._forget(oldest)

    def _forget(self, trace: Trace) -> None:
        if trace.kept:
            del trace.home[trace.key]
            trace.kept = False
        self._size -= trace.size
        trace.entries = []
        trace.size = 0

    # Reading.

    def read(self, name: str) -> list[Entry]:
        """What is remembered of a device, or of the nameless connections from an address (with its
        port or all of them), oldest first."""
        trace = self._devices.get(name) or self._nameless.get(name)
        if trace is not None:
            return list(map(Entry._make, trace.entries))
        host = f"[{name}]:" if ":" in name else f"{name}:"
        found: list[tuple[int, str, bytes | str, str]] = []
        for address, trace in self._nameless.items():
            if address.startswith(host) and address[len(host) :].isdigit():
                found += trace.entries
        return sorted(map(Entry._make, found), key=lambda entry: entry.time)

    def read_nameless(self) -> dict[str, list[Entry]]:
        """What is remembered of connections that never said who they are, by address."""
        return {
            address: list(map(Entry._make, trace.entries))
            for address, trace in self._nameless.items()
        }

    # Watching.

    def _on_watch(self, subject: str, payload: bytes) -> None:
        try:
            wish: Any = msgspec.msgpack.decode(payload, type=dict[str, Any])
            device_id, seconds = str(wish["device_id"]), float(wish["seconds"])
        except (msgspec.DecodeError, KeyError, TypeError, ValueError):
            return  # not one of ours
        self.device(device_id).watched_until = monotonic() + min(seconds, WATCH_SECONDS)

    def _publish(self, trace: Trace, entry: tuple[int, str, bytes | str, str]) -> None:
        if monotonic() > trace.watched_until:
            trace.watched_until = 0.0
            return
        self._bus.publish(tap_subject(trace.key), _encode(entry))
