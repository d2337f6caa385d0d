"""What devices can be told, by their models' protocols."""

from __future__ import annotations

from waypost.catalog import models
from waypost.fleet.rows import TrackerRow
from waypost.protocols import find_protocol
from waypost.protocols.base import Device, Protocol


def protocol_of(model: str) -> type[Protocol] | None:
    """The protocol of devices of a model; None: nothing decodes them."""
    known = models.model(model)
    return find_protocol(known.protocol) if known is not None and known.protocol else None


def can_tell(model: str, kind: str) -> bool:
    """Are there instructions of this kind (``protocols.instructions``) for devices of a model?"""
    protocol = protocol_of(model)
    return protocol is not None and protocol.can_tell(kind, Device("", model=model))


def cannot_tell(row: TrackerRow, kind: str) -> str | None:
    """Why the device of ``row`` cannot be told something of this kind; None: it can."""
    if can_tell(row.model, kind):
        return None
    return f"there are no instructions for devices of model {row.model}: {kind}"
