"""Tracking profiles: which tracking settings a model has (``tracker/settings/tracking``).

A profile's name is a model's ``track_control``; ``none`` there means no settings at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from waypost.catalog import fields as _fields
from waypost.catalog._data import load
from waypost.catalog.fields import Clean, Field


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of a profile in the order of the documents, and one set of values as printed."""

    fields: dict[str, Field]
    example: dict[str, Any]


@cache
def all_profiles() -> dict[str, Profile]:
    """Every profile by its name."""
    return load("profiles.json", dict[str, Profile])


def profile(name: str) -> Profile | None:
    """The profile ``name``; None for ``none`` and for a name that nobody has."""
    return all_profiles().get(name)


def validate(name: str, values: Mapping[str, Any]) -> Clean:
    """``values`` as settings of the profile ``name``, and every fault in them: see
    :func:`waypost.catalog.fields.validate`. Raises KeyError for an unknown profile."""
    return _fields.validate(all_profiles()[name].fields, values)


def defaults(name: str) -> dict[str, Any]:
    """The settings of a device that nobody has configured. Raises KeyError for an unknown
    profile."""
    row = all_profiles()[name]
    return _fields.defaults(row.fields, row.example)
