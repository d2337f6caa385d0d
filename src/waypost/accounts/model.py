"""Who may call: users, panel accounts, and the sessions that speak for them."""

from __future__ import annotations

import enum
from zoneinfo import ZoneInfo

import msgspec


class SessionKind(enum.StrEnum):
    """How a hash came to be."""

    #: A log-in with a password.
    LOGIN = "login"
    #: Made by the panel, or by a master for its sub-user.
    GRANTED = "panel"
    #: Half a log-in: good for bringing the code that the user was sent, and for nothing else.
    SECOND_FACTOR = "second_factor"
    #: An API key: no session, never ends by itself.
    API_KEY = "key"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user of the user API as the caller of an action."""

    id: int
    dealer_id: int
    #: For a sub-user the account it belongs to.
    master_id: int | None
    login: str
    time_zone: str
    zone: ZoneInfo
    locale: str
    measurement_system: str
    #: Rights of a sub-user; a master has all and none are listed.
    rights: frozenset[str] = frozenset()
    security_group_id: int | None = None

    @property
    def account_id(self) -> int:
        """Whose trackers, groups and tags these are: a sub-user's master, else the user itself."""
        return self.id if self.master_id is None else self.master_id

    @property
    def is_master(self) -> bool:
        return self.master_id is None

    def may(self, right: str) -> bool:
        """Has it ``right``? ``admin`` is the master's alone."""
        return self.master_id is None or (right != "admin" and right in self.rights)


class PanelAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls the panel API, on behalf of one dealer."""

    id: int
    dealer_id: int
    login: str
    #: category -> operations
    permissions: dict[str, list[str]]

    def may(self, permission: str) -> bool:
        """Has it ``category:operation``, or one of several, written ``a:x|b:y``?"""
        for one in permission.split("|"):
            category, _, operation = one.partition(":")
            if operation in self.permissions.get(category, ()):
                return True
        return False


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One valid hash, resolved."""

    #: SHA-256 of the hash.
    key: bytes
    kind: SessionKind
    caller: User | PanelAccount
    #: Milliseconds; None: does not end.
    expires_at: int | None


Permissions = dict[str, list[str]]
