"""The provider ``log``: writes messages to the log, for trying things out."""

from __future__ import annotations

import structlog

from waypost.sms.provider import Accepted, Outgoing, Owner

log = structlog.get_logger()


class LogProvider:
    """The provider. Nothing reaches anybody."""

    name = "log"
    trouble: str | None = None

    def start(self, owner: Owner) -> None:
        """Nothing comes back."""

    async def send(self, message: Outgoing) -> Accepted:
        log.info("sms", to=message.to, text=message.shown)
        return Accepted()

    def stop(self) -> None:
        """Nothing waits."""

    async def close(self) -> None:
        """There is nothing to close."""
