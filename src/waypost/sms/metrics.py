"""Figures of SMS, for ``/metrics``."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "waypost_sms_attempts_total", "Attempts to send, by what became of them", ["outcome"]
)
MESSAGES = Counter("waypost_sms_messages_total", "Short messages that the provider took")
REPORTS = Counter("waypost_sms_reports_total", "Delivery reports", ["state"])
INCOMING = Counter("waypost_sms_incoming_total", "Messages from outside", ["kind"])
SECONDS = Histogram(
    "waypost_sms_seconds",
    "Time from claiming a command to the provider's answer",
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120),
)
QUEUED = Gauge("waypost_sms_queued", "Commands that wait to be sent by SMS")
CONNECTED = Gauge("waypost_sms_connected", "1: this process can send SMS at the moment")
