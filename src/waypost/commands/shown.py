"""What a command says, as people may see it. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

#: Stands for what people must not see.
HIDDEN = "***"


def shown_payload(kind: str, payload: bytes, shown: str | None) -> str:
    """A command's payload for people: ``shown``, where it went out with secrets hidden; else a text
    as it is, bytes as hexadecimal, and JSON without passwords."""
    if shown is not None:
        return shown
    if kind == "text":
        return payload.decode(errors="replace")
    if kind == "hex":
        return payload.hex()
    try:
        told = msgspec.json.decode(payload)
    except msgspec.MsgspecError:
        return payload.hex()
    return msgspec.json.encode(_hidden(told)).decode()


def _hidden(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _hidden(one, str(key)) for key, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one, name) for one in value]
    if name.lower().endswith("password") and value not in (None, ""):
        return HIDDEN
    return value


def hide(text: str, secrets: tuple[str, ...]) -> str:
    """A text without what must not be seen. Of two secrets the longer goes first, since it may hold
    the other."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if secret:
            text = text.replace(secret, HIDDEN)
    return text


def hide_in_answer(text: str, secrets: tuple[str, ...]) -> str:
    """The same for what a device says: passwords like ``0000`` are within many other numbers there,
    and a number that only holds one stays as it is."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if secret.isdecimal():
            text = re.sub(rf"(?<!\d)(?<!\d[.,]){re.escape(secret)}(?![.,]?\d)", HIDDEN, text)
        elif secret:
            text = text.replace(secret, HIDDEN)
    return text
