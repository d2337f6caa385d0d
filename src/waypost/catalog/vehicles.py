"""Types of vehicles that the API knows, and their subtypes."""

from __future__ import annotations

from functools import cache

from waypost.catalog._data import load


@cache
def vehicle_types() -> dict[str, tuple[str, ...]]:
    """The subtypes of every type, in the order of the documents."""
    return load("vehicles.json", dict[str, tuple[str, ...]])
