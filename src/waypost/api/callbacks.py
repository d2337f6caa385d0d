"""What SMS providers call: ``/sms/<provider>/delivery`` and ``/sms/<provider>/incoming``. No
actions: their form is the provider's, and their secret is not a user's."""

from __future__ import annotations

import asyncio
import re

import structlog

from waypost.api.services import Services
from waypost.api.wire import Raw, read_body, read_query
from waypost.refusal import Refused
from waypost.sms.callbacks import CallbackError, is_secret, read_delivery, read_incoming
from waypost.sms.provider import Incoming, Report, Unavailable

log = structlog.get_logger(__name__)

_PATH = re.compile(r"/sms/([a-z]{1,20})/(delivery|incoming)/?")

Callback = tuple[str, str]
"""The provider's name, and what it tells of."""


class SmsCallbacks:
    """Answers them."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        self._inbound = services.sms

    def find(self, path: str) -> Callback | None:
        """The callback at a path; None: there is none."""
        match = _PATH.fullmatch(path)
        if match is None or self._inbound is None:
            return None
        # The one provider that calls; another is as unknown as any other path.
        known = match[1] == "http" == self._settings.sms_provider
        return (match[1], match[2]) if known else None

    def fields(
        self, query: bytes, body: bytes, content_type: str, authorization: str | None
    ) -> Raw | None:
        """The fields of a call whose caller knows the secret; None: it does not. Raises
        :class:`CallbackError` for what cannot be read."""
        try:
            if body.lstrip()[:1] == b"[":
                body = b'{"[]":' + body + b"}"
            fields = {**read_query(query), **read_body(body, content_type)[0]}
        except Refused:
            if is_secret(self._settings, None, authorization):
                raise CallbackError("the request cannot be read") from None
            return None
        given = fields.get("secret")
        known = is_secret(self._settings, given if isinstance(given, str) else None, authorization)
        return fields if known else None

    async def forged(self, callback: Callback, address: str) -> None:
        """The caller did not know the secret."""
        if self._inbound is not None:
            await self._inbound.forged(callback[0], address)

    async def take(self, callback: Callback, fields: Raw) -> None:
        """Stores what a call tells. Raises :class:`CallbackError` for what is not in it, and
        :class:`~waypost.sms.provider.Unavailable`."""
        if self._inbound is None:
            raise Unavailable
        provider, kind = callback
        told: list[Report] | list[Incoming]
        read = read_delivery if kind == "delivery" else read_incoming
        told = read(self._settings, fields)
        inbound = self._inbound
        # Together: what waits at the same moment is stored in one transaction.
        await asyncio.gather(
            *(
                inbound.report(provider, one)
                if isinstance(one, Report)
                else inbound.incoming(provider, one)
                for one in told
            )
        )
