"""Devices and what accounts see of them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from waypost.store.tables.base import Big, id_, metadata, ref

groups = Table(
    "groups",
    metadata,
    id_(),
    ref("user_id", "users.id"),
    Column("title", Text, nullable=False),
    Column("color", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    id_(),
    #: What the device says it is; unique over the whole server. A corrupted source gives its
    #: device id and phone up.
    Column("device_id", Text, nullable=False, unique=True),
    #: The device id that a corrupted source gave up.
    Column("former_device_id", Text, index=True),
    Column("model", Text, nullable=False),
    #: Digits, with the country's code.
    Column("phone", Text, unique=True),
    ref("dealer_id", "dealers.id"),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("corrupted", Boolean, nullable=False, server_default=false()),
    ref("tariff_id", "tariffs.id", nullable=True),
    #: The first day that is not paid; null: none, as with tariffs that charge active days.
    Column("tariff_end_date", Date, index=True),
    #: The tariff ended without being paid further.
    Column("tariff_ended", Boolean, nullable=False, server_default=false()),
    #: The end of the tariff is why it is blocked: paying lifts the block.
    Column("blocked_by_tariff", Boolean, nullable=False, server_default=false()),
    #: When the tariff was changed last.
    Column("tariff_change_date", Date),
    #: The last day that was charged for.
    Column("last_charged_date", Date),
    #: Days without a fee after the registration.
    Column("free_days", Integer, nullable=False, server_default="0"),
    #: The SIM card of its bundle, whose number its users do not see.
    ref("sim_card_id", "sim_cards.id", nullable=True),
    Column("creation_date", Date, nullable=False),
    Column("registered_at", Big, nullable=False),
    #: First and last time the device itself connected since it was registered or replaced.
    Column("connected_at", Big),
    Column("last_connection_at", Big),
    #: When another device took this source over.
    Column("replaced_at", Big),
    #: When its registration commands were asked for again.
    Column("register_retried_at", Big),
    Column("status_listing_id", Big),
    #: Days that points are kept; 0: for ever.
    Column("retention_days", Integer, nullable=False, server_default="366"),
    #: The device's own password, for protocols that have one.
    Column("password", Text),
    #: What is configured on the device and decides how its data reads.
    Column("setup", JSON, nullable=False, server_default="{}"),
    #: Platform-side settings (trip detection, LBS ...), by name.
    Column("settings", JSON, nullable=False, server_default="{}"),
)

trackers = Table(
    "trackers",
    metadata,
    id_(),
    ref("source_id", "sources.id"),
    ref("user_id", "users.id"),
    Column("label", Text, nullable=False),
    Column("clone", Boolean, nullable=False, server_default=false()),
    ref("group_id", "groups.id", nullable=True),
    Column("avatar_file_name", Text),
    Column("comment", Text, nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("creation_date", Date, nullable=False),
)

#: One account has a device once; a deleted clone no longer counts.
Index(
    "uq_trackers_source_user",
    trackers.c.source_id,
    trackers.c.user_id,
    unique=True,
    sqlite_where=text("NOT deleted"),
    postgresql_where=text("NOT deleted"),
)

#: Trackers that a sub-user sees.
user_trackers = Table(
    "user_trackers",
    metadata,
    Column("user_id", Big, ForeignKey("users.id"), primary_key=True),
    Column("tracker_id", Big, ForeignKey("trackers.id"), primary_key=True, index=True),
)

tags = Table(
    "tags",
    metadata,
    id_(),
    ref("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("color", Text, nullable=False),
    Column("avatar_file_name", Text),
)

tag_bindings = Table(
    "tag_bindings",
    metadata,
    Column("tracker_id", Big, ForeignKey("trackers.id"), primary_key=True),
    Column("tag_id", Big, ForeignKey("tags.id"), primary_key=True, index=True),
    #: 1 to 5.
    Column("ordinal", SmallInteger, nullable=False),
    UniqueConstraint("tracker_id", "ordinal"),
)

#: Devices that connect and that nobody registered.
inbox = Table(
    "inbox",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("protocol", Text, primary_key=True),
    Column("model", Text),
    Column("address", Text, nullable=False),
    Column("first_seen_at", Big, nullable=False),
    Column("last_seen_at", Big, nullable=False, index=True),
    Column("count", Big, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("position_at", Big),
)

#: What happened to a device that people should see (a second connection with its id ...).
device_events = Table(
    "device_events",
    metadata,
    id_(),
    ref("source_id", "sources.id"),
    Column("at", Big, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
)

#: What is configured on a device: its tracking mode (``tracking``), or a type of special settings.
device_settings = Table(
    "device_settings",
    metadata,
    Column("source_id", Big, ForeignKey("sources.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", Big, nullable=False),
    #: What carries it to the device; its state says whether the device knows. Null: there are no
    #: instructions of this kind for its model, so nothing was sent.
    ref("command_id", "commands.id", nullable=True, index=False),
    #: What the device acknowledged last, and when; null: nothing.
    Column("confirmed", JSON(none_as_null=True)),
    Column("confirmed_at", Big),
)
