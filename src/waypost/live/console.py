"""One viewer of a device's console: shows what there is, takes what is typed."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from waypost.fleet.console import Holder
from waypost.live.console_frames import output, read_typed, text_of
from waypost.live.room import Room
from waypost.live.socket import Endpoint, Socket
from waypost.refusal import Refused
from waypost.store.engine import fault_code

log = structlog.get_logger(__name__)

#: Seconds between two looks at whether everybody may still be here.
REVIEW = 60.0
#: Lines kept for a viewer who does not read.
LINES = 200
#: Commands of one viewer that may wait; beyond this the socket is not read.
WAITING = 8


class Console(Endpoint):
    """One viewer of a console."""

    kind = "console"

    __slots__ = (
        "_address",
        "_lines",
        "_lost",
        "_status",
        "_typed",
        "_worker",
        "holder",
        "reviewed",
        "room",
        "socket",
    )

    def __init__(self, room: Room, holder: Holder, address: str, now: float) -> None:
        self.room = room
        self.holder = holder
        self.reviewed = now
        self.socket: Socket
        self._address = address
        #: What waits for a viewer who does not read.
        self._lines: deque[bytes] = deque(maxlen=LINES)
        self._lost = 0
        self._status: bytes | None = None
        self._typed: deque[bytes] = deque()
        self._worker: asyncio.Task[None] | None = None

    def opened(self, socket: Socket) -> None:
        self.socket = socket
        self.room.viewers.add(self)
        row = self.room.row
        self.show(output("*", f"console of device {row.device_id}", self.room.consoles.now()))
        self.show_status(self.room.status())

    def closed(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
        self.room.consoles.left(self)

    def beat(self, now: float) -> None:
        if now - self.reviewed > REVIEW:
            self.reviewed = now
            self.room.consoles.review(self)

    # What it is shown.

    def show(self, frame: bytes) -> None:
        if self.socket.paused:
            self._lost += len(self._lines) == LINES
            self._lines.append(frame)
        else:
            self.socket.write(frame)
            self.room.consoles.metrics.told("output")

    def show_status(self, frame: bytes | None) -> None:
        if self.socket.paused:
            self._status = frame
        elif frame is not None:
            self.socket.write(frame)
            self.room.consoles.metrics.told("status")

    def writable(self) -> None:
        if self._lost:
            lost, self._lost = self._lost, 0
            self.show(output("*", f"{lost} lines left out", self.room.consoles.now()))
        while self._lines and not self.socket.paused:
            self.show(self._lines.popleft())
        if not self.socket.paused:
            status, self._status = self._status, None
            self.show_status(status)

    # What it says.

    def message(self, data: bytes) -> None:
        if not data.strip():
            return
        self._typed.append(data)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="live: console")
        elif len(self._typed) >= WAITING:
            self.socket.hold(True)

    async def _work(self) -> None:
        consoles = self.room.consoles
        try:
            while self._typed:
                try:
                    await consoles.command(self, read_typed(self._typed.popleft()), self._address)
                except Refused as refused:
                    told = refused.extra.get("errors") or [{}]
                    text = told[0].get("error") or text_of(refused.code)
                    self.show(output("!", text, consoles.now()))
                except Exception as error:
                    code = fault_code(error)
                    if code != 14:
                        log.error("console_failed", exc_info=error)
                    self.show(output("!", text_of(code), consoles.now()))
            self.socket.hold(False)
        finally:
            self._worker = None
