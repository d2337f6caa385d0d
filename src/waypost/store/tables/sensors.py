"""What is connected to devices, and what is counted."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from waypost.store.tables.base import Big, id_, metadata, ref

#: What is connected to a device's inputs, what it measures and in which units.
sensors = Table(
    "sensors",
    metadata,
    id_(),
    ref("source_id", "sources.id"),
    #: ``metering``, ``discrete`` or ``virtual``.
    Column("kind", Text, nullable=False),
    Column("sensor_type", Text, nullable=False),
    #: The input it reads; null for discrete ones, which have a number.
    Column("input_name", Text),
    Column("input_number", SmallInteger),
    #: All of it as the API names it, but for the id.
    Column("definition", JSON, nullable=False),
    #: Pairs of raw value and meaning, in rising order of the first.
    Column("calibration", JSON, nullable=False, server_default="[]"),
)

#: An input is read once: two calls at once cannot both have it.
Index(
    "uq_sensors_source_input_number",
    sensors.c.source_id,
    sensors.c.input_number,
    unique=True,
    sqlite_where=text("kind = 'discrete'"),
    postgresql_where=text("kind = 'discrete'"),
)

Index(
    "uq_sensors_source_input_name",
    sensors.c.source_id,
    sensors.c.input_name,
    unique=True,
    sqlite_where=text("kind = 'metering' AND input_name <> 'composite'"),
    postgresql_where=text("kind = 'metering' AND input_name <> 'composite'"),
)

#: Odometers and the like: how what is counted in a source's state reads.
counters = Table(
    "counters",
    metadata,
    id_(),
    Column("source_id", Big, ForeignKey("sources.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("multiplier", Float, nullable=False, server_default="1"),
    #: The sensor that counts, where one is chosen.
    ref("sensor_id", "sensors.id", nullable=True, index=False),
    #: What it showed when it was set (null: never), and how far the meter had come by then.
    Column("value", Float),
    Column("counted", Float, nullable=False, server_default="0"),
    Column("changed_at", Big, nullable=False),
    #: What messages that came late add to the meter, and how many of these are dealt with.
    Column("correction", Float, nullable=False, server_default="0"),
    Column("lates", Big, nullable=False, server_default="0"),
    #: Time of its newest mark.
    Column("marked_at", Big, nullable=False),
    UniqueConstraint("source_id", "type"),
)

#: How far counters had come, now and then: where counting anew can begin.
counter_marks = Table(
    "counter_marks",
    metadata,
    id_(),
    Column("counter_id", Big, ForeignKey("counters.id"), nullable=False),
    #: Messages up to this time are counted.
    Column("at", Big, nullable=False),
    Column("made_at", Big, nullable=False),
    #: Somebody set it so: no message changes this.
    Column("fixed", Boolean, nullable=False),
    Column("value", Float),
    Column("multiplier", Float, nullable=False),
    Column("counted", Float, nullable=False),
    #: The meter itself, MessagePack.
    Column("meter", LargeBinary, nullable=False),
)

Index("ix_counter_marks_counter_id_at", counter_marks.c.counter_id, counter_marks.c.at)
