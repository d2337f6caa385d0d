"""Figures of e-mail, for ``/metrics``."""

from __future__ import annotations

from prometheus_client import Counter

ATTEMPTS = Counter(
    "waypost_mail_attempts_total", "E-mails handed to the mail server, by what came", ["outcome"]
)
