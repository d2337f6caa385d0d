"""E-mail as the settings want it."""

from __future__ import annotations

from waypost.mail.transport import Transport
from waypost.settings import Settings


def transport_of(settings: Settings) -> Transport | None:
    """The way out for e-mails; None: there is none."""
    if settings.mail_provider == "smtp":
        from waypost.mail.smtp import SmtpTransport

        return SmtpTransport(settings)
    if settings.mail_provider == "log":
        from waypost.mail.log import LogTransport

        return LogTransport(settings.data_dir)
    return None
