"""What an HTTP provider sends to ``/sms/http/delivery`` and ``/sms/http/incoming``. Pure, but for
the secret's comparison, which takes the same time for every wrong one.

The names of the fields are settings. A JSON body may nest them (``results.0.id``), and may tell of
several messages in one list (``sms_http_list``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Any

from waypost.settings import Settings
from waypost.sms.provider import Incoming, Report

#: Most messages that one request may tell of.
MOST = 1000


class CallbackError(ValueError):
    """The request does not say what it must; the text says what is missing."""


def is_secret(settings: Settings, given: str | None, authorization: str | None) -> bool:
    """Does the caller know ``sms_http_secret``: as the parameter ``secret``, as a bearer token, or
    as the password of basic authentication?"""
    if not settings.sms_http_secret:
        return False
    offered = [given or ""]
    scheme, _, value = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        offered.append(value.strip())
    elif scheme.lower() == "basic":
        try:
            pair = base64.b64decode(value, validate=True).decode(errors="replace")
        except (ValueError, binascii.Error):
            pair = ""
        offered.append(pair.partition(":")[2])
    wanted = settings.sms_http_secret.encode()
    matches = [hmac.compare_digest(one.encode(), wanted) for one in offered]
    return any(matches)


def read_delivery(settings: Settings, fields: Mapping[str, Any]) -> list[Report]:
    """The final reports in a request; news of what is still on the way is left out. Raises
    :class:`CallbackError`."""
    found: list[Report] = []
    for entry in _entries(settings, fields):
        message_id = _text(entry, settings.sms_http_delivery_id)
        status = _text(entry, settings.sms_http_delivery_status)
        word = status.casefold()
        if word in {one.casefold() for one in settings.sms_http_delivered}:
            found.append(Report(message_id, "delivered"))
        elif word in {one.casefold() for one in settings.sms_http_failed}:
            found.append(Report(message_id, "failed", f"the network reports {status[:100]}"))
    return found


def read_incoming(settings: Settings, fields: Mapping[str, Any]) -> list[Incoming]:
    """The messages from outside in a request. Raises :class:`CallbackError`."""
    return [
        Incoming(
            sender=_text(entry, settings.sms_http_incoming_from),
            text=_text(entry, settings.sms_http_incoming_text, empty=True),
            recipient=_find(entry, settings.sms_http_incoming_to) or "",
            message_id=_find(entry, settings.sms_http_incoming_id) or None,
        )
        for entry in _entries(settings, fields)
    ]


def _entries(settings: Settings, fields: Mapping[str, Any]) -> list[Any]:
    if not settings.sms_http_list:
        return [fields]
    entries = _walk(fields, settings.sms_http_list)
    if not isinstance(entries, list):
        raise CallbackError(f"there is no list {settings.sms_http_list}")
    if len(entries) > MOST:
        raise CallbackError(f"{len(entries)} messages at once, more than {MOST}")
    return entries


def _text(entry: Any, path: str, *, empty: bool = False) -> str:
    found = _find(entry, path)
    if found is None or not (found or empty):
        raise CallbackError(f"there is no {path}")
    return found


def _find(entry: Any, path: str) -> str | None:
    found = _walk(entry, path)
    if isinstance(found, str):
        return found
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if isinstance(found, int | float) else None


def _walk(entry: Any, path: str) -> Any:
    """What stands at a path: the field of this very name, or names and numbers joined by dots."""
    if not path:
        return None
    if isinstance(entry, Mapping) and path in entry:
        return entry[path]
    for step in path.split("."):
        if isinstance(entry, Mapping):
            entry = entry.get(step)
        elif isinstance(entry, list) and step.isdigit() and int(step) < len(entry):
            entry = entry[int(step)]
        else:
            return None
    return entry
