"""The registry of actions.

An action is an async function with a declaration above it::

    @user_action("tracker/change_phone", right="tracker_configure",
                 tracker=Own(live=True, clone=False, supports=has_gsm))
    async def change_phone(call: UserCall, tracker: TrackerRow, phone: Phone,
                           apn_name: Apn | None = None) -> None: ...

It contains neither parsing nor authorisation: the registry checks, in this order, the session
(3, 4), the right (13), the parameters (7), the tracker (201, 252, 208, 219 or 249, 214, 266), and
calls it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from typing import Any, Protocol, TypeVar

import msgspec

import waypost.api.panel as api_panel
import waypost.api.user as api_user
from waypost.accounts.model import PanelAccount, Session, User
from waypost.api.errors import ApiError
from waypost.api.services import Services
from waypost.fleet.locking import locked_row
from waypost.fleet.outgoing import Outbox
from waypost.fleet.rows import TrackerRow
from waypost.fleet.service import Write
from waypost.moments import write_second

USER = "user"
PANEL = "panel"


class TrackerFacts(Protocol):
    """What :class:`Own` looks at; ``fleet``'s ``TrackerRow`` has it."""

    @property
    def clone(self) -> bool: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def corrupted(self) -> bool: ...
    @property
    def connected_at(self) -> int | None: ...


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold of the tracker that ``tracker_id`` names. It is the caller's (201) always."""

    #: The parameter that names it.
    parameter: str = "tracker_id"
    #: Another parameter that may name it instead, by the id of its device.
    device: str | None = None
    #: Code for a tracker that is not there.
    missing: int = 201
    #: Code for a corrupted one; None: it may be corrupted. By default 201 for users, to whom it
    #: does not exist, and 252 in the panel.
    corrupted: int | None = -1
    #: True: not blocked (208).
    live: bool = False
    #: False: no clone (219). True: clones only (249).
    clone: bool | None = None
    #: The device must be able to (214).
    supports: Callable[[Any], bool] | None = None
    #: True: the device has connected since it was registered (266). Whoever asks for it locks the
    #: tracker (:meth:`UserCall.locked`): rows in memory do not hear of a first connection.
    activated: bool = False

    def check(self, tracker: TrackerFacts | None, api: str, *, locked: bool = False) -> None:
        """Raises :class:`ApiError` with the first code that applies. ``locked``: the row is as the
        database has it now."""
        if tracker is None:
            raise ApiError(self.missing)
        if tracker.corrupted:
            code = self.corrupted
            if code == -1:
                code = self.missing if api == USER else 252
            if code is not None:
                raise ApiError(code)
        if self.live and tracker.blocked:
            raise ApiError(208)
        if self.clone is False and tracker.clone:
            raise ApiError(219)
        if self.clone is True and not tracker.clone:
            raise ApiError(249)
        if self.supports is not None and not self.supports(tracker):
            raise ApiError(214)
        if self.activated and locked and tracker.connected_at is None:
            raise ApiError(266)


class Call:
    """What an action knows of its call. ``now`` is in milliseconds."""

    __slots__ = ("address", "hash", "iso", "now", "own", "services")

    def __init__(
        self, services: Services, *, now: int, iso: bool, address: str, hash: str | None
    ) -> None:
        self.services = services
        self.now = now
        #: The caller wants ISO dates.
        self.iso = iso
        #: Where the call comes from.
        self.address = address
        #: The hash it was made with.
        self.hash = hash
        #: What the action declares of its tracker.
        self.own = Own()


class PublicCall(Call):
    """A call that needs no session."""

    __slots__ = ()


class UserCall(Call):
    """A call to the user API."""

    __slots__ = ("session", "user")

    session: Session
    user: User

    async def locked(self, write: Write, tracker: TrackerRow) -> TrackerRow:
        """The tracker as it is now that nobody else can change it until the end of ``write``.
        Raises :class:`ApiError` where what the action declares of it holds no longer."""
        row = await locked_row(write.connection, tracker)
        if row is not None and (
            row.user_id != self.user.account_id or (row.deleted and not row.corrupted)
        ):
            row = None
        self.own.check(row, USER, locked=True)
        assert row is not None  # noqa: S101 - or the check would have raised
        return row

    def outbox(self, write: Write) -> Outbox:
        """What this call tells devices and people."""
        return Outbox(
            write=write,
            settings=self.services.settings,
            addresses=self.services.fleet.addresses,
            now=self.now,
            user_id=self.user.id,
        )

    def time(self, ms: int) -> str:
        """A moment in the caller's zone and form: ``2021-05-20 13:49:09``, or ISO with offset where
        the call asks for that."""
        return write_second(ms // 1000, self.user.zone, self.iso)

    def time_or_none(self, ms: int | None) -> str | None:
        return None if ms is None else self.time(ms)


class PanelCall(Call):
    """A call to the panel API; its times are UTC."""

    __slots__ = ("account", "session")

    session: Session
    account: PanelAccount

    async def locked(self, write: Write, tracker: TrackerRow) -> TrackerRow:
        """The tracker as it is now that nobody else can change it until the end of ``write``.
        Raises :class:`ApiError` where what the action declares of it holds no longer."""
        row = await locked_row(write.connection, tracker)
        if row is not None and row.dealer_id != self.account.dealer_id:
            row = None
        self.own.check(row, PANEL, locked=True)
        assert row is not None  # noqa: S101 - or the check would have raised
        return row

    def outbox(self, write: Write) -> Outbox:
        """What this call tells devices and people."""
        return Outbox(
            write=write,
            settings=self.services.settings,
            addresses=self.services.fleet.addresses,
            now=self.now,
            panel_account_id=self.account.id,
        )

    def time(self, ms: int) -> str:
        """A moment in UTC: ``2021-05-20 13:49:09``, or ISO where the call asks for that."""
        return write_second(ms // 1000, UTC, self.iso)

    def time_or_none(self, ms: int | None) -> str | None:
        return None if ms is None else self.time(ms)


class Action(msgspec.Struct, kw_only=True, frozen=True):
    """A declared action; what its parameters and reply are is read from the function."""

    api: str
    path: str
    function: Callable[..., Awaitable[Any]]
    public: bool = False
    session_only: bool = False
    login_only: bool = False
    second_factor: bool = False
    rights: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    tracker: Own | None = None
    #: Looks at the bound parameters together, before the tracker is looked for.
    check: Callable[[dict[str, Any]], None] | None = None
    #: Codes that the action itself raises, for the documentation.
    errors: tuple[int, ...] = ()

    @property
    def summary(self) -> str:
        return (self.function.__doc__ or "").strip()


#: (api, path) -> action. Filled by the decorators as modules are imported.
ACTIONS: dict[tuple[str, str], Action] = {}

Function = TypeVar("Function", bound=Callable[..., Awaitable[Any]])


def user_action(
    *paths: str,
    right: str | None = None,
    rights: Sequence[str] = (),
    tracker: Own | None = None,
    public: bool = False,
    session_only: bool = False,
    login_only: bool = False,
    second_factor: bool = False,
    check: Callable[[dict[str, Any]], None] | None = None,
    errors: Sequence[int] = (),
) -> Callable[[Function], Function]:
    """Declares an action of the user API, under one path or several.

    ``right`` is the sub-user right it needs (``rights``: it needs all of them); ``admin`` is the
    master's alone. ``public``: needs no
    session. ``session_only``: API keys may not call it (code 4); ``login_only``: nor may sessions
    that the panel or a master made. ``second_factor``: only a log-in that still has to bring its
    code may. ``check`` raises code 7 for parameters that do not go together."""

    def declare(function: Function) -> Function:
        for path in _placed(USER, paths, function):
            _add(
                Action(
                    api=USER,
                    path=path,
                    function=function,
                    public=public,
                    session_only=session_only,
                    login_only=login_only,
                    second_factor=second_factor,
                    rights=tuple(rights) or ((right,) if right else ()),
                    tracker=tracker,
                    check=check,
                    errors=tuple(errors),
                )
            )
        return function

    return declare


def panel_action(
    *paths: str,
    permissions: Sequence[str] = (),
    tracker: Own | None = None,
    public: bool = False,
    errors: Sequence[int] = (),
) -> Callable[[Function], Function]:
    """Declares an action of the panel API. All ``permissions`` (``category:operation``) are needed;
    one may name alternatives: ``trackers:read|trackers:report``."""

    def declare(function: Function) -> Function:
        for path in _placed(PANEL, paths, function):
            _add(
                Action(
                    api=PANEL,
                    path=path,
                    function=function,
                    public=public,
                    permissions=tuple(permissions),
                    tracker=tracker,
                    errors=tuple(errors),
                )
            )
        return function

    return declare


def _placed(api: str, paths: Sequence[str], function: Callable[..., Any]) -> Sequence[str]:
    """The folder is the map: the first path says where the function lies; others are aliases."""
    place = f"waypost.api.{api}.{paths[0].split('/')[0]}"
    module = function.__module__
    if module.startswith("waypost.") and not f"{module}.".startswith(f"{place}."):
        raise TypeError(f"{api} action {paths[0]} belongs into {place}, not {module}")
    return paths


def _add(action: Action) -> None:
    key = (action.api, action.path)
    if key in ACTIONS:
        raise TypeError(f"{action.api} action {action.path} is declared twice")
    ACTIONS[key] = action


def load_actions() -> dict[tuple[str, str], Action]:
    """Imports every module of actions; returns them all by API and path."""
    for package in (api_user, api_panel):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    return ACTIONS
