"""Who is at the other end of a connection: log-in, the device's record, and its changes.

After a log-in the connection waits for the record before it decodes on. Until a device is
registered, and as long as it is, the directory tells when that changes.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import structlog

from waypost.fleet.device_ids import LONGEST
from waypost.gateway.link import Link
from waypost.protocols.base import Device, Frame, Hello, Protocol
from waypost.store.engine import is_unavailable

if TYPE_CHECKING:
    from waypost.fleet.directory import Callback, DeviceRecord
    from waypost.gateway.gateway import Gateway
    from waypost.ingest import LiveSource

log = structlog.get_logger()

#: An unregistered device that goes on sending is looked up again after so many milliseconds: the
#: notice of its registration may have been lost.
LOOK_AGAIN_MS = 15_000


class Identified(Link):
    """A connection that knows whose it is."""

    __slots__ = (
        "ids",
        "kept",
        "live",
        "looked_up",
        "model",
        "noted",
        "password",
        "record",
        "stale",
        "stranger",
        "superseded",
        "unwatch",
    )

    def __init__(self, gateway: Gateway, protocol: Protocol, host: str, port: int) -> None:
        super().__init__(gateway, protocol, host, port)
        #: Ids that the device stated; empty: it has not said who it is.
        self.ids: list[str] = []
        self.model: str | None = None
        self.password: str | None = None
        self.record: DeviceRecord | None = None
        self.live: LiveSource | None = None
        #: Ends the notices about the device.
        self.unwatch: Callback | None = None
        #: Nobody had registered the device when it was looked up last.
        self.stranger = False
        #: What an unregistered device sent last.
        self.kept: list[Frame] = []
        #: The device's record changed while it was looked up.
        self.stale = False
        #: Another gateway has a newer connection of this device.
        self.superseded = False
        #: When the device was looked up last, and when its activity was last noted (ms).
        self.looked_up = 0
        self.noted = 0

    @property
    def device(self) -> Device | None:
        return self.record.device if self.record is not None else None

    @property
    def device_id(self) -> str | None:
        """The id under which the device is registered, else the first that it stated."""
        if self.record is not None:
            return self.record.device.device_id
        return self.ids[0] if self.ids else None

    def is_new(self, hello: Hello) -> bool:
        """Does this log-in ask for a look-up: is it the first, of another device, or of one that
        was unknown a while ago?"""
        if not self.ids or (hello.device_ids != self.ids and set(hello.device_ids) - set(self.ids)):
            return True
        return self.record is None and self.gateway.pump.now - self.looked_up > LOOK_AGAIN_MS

    def check(self, now: int) -> None:
        settings = self.gateway.settings
        if self.pending or self.waiting:
            return
        if not self.ids:
            if now - self.since > settings.connection_hello * 1000:
                self.close(f"did not say who it is within {settings.connection_hello} s")
        elif now - self.last_seen > settings.connection_idle * 1000:
            self.close(f"silent for {settings.connection_idle} s")

    def stated_password(self, hello: Hello) -> str | None:
        """The password that the device gave; None: its protocol knows none."""
        return hello.password

    async def meet(self, hello: Hello, frame: Frame) -> bool:
        """Takes on who the device says it is, and finds its record. False: ``frame`` cannot be
        read further."""
        ids = [item for item in dict.fromkeys(hello.device_ids) if usable_id(item)]
        if not ids:
            self.waiting = False
            self.counters.errors += 1
            self.fault(frame, f"no usable device id in {hello.device_ids!r:.200}")
            return False
        if ids != self.ids:
            self.leave()
            self.ids = ids
            self.gateway.sessions.add(self)
            self._watch_ids()
        self.model = hello.model or self.model
        self.password = self.stated_password(hello)
        unknown = self.record is None
        if not await self._find(frame):
            return False
        if unknown and self.record is not None and self.kept:
            self.claimed(frame)
        return True

    async def _find(self, frame: Frame | None) -> bool:
        """Looks the device up and takes its record on, or that it has none. False: that failed,
        and was dealt with (``frame`` is what waits for it)."""
        gateway = self.gateway
        self.waiting = True
        try:
            while True:
                self.stale = False
                record = await gateway.directory.find(self.ids)
                live = None
                if record is not None:
                    self._watch_source(record.source_id)
                    live = await gateway.ingest.open(record.source_id, record.retention_days)
                if self.closed or not self.stale:
                    break
                if live is not None:
                    gateway.ingest.release(live)
        except Exception as error:
            if not is_unavailable(error):
                log.exception("look_up_failed", device=self.device_id)
            self._give_up(frame, "the device cannot be looked up now", refused=False)
            return False
        self.waiting = False
        self.looked_up = gateway.pump.now
        if live is not None and record is not None:
            if self.closed or not self._password_fits(record.device):
                gateway.ingest.release(live)
                self._give_up(frame, "wrong password", refused=True)
                return False
            self._known(record, live)
        elif not self.closed:
            self._unknown()
        return not self.closed

    def _known(self, record: DeviceRecord, live: LiveSource) -> None:
        again = self.record is not None and self.record.source_id == record.source_id
        self._drop_record()
        self.record, self.live = record, live
        self.trace = self.gateway.tap.device(
            record.device.device_id, self.trace, renamed=self.stranger
        )
        self.gateway.joined(self, again=again)

    def _unknown(self) -> None:
        self._drop_record()
        self._watch_ids()
        self.stranger = True
        self.trace = self.gateway.tap.device(self.ids[0], self.trace)
        self.gateway.inbox.note(self, self.ids[0], None)

    def _give_up(self, frame: Frame | None, reason: str, *, refused: bool) -> None:
        """The device has no record that could be used: it is as if it had not said who it is."""
        self.waiting = False
        if self.closed:
            return
        self.trace = self.gateway.tap.device(self.ids[0], self.trace)
        self.leave()
        self.ids = []
        if frame is None:
            self.close(reason)
        elif refused:
            self.refuse(frame, reason)
        else:
            self.unavailable(frame, reason)

    def _password_fits(self, device: Device) -> bool:
        """A device that has a password of its own must have stated it, where its protocol knows
        passwords at all."""
        if not device.password or self.password is None:
            return True
        return hmac.compare_digest(device.password.encode(), self.password.encode())

    def _watch_ids(self) -> None:
        """Be told when somebody registers the device."""
        self._unwatch()
        self.unwatch = self.gateway.directory.watch_devices(self.ids, self.changed)

    def _watch_source(self, source_id: int) -> None:
        """Be told when the registered device changes or is given up."""
        self._unwatch()
        self.unwatch = self.gateway.directory.watch_source(source_id, self.changed)

    def _unwatch(self) -> None:
        if self.unwatch is not None:
            self.unwatch()
            self.unwatch = None

    def _drop_record(self) -> None:
        """Forgets the record, and gives the source back."""
        if self.record is not None:
            self.gateway.sessions.forget_source(self, self.record.source_id)
            self.record = None
        if self.live is not None:
            self.gateway.ingest.release(self.live)
            self.live = None

    def leave(self) -> None:
        if self.record is not None:
            source_id = self.record.source_id
            self._drop_record()
            self.gateway.left(self, source_id)
        self.gateway.sessions.discard(self)
        self._unwatch()
        self.kept = []
        self.stranger = False

    # Changes of the device while it is connected.

    def changed(self) -> None:
        """Somebody registered, changed or gave up the device."""
        if self.waiting:
            self.stale = True
        elif not self.closed:
            self.waiting = True
            self.gateway.spawn(self._renew())

    async def _renew(self) -> None:
        """Takes the device's record anew."""
        before = self.record
        if not await self._find(None):
            return
        if self.record is None and before is not None:
            self.close("the device is no longer registered")
        elif self.record is not None and before is None:
            self.claimed(None)
        self.gateway.pump.add(self)

    def claimed(self, newer: Frame | None) -> None:
        """Somebody registered the device: what it sent last is taken up now, unless ``newer``
        came since (then the device sends the older again)."""
        self.note("registered while connected")
        kept, self.kept = self.kept, []
        if newer is None or self.keep > 1:
            self.todo[:0] = kept


def usable_id(device_id: str) -> bool:
    """Can this be a device id at all: printable characters without white space, not too many?"""
    return (
        0 < len(device_id) <= LONGEST
        and device_id.isprintable()
        and not any(map(str.isspace, device_id))
    )
