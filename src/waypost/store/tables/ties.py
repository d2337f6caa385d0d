"""What accounts tie to their trackers: rules, vehicles, working statuses."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, Table, Text

from waypost.store.tables.base import Big, id_, metadata, ref

#: What an account wants to hear of its trackers.
rules = Table(
    "rules",
    metadata,
    id_(),
    ref("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("primary_text", Text, nullable=False),
    Column("secondary_text", Text, nullable=False),
    Column("param", Big, nullable=False),
    Column("zone_ids", JSON, nullable=False),
    Column("alerts", JSON, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("schedule", JSON(none_as_null=True)),
    Column("extended_params", JSON(none_as_null=True)),
    Column("group_id", Big),
)

rule_trackers = Table(
    "rule_trackers",
    metadata,
    Column("rule_id", Big, ForeignKey("rules.id"), primary_key=True),
    Column("tracker_id", Big, ForeignKey("trackers.id"), primary_key=True, index=True),
)

vehicles = Table(
    "vehicles",
    metadata,
    id_(),
    ref("user_id", "users.id"),
    #: One vehicle at most has a tracker.
    Column("tracker_id", Big, ForeignKey("trackers.id"), unique=True),
    Column("label", Text, nullable=False),
    Column("reg_number", Text, nullable=False),
    Column("vin", Text, nullable=False),
    #: All further fields, as the API names them.
    Column("details", JSON, nullable=False),
)

vehicle_tags = Table(
    "vehicle_tags",
    metadata,
    Column("vehicle_id", Big, ForeignKey("vehicles.id"), primary_key=True),
    Column("tag_id", Big, ForeignKey("tags.id"), primary_key=True, index=True),
)

#: Lists of working statuses (busy, free ...) that an account gives to its trackers.
status_listings = Table(
    "status_listings",
    metadata,
    id_(),
    ref("user_id", "users.id"),
    Column("label", Text, nullable=False),
    Column("employee_controlled", Boolean, nullable=False),
    Column("supervisor_controlled", Boolean, nullable=False),
)

statuses = Table(
    "statuses",
    metadata,
    id_(),
    ref("listing_id", "status_listings.id"),
    Column("label", Text, nullable=False),
    Column("color", Text, nullable=False),
    #: Its place in the list.
    Column("ordinal", Integer, nullable=False),
)

#: Who set which working status when and where; a device's newest says what it has now. Statuses
#: may be gone by now.
status_changes = Table(
    "status_changes",
    metadata,
    id_(),
    ref("source_id", "sources.id"),
    Column("old_status_id", Big),
    Column("new_status_id", Big),
    Column("at", Big, nullable=False),
    #: ``supervisor`` or ``employee``.
    Column("origin", Text, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
)
