"""A tracker as the user API and the panel API show it."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from waypost.fleet.rows import TagBinding, TrackerRow
from waypost.telemetry.status import Connection


class SourceObject(msgspec.Struct, frozen=True, kw_only=True):
    """The device behind a tracker. Dates are ``yyyy-MM-dd``; ``phone`` digits without plus."""

    id: int
    device_id: str
    model: str
    blocked: bool
    tariff_id: int | None
    phone: str | None
    status_listing_id: int | None
    creation_date: str
    tariff_end_date: str | None


class TrackerObject(msgspec.Struct, frozen=True, kw_only=True):
    """A tracker of a user; ``group_id`` 0 is no group."""

    id: int
    label: str
    group_id: int
    avatar_file_name: str | msgspec.UnsetType = msgspec.UNSET
    source: SourceObject
    tag_bindings: tuple[TagBinding, ...]
    clone: bool


class PanelSource(msgspec.Struct, frozen=True, kw_only=True):
    """The device behind a tracker; ``corrupted`` is there only where it is true."""

    id: int
    device_id: str
    model: str
    blocked: bool
    tariff_id: int | None
    creation_date: str
    tariff_end_date: str | None
    connection_status: Connection
    phone: str | None
    corrupted: bool | msgspec.UnsetType = msgspec.UNSET


class PanelTracker(msgspec.Struct, frozen=True, kw_only=True):
    """A tracker of one of a dealer's users. ``last_connection`` is ``yyyy-MM-dd HH:mm`` UTC."""

    id: int
    avatar_file_name: str | msgspec.UnsetType = msgspec.UNSET
    clone: bool
    comment: str
    creation_date: str
    group_id: int
    dealer_id: int
    deleted: bool
    label: str
    user_id: int
    owner_name: str
    model_name: str
    last_connection: str | None
    source: PanelSource


def tracker_object(row: TrackerRow) -> TrackerObject:
    return TrackerObject(
        id=row.id,
        label=row.label,
        group_id=row.group_id or 0,
        avatar_file_name=row.avatar_file_name or msgspec.UNSET,
        source=SourceObject(
            id=row.source_id,
            device_id=row.device_id,
            model=row.model,
            blocked=row.blocked,
            tariff_id=row.tariff_id,
            phone=row.phone if row.sim_card_id is None else None,
            status_listing_id=row.status_listing_id,
            creation_date=row.source_creation_date.isoformat(),
            tariff_end_date=row.tariff_end_date.isoformat() if row.tariff_end_date else None,
        ),
        tag_bindings=row.tag_bindings,
        clone=row.clone,
    )


def panel_tracker(
    row: TrackerRow,
    *,
    status: Connection,
    owner_name: str,
    model_name: str,
    last_connection: int | None,
) -> PanelTracker:
    return PanelTracker(
        id=row.id,
        avatar_file_name=row.avatar_file_name or msgspec.UNSET,
        clone=row.clone,
        comment=row.comment,
        creation_date=row.creation_date.isoformat(),
        group_id=row.group_id or 0,
        dealer_id=row.dealer_id,
        deleted=row.deleted,
        label=row.label,
        user_id=row.user_id,
        owner_name=owner_name,
        model_name=model_name,
        last_connection=_minute(last_connection),
        source=PanelSource(
            id=row.source_id,
            device_id=row.device_id,
            model=row.model,
            blocked=row.blocked,
            tariff_id=row.tariff_id,
            creation_date=row.source_creation_date.isoformat(),
            tariff_end_date=row.tariff_end_date.isoformat() if row.tariff_end_date else None,
            connection_status=status,
            phone=row.phone,
            corrupted=True if row.corrupted else msgspec.UNSET,
        ),
    )


def _minute(ms: int | None) -> str | None:
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
