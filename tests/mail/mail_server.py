"""A mail server that is another project's (aiosmtpd), which keeps what it is given.

with MailServer() as server:
    settings = server.settings()          # mail_provider, mail_smtp_host ...
    (letter,) = await server.got(1)       # waits
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "waypost", "mail-secret"


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what happens in another thread."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class MailServer(Controller):
    """``answers``: what it says to DATA, in turn, instead of taking the letter; ``unknown``:
    addresses that it does not know."""

    def __init__(
        self, *, login: bool = False, tls: ssl.SSLContext | None = None, **how: Any
    ) -> None:
        self.letters: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.answers: list[str] = []
        self.unknown: set[str] = set()
        self.connections = 0
        options: dict[str, Any] = {"enable_SMTPUTF8": False, **how}
        if tls is not None:
            options |= {"tls_context": tls, "require_starttls": True}
        if login:
            options |= {
                "authenticator": self._let_in,
                "auth_required": True,
                "auth_require_tls": tls is not None,
            }
        super().__init__(self, hostname="127.0.0.1", port=0, **options)

    def _let_in(self, server: Any, session: Any, envelope: Any, way: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=right, handled=False)

    def settings(self, **more: Any) -> dict[str, Any]:
        return {
            "mail_provider": "smtp",
            "mail_sender": "Waypost <no-reply@waypost.example>",
            "mail_smtp_host": "127.0.0.1",
            "mail_smtp_port": self.port,
            "mail_smtp_tls": "none",
            "mail_timeout": 5,
            **more,
        }

    def _trigger_server(self) -> None:
        # Which port it got; the base class would connect to the one asked for.
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    # What aiosmtpd asks.

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return f"550 5.1.1 {address}: unknown here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        letter = message_from_bytes(envelope.content.replace(b"\r\n", b"\n"), policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.envelopes.append(envelope)
        self.letters.append(letter)
        return "250 OK"

    async def got(self, count: int) -> list[EmailMessage]:
        """The letters, once there are so many."""
        await until(lambda: len(self.letters) >= count)
        return self.letters

    def __enter__(self) -> MailServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(AssertionError):
            self.stop()
