"""Devices over HTTP/1.1: requests of protocols that travel so.

A request is answered after the commit of what it brought, in the order of the requests; 403 for a
device that nobody registered, 400 for what cannot be read, 500 while nothing can be stored.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools

from waypost.gateway.connection import Pending, Reply
from waypost.gateway.tcp import Maker, StreamConnection
from waypost.protocols.base import Frame, HttpReply, HttpRequest, Protocol, Transport

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway

#: Bytes of request line and headers.
HEAD_LIMIT = 16 * 1024
#: Requests of one connection read ahead of their answers.
PIPELINE = 8
#: A connection with nothing under way is closed after so many seconds.
KEEP_ALIVE = 75
METHODS = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"PATCH ", b"DELETE ")


def recognises_http(start: bytes) -> bool | None:
    """Is this the beginning of an HTTP request?"""
    if any(start.startswith(method) for method in METHODS):
        return True
    return None if any(method.startswith(start) for method in METHODS) else False


class Request(HttpRequest):
    """A request, and whether the connection stays open after it."""

    keep_alive: bool = True
    #: It could not be read: the answer that says so.
    rejected: HttpReply | None = None


class HttpConnection(StreamConnection):
    """A connection that carries HTTP requests."""

    __slots__ = ("body", "broken", "headers", "parser", "size", "started", "target")

    persistent = False
    answers_all = True
    keep = 0

    def __init__(self, gateway: Gateway, protocol: Protocol, host: str, port: int) -> None:
        super().__init__(gateway, protocol, host, port)
        self.parser = httptools.HttpRequestParser(self)
        self.target = b""
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.size = 0
        #: When the request that is coming in began (ms); 0: none is.
        self.started = 0
        #: What comes is no longer read.
        self.broken = False

    def data_received(self, data: bytes) -> None:
        if self.closed or self.broken or self.gateway.stopping:
            return
        if not self.started and not self.pending and not self.todo and not self.trace.nameless:
            # A proxy may send requests of several devices: the next one says whose it is.
            self.trace = self.gateway.tap.nameless(self.address)
        self.heard(data)
        if not self.started:
            self.started = self.last_seen
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, _TooLargeError):
                raise
            self._reject(cause.status, str(cause))
        except httptools.HttpParserUpgrade:
            self._reject(400, "there is no protocol to upgrade to")
        except httptools.HttpParserError as error:
            self._reject(400, f"not a valid HTTP request: {error}")
        if self.blocked or len(self.todo) >= PIPELINE or self.gateway.pump.stalled:
            self.hold()
        self.gateway.pump.add(self)

    def _reject(self, status: int, reason: str) -> None:
        """The stream cannot be read on: says why after the answers before it, and closes."""
        self.broken = True
        self.started = 0
        rejected = HttpReply(status, reason.encode(errors="replace"))
        self.todo.append(Request("", "", {}, b"", keep_alive=False, rejected=rejected))

    def handle(self, frame: Frame) -> None:
        if isinstance(frame, Request) and frame.rejected is not None:
            self.counters.errors += 1
            self.note(f"error: {frame.rejected.body.decode(errors='replace')}")
            self.settle(frame, frame.rejected)
        else:
            super().handle(frame)

    # What httptools calls.

    def on_message_begin(self) -> None:
        self.target = b""
        self.headers = {}
        self.body = []
        self.size = 0

    def on_url(self, part: bytes) -> None:
        self.target += part
        self._count(len(part), HEAD_LIMIT, 414, "request line")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value or b"") + 4, HEAD_LIMIT, 431, "request head")
        self.headers[name.decode("latin-1").lower()] = (value or b"").decode("latin-1")

    def on_headers_complete(self) -> None:
        self.size = 0
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.protocol.max_frame:
            raise _TooLargeError(413, f"the body is longer than {self.protocol.max_frame} bytes")
        if self.headers.get("expect", "").lower() == "100-continue" and not self.pending:
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self.body.append(part)
        self._count(len(part), self.protocol.max_frame, 413, "body")

    def on_message_complete(self) -> None:
        self.started = 0
        self.todo.append(
            Request(
                self.parser.get_method().decode("latin-1"),
                self.target.decode("latin-1"),
                self.headers,
                b"".join(self.body),
                keep_alive=self.parser.should_keep_alive(),
            )
        )
        self.body = []

    def _count(self, size: int, limit: int, status: int, what: str) -> None:
        self.size += size
        if self.size > limit:
            raise _TooLargeError(status, f"the {what} is longer than {limit} bytes")

    # What the connection asks of its transport.

    def fault(self, frame: Frame | None, reason: str) -> None:
        self.note(f"error: {reason}")
        self.settle(frame, HttpReply(400, reason.encode(errors="replace")))

    def not_stored(self, pending: Pending, reason: str) -> None:
        self.note(f"not stored: {reason}")
        pending.reply = HttpReply(500, b"not stored, send again")
        pending.parts = 0
        self.flush()

    def unregistered(self, frame: Frame) -> None:
        self.settle(frame, HttpReply(403, b"this device is not registered"))

    def unavailable(self, frame: Frame, reason: str) -> None:
        self.note(reason)
        self.settle(frame, HttpReply(500, b"not stored, send again"))

    def refuse(self, frame: Frame, reason: str) -> None:
        self.note(f"refused: {reason}")
        self.settle(frame, HttpReply(403, reason.encode()))

    def answer(self, frame: Frame | None, reply: Reply) -> None:
        if not isinstance(frame, Request):
            raise TypeError(f"not a request: {frame!r}")
        if reply is None:
            reply = HttpReply()
        elif isinstance(reply, bytes):
            reply = HttpReply(body=reply)
        self.write(_response(reply, frame.keep_alive, head=frame.method == "HEAD"))
        if not frame.keep_alive:
            self.close("answered, as HTTP asks", usual=True)

    def check(self, now: int) -> None:
        settings = self.gateway.settings
        if self.pending or self.waiting or self.todo:
            return
        if self.started:
            if now - self.started > settings.connection_hello * 1000:
                self._reject(408, f"the request took longer than {settings.connection_hello} s")
                self.gateway.pump.add(self)
        elif now - self.last_seen > min(KEEP_ALIVE, settings.connection_idle) * 1000:
            self.close("no further request", usual=True)


class _TooLargeError(Exception):
    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def _response(reply: HttpReply, keep_alive: bool, *, head: bool) -> bytes:
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Status"
    lines = [
        f"HTTP/1.1 {reply.status} {phrase}",
        f"Content-Length: {len(reply.body)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
    ]
    if reply.body:
        lines.append(f"Content-Type: {reply.content_type}")
    text = "\r\n".join(lines) + "\r\n\r\n"
    return text.encode("latin-1") + (b"" if head else reply.body)


def http_maker(protocol: type[Protocol]) -> Maker:
    """What a listener of ``protocol`` makes of a connection."""

    def make(gateway: Gateway, host: str, port: int) -> HttpConnection:
        return HttpConnection(gateway, protocol(Transport.HTTP), host, port)

    return make
