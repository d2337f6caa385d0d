"""The generic protocol: attributes of its messages, events, limits, addresses."""

from __future__ import annotations

from functools import cache

import msgspec

from waypost.catalog._data import load


class Attribute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name of the message vocabulary. ``type`` is boolean, integer, float, string, timestamp,
    object, array or mixed. A name that ends in ``_n`` stands for the indices ``index`` (first and
    last; last None: without end)."""

    name: str
    type: str
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    enum: tuple[str, ...] = ()
    index: tuple[int, int | None] | None = None
    #: The object it stands in: Root, location, mobile_cells, wifi_points, custom_attributes.
    place: str = "Root"
    required: bool = False


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A standard event."""

    id: int
    group: str
    name: str


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """HTTP: a message is the JSON body of a POST."""

    port: int


class Mqtt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """MQTT 3.1.1 and 5.0: the topic messages are published to, ports (plain, TLS), the common user
    name; the password is the device's own."""

    topic: str
    ports: tuple[int, int]
    username: str
    qos: tuple[int, ...]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Longest device id (characters), string value and blob (bytes; base64 for a blob)."""

    device_id: int
    string: int
    blob: int


class Ngp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole table."""

    attributes: tuple[Attribute, ...]
    events: tuple[Event, ...]
    #: Events from this id on are the device's own.
    custom_events_from: int
    http: Http
    mqtt: Mqtt
    limits: Limits


@cache
def ngp() -> Ngp:
    """The generic protocol's table."""
    return load("ngp.json", Ngp)


@cache
def attributes(place: str = "Root") -> dict[str, Attribute]:
    """The attributes of one object of a message by name (indexed ones under their ``_n`` name)."""
    return {row.name: row for row in ngp().attributes if row.place == place}


@cache
def events() -> dict[int, Event]:
    """The standard events by id."""
    return {row.id: row for row in ngp().events}
