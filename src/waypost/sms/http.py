"""The provider ``http``: one request for each message, put together from templates.

In the URL, the headers and the body stand for a message: ``{to}`` (digits), ``{text}``,
``{from}``, ``{id}`` (a name of ours, unique for ever) and ``{life}`` (seconds). What is put in is
escaped for the place where it stands.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import httpx
import structlog

from waypost.http_answer import read_answer
from waypost.settings import SMS_PLACEHOLDERS, Settings
from waypost.sms.provider import (
    Accepted,
    NotNow,
    NotSent,
    Outgoing,
    Owner,
    Pace,
    Rejected,
    Uncertain,
)

log = structlog.get_logger()

_PLACEHOLDER = re.compile(rf"\{{({'|'.join(SMS_PLACEHOLDERS)})\}}")
#: Characters of a provider's answer that people are shown.
EXCERPT = 200
#: Statuses that say: not so fast; and: not now.
_SLOWER = frozenset({429, 503})
_NOT_NOW = frozenset({408, 425})


class HttpProvider:
    """The provider."""

    name = "http"

    def __init__(self, settings: Settings) -> None:
        self._method = settings.sms_http_method.upper()
        self._url = settings.sms_http_url
        self._body = settings.sms_http_body
        pairs = [header.partition(":") for header in settings.sms_http_headers]
        self._headers = [(name.strip(), value.strip()) for name, _, value in pairs]
        self._kind = next(
            (value for name, value in self._headers if name.lower() == "content-type"), ""
        )
        self._success = re.compile(settings.sms_http_success)
        self._message_id = re.compile(settings.sms_http_message_id)
        self._reported = bool(settings.sms_http_message_id and settings.sms_http_secret)
        self._sender = settings.sms_sender
        self._pace = Pace(settings.sms_rate)
        self._timeout = float(settings.sms_timeout)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=self._timeout / 2),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=10),
            follow_redirects=False,
        )
        self._closed = False

    @property
    def trouble(self) -> str | None:
        return "closed" if self._closed else self._pace.trouble

    def start(self, owner: Owner) -> None:
        """There is nothing to connect to before a message is sent, and what comes back comes to
        the API's port (``callbacks``)."""

    def stop(self) -> None:
        self._pace.close()

    async def close(self) -> None:
        self.stop()
        self._closed = True
        await self._client.aclose()

    async def send(self, message: Outgoing) -> Accepted:
        while True:
            await self._pace.turn(message)
            status, answer = await self._request(message)
            if status not in _SLOWER:
                break
            self._pace.slower()
        self._pace.well()
        if not 200 <= status < 300 or self._success.search(answer) is None:
            reason = f"the provider answers {status}{_excerpt(answer, message)}"
            if status >= 500:
                raise Uncertain(reason)
            raise (NotNow if status in _NOT_NOW else Rejected)(reason)
        if not self._reported:
            return Accepted()
        found = self._message_id.search(answer)
        message_id = found and found[1 if found.re.groups else 0]
        if not message_id:
            log.warning("sms_answer_without_id", provider=self.name)
            return Accepted()
        return Accepted((message_id,), reported=True)

    async def _request(self, message: Outgoing) -> tuple[int, str]:
        """Status and body of the provider's answer. Raises
        :class:`~waypost.sms.provider.SendError`."""
        left = max(math.ceil((message.expires_at - time.time() * 1000) / 1000), 0)
        fields = {
            "to": message.to,
            "text": message.text,
            "from": self._sender,
            "id": message.reference,
            "life": str(left),
        }
        headers = [(name, fill(value, fields, "header")) for name, value in self._headers]
        body = fill(self._body, fields, self._kind).encode()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(
                    self._method,
                    fill(self._url, fields, "url"),
                    headers=headers,
                    content=body or None,
                ) as response,
            ):
                answer = await read_answer(response)
                return response.status_code, answer.decode(errors="replace")
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = f"the provider cannot be reached: {_words(error)}"
            self._pace.slower(reason)
            raise NotSent(reason) from None
        except TimeoutError:
            raise Uncertain(f"no answer of the provider within {self._timeout:g} s") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise Rejected(f"the templates make no request: {_words(error)}") from None
        except httpx.HTTPError as error:
            raise Uncertain(f"no answer of the provider: {_words(error)}") from None


def fill(template: str, fields: dict[str, str], place: str) -> str:
    """A template with its placeholders filled in; ``place`` is ``url``, ``header`` or the media
    type of the body."""
    kind = place.partition(";")[0].strip().lower()

    def put(match: re.Match[str]) -> str:
        value = fields[match[1]]
        if kind == "url":
            return quote(value, safe="")
        if kind == "header":
            return re.sub(r"[^\x20-\x7e]", "?", value)
        if kind == "application/x-www-form-urlencoded":
            return quote_plus(value)
        if kind == "application/json" or kind.endswith("+json"):
            return json.dumps(value)[1:-1]
        if kind in ("application/xml", "text/xml") or kind.endswith("+xml"):
            return escape(value, {'"': "&quot;", "'": "&apos;"})
        return value

    return _PLACEHOLDER.sub(put, template)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _excerpt(answer: str, message: Outgoing) -> str:
    """The beginning of an answer, unless the message has secrets, which it may repeat."""
    text = " ".join(answer.split())
    return f": {text[:EXCERPT]}" if text and message.text == message.shown else ""
