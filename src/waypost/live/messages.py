"""What clients say about their subscriptions, and what they are answered.

Source: the vendor's page "WebSocket Subscription". Its older form (``events`` and ``trackers``
beside ``action``) is read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from waypost.catalog import errors
from waypost.refusal import Refused, invalid

EventType = Literal["state", "state_batch", "readings", "readings_batch", "iot_monitor"]
Format = Literal["full", "compact"]

#: Trackers that one ``iot_monitor`` may watch.
MONITORED = 10
#: How often batches go out at most (milliseconds): unless a client says, at best, at worst.
INTERVAL, SHORTEST, LONGEST = 1000, 100, 3_600_000

_json = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Target(msgspec.Struct, frozen=True):
    """Which trackers: all, those of a list, or those that carry one of some tags."""

    type: Literal["all", "selected", "tags"]
    tracker_ids: list[int] | None = None
    tag_ids: list[int] | None = None


class Request(msgspec.Struct, frozen=True):
    """One subscription."""

    type: EventType
    target: Target | None = None
    trackers: list[int] | None = None
    rate_limit: str | int | None = None
    format: Format | None = None
    sensor_type: str | None = None
    include_components: bool | None = None


class _Message(msgspec.Struct, frozen=True):
    action: str
    hash: str | None = None
    session_key: str | None = None
    iso_datetime: bool | None = None
    requests: list[Request] | None = None
    events: list[Literal["state"]] | None = None
    trackers: list[int] | None = None


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One subscription, checked. ``trackers`` and ``tags``: ids; ``interval`` in ms, 0 is none."""

    type: EventType
    all: bool = False
    trackers: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    interval: int = 0
    compact: bool = False
    sensor_type: str | None = None
    components: bool = True


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a client, checked."""

    action: Literal["subscribe", "unsubscribe"]
    hash: str | None
    iso: bool
    wanted: list[Wanted]
    #: What an error repeats.
    asked: dict[str, Any]


class Unreadable(Exception):
    """A message that is refused: with which action and parameters the error is answered."""

    def __init__(self, refused: Refused, action: str, data: Any = None) -> None:
        super().__init__(refused.code)
        self.refused = refused
        self.action = action
        self.data = data


def read_wish(message: bytes) -> Wish:
    """What a client says. Raises :class:`Unreadable`: code 5 for what is no JSON object, 112 for
    an unknown action, 7 for wrong parameters."""
    try:
        raw = _json(message)
    except (ValueError, RecursionError):
        raise Unreadable(Refused(5), "null") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("action"), str):
        raise Unreadable(Refused(5), "null")
    action = raw["action"].removeprefix("subscription/")
    named = f"subscription/{action[:60]}"
    if action not in ("subscribe", "unsubscribe"):
        raise Unreadable(Refused(112), named)
    try:
        return _checked(action, _convert(raw), described(raw))
    except Refused as refused:
        raise Unreadable(refused, named, described(raw)) from None


def described(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a message that its error repeats."""
    requests = raw.get("requests")
    if not isinstance(requests, list):
        return {name: raw[name] for name in ("events", "trackers") if name in raw}
    types = [one.get("type") for one in requests if isinstance(one, dict)]
    return {"events": [one for one in types if isinstance(one, str)][:10]}


#: Where and what, in msgspec's words.
_AT = re.compile(r"^(?P<error>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"missing required field `(?P<name>\w+)`")


def _convert(raw: dict[str, Any]) -> _Message:
    try:
        return msgspec.convert(raw, _Message, strict=False)
    except msgspec.ValidationError as error:
        found = _AT.match(str(error))
        assert found is not None  # noqa: S101 - it matches anything
        path = (found["path"] or "").lstrip(".")
        missing = _MISSING.search(found["error"])
        if missing is not None:
            path = f"{path}.{missing['name']}" if path else missing["name"]
        raise invalid(path or "action", found["error"]) from None


def _checked(
    action: Literal["subscribe", "unsubscribe"], message: _Message, asked: dict[str, Any]
) -> Wish:
    requests = message.requests
    if requests is None:
        if message.events is None:
            raise invalid("requests", "is required")
        if message.trackers is None:
            raise invalid("trackers", "is required")
        requests = [
            Request(one, trackers=message.trackers) for one in dict.fromkeys(message.events)
        ]
    if not requests:
        raise invalid("requests", "must not be empty")
    return Wish(
        action=action,
        hash=message.hash or message.session_key,
        iso=bool(message.iso_datetime),
        wanted=[_wanted(one, f"requests[{at}]") for at, one in enumerate(requests)],
        asked=asked,
    )


def _wanted(request: Request, path: str) -> Wanted:
    target = request.target
    if target is None:
        if request.trackers is None:
            raise invalid(f"{path}.target", "or trackers is required")
        target = Target("selected", request.trackers)
    if target.type == "selected" and target.tracker_ids is None:
        raise invalid(f"{path}.target.tracker_ids", "is required")
    if target.type == "tags" and target.tag_ids is None:
        raise invalid(f"{path}.target.tag_ids", "is required")
    trackers = tuple(dict.fromkeys(target.tracker_ids or ())) if target.type == "selected" else ()
    if request.type == "iot_monitor" and len(trackers) > MONITORED:
        raise invalid(f"{path}.target", f"at most {MONITORED} trackers")
    return Wanted(
        type=request.type,
        all=target.type == "all",
        trackers=trackers,
        tags=tuple(target.tag_ids or ()) if target.type == "tags" else (),
        interval=_interval(request, path),
        compact=request.format == "compact",
        sensor_type=request.sensor_type,
        components=request.include_components is not False,
    )


_SPAN = re.compile(r"\s*(?P<number>\d{1,9})\s*(?P<unit>ms|s|m|h)?\s*")
_UNITS = {"ms": 1, "s": 1000, None: 1000, "m": 60_000, "h": 3_600_000}


def _interval(request: Request, path: str) -> int:
    """Milliseconds between two messages: ``5s``, ``500ms``, ``1m``; a bare number is seconds."""
    if request.type in ("state", "readings"):
        return 0
    if request.rate_limit is None:
        return INTERVAL
    found = _SPAN.fullmatch(str(request.rate_limit))
    if found is None:
        raise invalid(f"{path}.rate_limit", "must be a time span such as 5s")
    interval = int(found["number"]) * _UNITS[found["unit"]]
    if interval > LONGEST:
        raise invalid(f"{path}.rate_limit", "must be an hour at most")
    return max(interval, SHORTEST)


# What is answered.


def response(action: str, results: Mapping[str, Mapping[str, str]]) -> bytes:
    """The answer to a message that is granted: for each event the status of each tracker."""
    return _encode(
        {
            "type": "response",
            "action": f"subscription/{action}",
            "events": list(results),
            "data": {
                event: {"success": True, "value": statuses} for event, statuses in results.items()
            },
        }
    )


def error(action: str, code: int, extra: Mapping[str, Any], data: Any = None) -> bytes:
    """The answer to one that is refused; ``extra`` is what the API has beside ``status``."""
    status = errors.error(code).status
    body: dict[str, Any] = {"type": "error", "action": action, "status": status, **extra}
    if data is not None:
        body["data"] = data
    return _encode(body)


def event_message(event: str, body: bytes, time: str | None = None) -> bytes:
    """An event with an encoded payload; ``time`` is the user's now."""
    user_time = b"" if time is None else b'"user_time":"%b",' % time.encode()
    return b'{"type":"event","event":"%b",%b"data":%b}' % (event.encode(), user_time, body)


def lifecycle(source_id: int, event: str) -> bytes:
    """A tracker was blocked, unblocked, or is gone (``block``, ``unblock``, ``corrupt``)."""
    data = {"source_id": source_id, "lifecycle_event": event}
    return _encode({"type": "event", "event": "lifecycle", "data": data})


LOGOUT = _encode({"type": "event", "event": "logout", "data": "session closed"})
