"""What devices are told, as text: by model, kind and content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from waypost.catalog import models
from waypost.protocols import find_protocol
from waypost.protocols.base import Command, Device, Protocol, Text, Transport

IMEI = "356307042441013"
SERVER = {"host": "track.example.com", "port": 5020, "transport": "tcp"}
APN = {"name": "internet.m2m", "user": "thing", "password": "s3cret"}


def protocol_of(model: str) -> type[Protocol]:
    known = models.model(model)
    assert known is not None
    assert known.protocol is not None
    found = find_protocol(known.protocol)
    assert found is not None
    return found


def texts(
    model: str,
    kind: str,
    content: Mapping[str, Any],
    *,
    password: str | None = None,
    sms: bool = False,
    transport: Transport = Transport.TCP,
) -> list[Text]:
    """What is said to a device of ``model``."""
    protocol = protocol_of(model)(transport)
    device = Device(IMEI, model, password=password)
    command = Command(7, msgspec.json.encode(content), kind)
    told = protocol.instructions(command, device)
    return [protocol.by_sms(text, device) for text in told] if sms else told


def lines(model: str, kind: str, content: Mapping[str, Any], **how: Any) -> list[str]:
    return [text.text for text in texts(model, kind, content, **how)]


def can_tell(model: str, kind: str) -> bool:
    return protocol_of(model).can_tell(kind, Device("", model))
