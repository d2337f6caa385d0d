"""Every documented action of the user and panel API: parameters, rights, errors, reply.

The contract tests and the documentation are driven by this table. Where the documents of the API
are silent or disagree, a row says what holds here; what else was printed is in ``variants``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import msgspec

from waypost.catalog._data import load

Api = Literal["user", "panel"]


class Param(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One parameter. ``type`` is one of int, float, double, string, boolean, datetime, enum,
    object, file, url, ``..._array``; ``rules`` holds what no other field says (``zero_means``,
    ``required_when``, ``format`` ...)."""

    name: str
    type: str
    required: bool = True
    default: Any = msgspec.UNSET
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    pattern: str | None = None
    enum: tuple[str, ...] = ()
    #: Which of the API's objects it is.
    object: str | None = None
    #: No control characters.
    printable: bool = False
    allow_empty: bool = False
    #: Must belong to the caller, or to the caller's dealer.
    own: bool = False
    own_dealer: bool = False
    not_blocked: bool = False
    rules: dict[str, Any] = {}


class ActionError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code that an action may answer, and when. ``extra_fields``: name -> type or example."""

    code: int
    when: str
    extra_fields: dict[str, Any] = {}


class Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One action. ``returns`` is what stands beside ``success``; empty: nothing."""

    path: str
    params: tuple[Param, ...] = ()
    #: Sub-user rights that the caller needs, all of them (user API).
    rights: tuple[str, ...] = ()
    #: ``category:operation`` that the caller needs, all of them (panel API).
    permissions: tuple[str, ...] = ()
    #: One of these is needed besides.
    any_permission: tuple[str, ...] = ()
    #: Permissions that widen what it does.
    optional_permissions: tuple[str, ...] = ()
    #: Tariff features that the account needs.
    features: tuple[str, ...] = ()
    returns: str = ""
    errors: tuple[ActionError, ...] = ()
    notes: tuple[str, ...] = ()
    variants: tuple[dict[str, Any], ...] = ()
    #: False: needs no session.
    session: bool = True
    deprecated: bool = False
    exactly_one_of: tuple[str, ...] = ()
    #: Which of the API's objects its parameters together are.
    object: str | None = None
    #: What only this action has: conditions, cooldown, WebSocket address ...
    details: dict[str, Any] = {}

    def param(self, name: str) -> Param:
        """The parameter ``name``. Raises KeyError."""
        for row in self.params:
            if row.name == name:
                return row
        raise KeyError(name)


@cache
def all_actions(api: Api) -> dict[str, Action]:
    """Every action of ``api`` by its path, in the order of the documents."""
    return {row.path: row for row in load(f"actions/{api}.json", list[Action])}


def action(api: Api, path: str) -> Action:
    """The action at ``path`` (``"tracker/read"``). Raises KeyError."""
    return all_actions(api)[path]


@cache
def objects() -> dict[str, dict[str, Any]]:
    """The objects of the API by name: field -> type in words (``string|null``; ``?``: may be
    absent), a list of the values it may have, or the fields of an inner object."""
    return load("actions/objects.json", dict[str, dict[str, Any]])
