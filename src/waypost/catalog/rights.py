"""Rights of sub-users and permissions of panel accounts. Small: loaded with this module."""

from __future__ import annotations

from fnmatch import fnmatchcase

import msgspec

from waypost.catalog import actions
from waypost.catalog._data import load


class Right(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A right of a sub-user. ``also`` are paths, with ``*``, of actions that need it and are not
    in the table of actions."""

    name: str
    meaning: str
    #: False: the master account has it and nobody can be given it.
    assignable: bool = True
    also: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    rights: list[Right]
    permissions: dict[str, tuple[str, ...]]


_file = load("rights.json", _File)

#: Every right of sub-users by its name. A master account has them all.
SUBUSER_RIGHTS: dict[str, Right] = {row.name: row for row in _file.rights}

#: The rights that a security group may hold.
ASSIGNABLE_RIGHTS = frozenset(name for name, row in SUBUSER_RIGHTS.items() if row.assignable)

#: Every permission of the panel: category -> operations, as ``account/get_permissions`` shows them.
PANEL_PERMISSIONS: dict[str, tuple[str, ...]] = _file.permissions

#: The same as ``category:operation``.
PANEL_PERMISSION_NAMES = frozenset(
    f"{category}:{operation}"
    for category, operations in PANEL_PERMISSIONS.items()
    for operation in operations
)


def rights_for(path: str) -> tuple[str, ...]:
    """The rights that a sub-user needs, all of them, for the user action ``path``."""
    row = actions.all_actions("user").get(path)
    if row is not None:
        return row.rights
    return tuple(
        right.name
        for right in SUBUSER_RIGHTS.values()
        if any(fnmatchcase(path, pattern) for pattern in right.also)
    )


def permissions_for(path: str) -> tuple[tuple[str, ...], ...]:
    """What a panel account needs for the panel action ``path``: of each group at least one
    permission. Raises KeyError for an unknown path."""
    row = actions.action("panel", path)
    groups = tuple((name,) for name in row.permissions)
    return (*groups, row.any_permission) if row.any_permission else groups
