"""Runs an action: session, right, parameters, tracker, in this order, then the function."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from typing import Any

import msgspec

from waypost.accounts.model import SessionKind, User
from waypost.api.action import (
    PANEL,
    Action,
    Own,
    PanelCall,
    PublicCall,
    UserCall,
    load_actions,
)
from waypost.api.errors import ApiError, invalid
from waypost.api.params import Parameter, Signature, read_signature
from waypost.api.rate import RateLimit
from waypost.api.reply import encode_reply
from waypost.api.services import Services
from waypost.api.wire import Raw, find_hash, wants_iso
from waypost.fleet.rows import TrackerRow
from waypost.fleet.texts import Code


class Request(msgspec.Struct, gc=False):
    """What the edge read of a request."""

    query: Raw
    body: Raw
    body_is_text: bool
    authorization: str | None
    iso_header: str | None
    address: str
    #: Milliseconds since 1970, and seconds of a clock that never goes back.
    now: int
    tick: float


class Bound(msgspec.Struct, frozen=True):
    """An action with what its function declares."""

    action: Action
    signature: Signature
    #: The parameters that name the tracker: by its id, by its device's.
    tracker: Parameter | None
    device: Parameter | None = None

    @property
    def uploads(self) -> bool:
        """Does it take a file?"""
        return any(parameter.upload for parameter in self.signature.parameters)


def bind_action(action: Action) -> Bound:
    """Reads an action's declaration; raises TypeError where it cannot be served."""
    own = action.tracker
    injected = frozenset(("tracker",)) if own else frozenset()
    signature = read_signature(action.function, injected=injected)
    if own is None:
        return Bound(action, signature, None)
    tracker, device = _tracker_parameters()
    tracker = msgspec.structs.replace(tracker, name=own.parameter, argument="tracker")
    if own.device is None:
        signature = msgspec.structs.replace(signature, parameters=(tracker, *signature.parameters))
        return Bound(action, signature, tracker)
    tracker = msgspec.structs.replace(tracker, required=False)
    device = msgspec.structs.replace(device, name=own.device)
    parameters = (tracker, device, *signature.parameters)
    signature = msgspec.structs.replace(signature, parameters=parameters)
    return Bound(action, signature, tracker, device)


async def _names_tracker(call: object, tracker_id: int, device: Code | None = None) -> None:
    """The declaration of the parameters that name a tracker."""


@cache
def _tracker_parameters() -> tuple[Parameter, ...]:
    return read_signature(_names_tracker, injected=frozenset()).parameters


@cache
def bound_actions() -> dict[tuple[str, str], Bound]:
    """Every action by API and path; read once in a process."""
    return {key: bind_action(action) for key, action in load_actions().items()}


class Dispatcher:
    """All actions, ready to run."""

    def __init__(self, services: Services, rate: RateLimit) -> None:
        self.services = services
        self._rate = rate
        self.actions = bound_actions()
        #: First parts of the paths there are: an unknown one is code 111, not 112.
        self.handlers = {(api, path.partition("/")[0]) for api, path in self.actions}

    def find(self, api: str, path: str) -> Bound:
        """The action of a path. Raises :class:`ApiError`: 111 unknown handler, 112 unknown
        method of a known one."""
        bound = self.actions.get((api, path))
        if bound is None:
            known = (api, path.partition("/")[0]) in self.handlers
            raise ApiError(112 if known else 111)
        return bound

    async def run(self, bound: Bound, request: Request) -> bytes:
        """The reply's body. Raises what the action raises."""
        action = bound.action
        hash_ = find_hash(request.query, request.body, request.authorization)
        call: PublicCall | UserCall | PanelCall
        if action.public:
            call = PublicCall(
                self.services,
                now=request.now,
                iso=False,
                address=request.address,
                hash=hash_,
            )
            zone: Any = UTC
        else:
            call = await self._identify(action, request, hash_)
            zone = call.user.zone if isinstance(call, UserCall) else UTC
        arguments = bound.signature.bind(request.query, request.body, request.body_is_text, zone)
        if action.check is not None:
            action.check(arguments)
        if action.tracker is not None:
            call.own = action.tracker
            tracker = await self._named(call, action.tracker, arguments)
            action.tracker.check(tracker, action.api)
            arguments["tracker"] = tracker
        return encode_reply(await action.function(call, **arguments))

    async def _identify(
        self, action: Action, request: Request, hash_: str | None
    ) -> UserCall | PanelCall:
        session = await self.services.accounts.sessions.find(
            hash_,
            request.now,
            panel=action.api == PANEL,
            second_factor=action.second_factor,
        )
        caller = session.caller
        iso = wants_iso(request.query, request.body, request.iso_header)
        call: UserCall | PanelCall
        if isinstance(caller, User):
            # An API key has its own measure, so that an integration cannot lock its user out.
            name = f"key {hash_}" if session.kind is SessionKind.API_KEY else f"user {caller.id}"
            self._within_rate(name, request)
            if action.session_only and session.kind is SessionKind.API_KEY:
                raise ApiError(4)
            if action.login_only and session.kind is not SessionKind.LOGIN:
                raise ApiError(4)
            if not all(map(caller.may, action.rights)):
                raise ApiError(13)
            call = UserCall(
                self.services, now=request.now, iso=iso, address=request.address, hash=hash_
            )
            call.user = caller
        else:
            self._within_rate(f"panel {caller.id}", request)
            if not all(caller.may(permission) for permission in action.permissions):
                raise ApiError(13)
            call = PanelCall(
                self.services, now=request.now, iso=iso, address=request.address, hash=hash_
            )
            call.account = caller
        call.session = session
        return call

    def _within_rate(self, name: str, request: Request) -> None:
        if not self._rate.allows(name, request.tick):
            raise ApiError(15)

    async def _named(
        self, call: PublicCall | UserCall | PanelCall, own: Own, arguments: dict[str, Any]
    ) -> TrackerRow | None:
        """The tracker that a call names. Raises :class:`Refused` 7 where it names none."""
        if own.device is not None:
            device_id = arguments.pop("device")
            if arguments["tracker"] is None:
                if device_id is None:
                    raise invalid(own.parameter, f"or {own.device} is required")
                assert isinstance(call, UserCall)  # noqa: S101 - no panel action names devices so
                return await self.services.fleet.trackers.user_device(call.user, device_id)
        return await self._tracker(call, arguments["tracker"])

    async def _tracker(
        self, call: PublicCall | UserCall | PanelCall, tracker_id: int
    ) -> TrackerRow | None:
        trackers = self.services.fleet.trackers
        if isinstance(call, UserCall):
            return await trackers.user_tracker(call.user, tracker_id)
        assert isinstance(call, PanelCall)  # noqa: S101 - public actions name no tracker
        return await trackers.dealer_tracker(call.account.dealer_id, tracker_id)
