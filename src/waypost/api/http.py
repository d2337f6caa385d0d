"""The HTTP edge: one ASGI application for the API and the pages beside it.

Raw ASGI, because a call that is answered from memory should cost no more than its bytes. Every
request ends in a documented reply: what is refused with its code, a database that is away with
14, another database error with 1, a fault of ours with 6 and an id that the log has too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog
from prometheus_client import Counter, Histogram

from waypost.address import Addresses
from waypost.api.callbacks import Callback, SmsCallbacks
from waypost.api.dispatch import Dispatcher, Request
from waypost.api.pages import Pages
from waypost.api.params import TARGET
from waypost.api.rate import RateLimit
from waypost.api.services import Services
from waypost.api.wire import read_body, read_query, split_path
from waypost.catalog.errors import error_body
from waypost.pace import somebody_asks
from waypost.refusal import Refused
from waypost.sms.callbacks import CallbackError
from waypost.sms.provider import Unavailable
from waypost.store.engine import fault_code

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

log = structlog.get_logger(__name__)

REQUESTS = Counter(
    "waypost_api_requests_total", "API requests by their result", ("api", "action", "code")
)
SECONDS = Histogram(
    "waypost_api_request_seconds",
    "Time from the last byte of a request to its reply",
    ("api",),
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)

#: Replies from this size on are compressed where the client asks for it; smaller ones are not
#: worth the time of the loop.
GZIP_FROM = 128 * 1024

_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
#: What browsers may send where they do not say what they want to.
_ALLOWED_HEADERS = b"authorization, content-type, nvx-iso-datetime"
#: A list of header names (RFC 9110, 5.6.2).
_HEADER_NAMES = re.compile(rb"[\w!#$%&'*+.^`|~-]+(?:[ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*")


class ClientGone(Exception):
    """The client closed before it had sent its request."""


class HttpApi:
    """The ASGI application. WebSockets do not come here: the server hands them to ``waypost.live``
    (``api/server.py``)."""

    def __init__(
        self,
        services: Services,
        *,
        clock: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = services.settings
        self.services = services
        self._clock = clock
        self._tick = tick
        self._body_limit = settings.api_body
        self._addresses = Addresses(settings.trusted_proxies)
        self._any_origin = "*" in settings.api_origins
        self._origins = {origin.encode() for origin in settings.api_origins}
        self._rate = RateLimit(settings.api_rate)
        self.dispatcher = Dispatcher(services, self._rate)
        self._pages = Pages(services, self.dispatcher)
        self._callbacks = SmsCallbacks(services)
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._timers = {api: SECONDS.labels(api) for api in ("user", "panel")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        somebody_asks()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        method: str = scope["method"]
        path: str = scope["path"]
        out = self._cors(headers)
        if method == "OPTIONS":
            await _send(send, 204, _preflight(headers) + out, b"")
            return
        page = await self._pages.find(method, path)
        if page is not None:
            status, more, body = page
            await _send(send, status, out + more, body if method != "HEAD" else b"", len(body))
            return
        callback = self._callbacks.find(path)
        if callback is not None:
            with contextlib.suppress(ClientGone):
                status, body = await self._hear(callback, scope, headers, receive)
                await _send(send, status, [*out, _PLAIN], body, len(body))
            return
        api, action = split_path(path)
        code = 0
        status = 200
        started = self._tick()
        redirect: list[str] = []
        try:
            if method not in ("GET", "HEAD", "POST"):
                raise Refused(112)
            body = await self._call(api, action, scope, headers, receive, redirect)
        except ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the rim: whatever it was, a reply goes out
            code, extra = self._explain(error, api, action)
            status, body = error_body(code, extra)
            if code == 9:  # the rest of the body is not worth reading
                out = [*out, (b"connection", b"close")]
        self._count(api, action, code, self._tick() - started)
        if redirect:
            location = redirect_to(redirect[0], body)
            await _send(send, 302, [*out, (b"location", location), _NO_STORE], b"", 0)
            return
        if len(body) >= GZIP_FROM and b"gzip" in headers.get(b"accept-encoding", b""):
            body = await asyncio.to_thread(_gzip, body)
            out = [*out, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]
        out = [*out, _JSON, _NO_STORE]
        await _send(send, status, out, body if method != "HEAD" else b"", len(body))

    async def _hear(
        self, callback: Callback, scope: Scope, headers: dict[bytes, bytes], receive: Receive
    ) -> tuple[int, bytes]:
        """Status and body of the answer to a provider's call."""
        if scope["method"] not in ("GET", "POST"):
            return 405, b""
        authorization = headers.get(b"authorization")
        try:
            fields = self._callbacks.fields(
                scope["query_string"],
                await self._read(headers, receive),
                headers.get(b"content-type", b"").decode("latin-1"),
                authorization.decode("latin-1") if authorization else None,
            )
            if fields is not None:
                await self._callbacks.take(callback, fields)
                return 200, b""
        except CallbackError as error:
            return 400, str(error).encode()
        except Refused:
            return 413, b""
        except Unavailable:
            return 503, b""
        address = self._address(scope, headers)
        if not self._rate.allows(f"address {address}", self._tick()):
            return 429, b""
        await self._callbacks.forged(callback, address)
        return 403, b""

    def _address(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        peer = scope.get("client")
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        return self._addresses.client(peer[0] if peer else "", forwarded)

    async def _call(
        self,
        api: str,
        path: str,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        redirect: list[str],
    ) -> bytes:
        """The reply's body; ``redirect`` gets the address that an upload wants it sent to."""
        tick = self._tick()
        address = self._address(scope, headers)
        if not self._rate.allows(f"address {address}", tick):
            raise Refused(15)
        bound = self.dispatcher.find(api, path)
        content = b""
        if scope["method"] == "POST" or b"content-length" in headers:
            content = await self._read(headers, receive)
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Refused(5)
        parameters, is_text = read_body(
            content, headers.get(b"content-type", b"").decode("latin-1")
        )
        query = read_query(scope["query_string"])
        if bound.uploads:
            target = parameters.get("redirect_target", query.get("redirect_target"))
            if isinstance(target, str) and _TARGET.match(target):
                redirect.append(target)
        authorization = headers.get(b"authorization")
        iso = headers.get(b"nvx-iso-datetime")
        request = Request(
            query=query,
            body=parameters,
            body_is_text=is_text,
            authorization=authorization.decode("latin-1") if authorization else None,
            iso_header=iso.decode("latin-1") if iso else None,
            address=address,
            now=int(self._clock() * 1000),
            tick=tick,
        )
        return await self.dispatcher.run(bound, request)

    async def _read(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The request's body. Raises :class:`Refused` with 9 for one that is too large, before it
        is read where its length is stated."""
        stated = headers.get(b"content-length", b"")
        if stated.isdigit() and int(stated) > self._body_limit:
            raise Refused(9)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._body_limit:
                raise Refused(9)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _explain(self, error: Exception, api: str, path: str) -> tuple[int, dict[str, Any]]:
        """Code and further fields of the reply for what an action raised."""
        if isinstance(error, Refused):
            return error.code, error.extra
        code = fault_code(error)
        if code == 14:
            log.warning("database unavailable", api=api, action=path, error=str(error))
            return code, {}
        incident = secrets.token_hex(6)
        log.error("call failed", incident=incident, api=api, action=path, exc_info=error)
        return code, {"incident": incident}

    def _count(self, api: str, path: str, code: int, seconds: float) -> None:
        if (api, path) not in self.dispatcher.actions:
            path = "unknown"
        key = (api, path, code)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = REQUESTS.labels(api, path, str(code))
        counter.inc()
        self._timers[api].observe(seconds)

    def _cors(self, headers: dict[bytes, bytes]) -> Headers:
        if self._any_origin:
            return _ANY_ORIGIN
        origin = headers.get(b"origin")
        if origin is not None and origin in self._origins:
            return [(b"access-control-allow-origin", origin), (b"vary", b"origin")]
        return []


_JSON = (b"content-type", b"application/json; charset=utf-8")
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_NO_STORE = (b"cache-control", b"no-store")
_ANY_ORIGIN: Headers = [(b"access-control-allow-origin", b"*")]


_TARGET = re.compile(TARGET)


def _preflight(headers: dict[bytes, bytes]) -> Headers:
    """The answer to a browser that asks whether it may call. It may send whatever headers it likes:
    nothing here trusts one that a page could not send as well."""
    wanted = headers.get(b"access-control-request-headers", b"").strip()
    allowed = wanted if _HEADER_NAMES.fullmatch(wanted) else _ALLOWED_HEADERS
    return [(b"access-control-allow-headers", allowed), *_PREFLIGHT]


def redirect_to(target: str, body: bytes) -> bytes:
    """Where an upload's reply goes: ``target`` with the reply as its parameter ``response``."""
    mark = "&" if "?" in target else "?"
    return (quote(target, safe=_URL) + f"{mark}response={quote(body)}").encode()


#: What a URL may hold as it is (RFC 3986).
_URL = ":/?#[]@!$&'()*+,;=%-._~"


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


async def _send(
    send: Send, status: int, headers: Headers, body: bytes, length: int | None = None
) -> None:
    if length is not None:
        headers = [*headers, (b"content-length", b"%d" % length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
