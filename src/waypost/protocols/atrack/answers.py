"""Answers to commands: ``$OK``, ``$ERROR=101``, ``$UNID=...``, each with ``+TAG`` after its word
where the command had one."""

from __future__ import annotations

import re
from typing import Any

from waypost.protocols.base import Answer, Decoded, Hello, ProtocolError
from waypost.telemetry.message import Message

_ANSWER = re.compile(r"\$([0-9A-Za-z]+)(?:\+([^=]*))?(?:=(.*))?")


def read_answer(frame: bytes) -> tuple[Decoded, str | None]:
    """An answer, and the format of custom columns (None: it does not say it). Raises
    :class:`ProtocolError`."""
    text = frame.decode("utf-8", "replace").strip("\r\n\0 ")
    match = _ANSWER.fullmatch(text)
    if match is None:
        raise ProtocolError(f"not an answer: {text[:40]!r}")
    word, tag, content = match[1].upper(), match[2], match[3] or ""
    decoded = Decoded(answers=[Answer(text, tag or None, ok=word != "ERROR", raw=frame)])
    if word == "INFO":
        _information(decoded, content, frame)
    elif word == "UNID" and content.isalnum():
        decoded.hello = Hello([content])
    form = None
    if word == "FORM":  # mode, prefix, ASCII or binary, columns
        form = content.split(",", 3)[-1].strip('"') if content.count(",") >= 3 else ""
    return decoded, form


def _information(decoded: Decoded, content: str, frame: bytes) -> None:
    """Unit id, model, firmware, IMEI, IMSI, ICCID, power and battery in 0.1 V, satellites, GSM
    status, GSM quality, connection, antenna."""
    fields = content.split(",")
    if len(fields) < 3 or not fields[0]:
        return
    decoded.hello = Hello([fields[0]], model=fields[1] or None)
    values: dict[str, Any] = {}
    for name, field in zip(
        ("model", "firmware", "imei", "imsi", "iccid"), fields[1:6], strict=False
    ):
        if field:
            values[f"atrack_{name}"] = field
    numbers = [
        int(field) if field.isdecimal() and len(field) < 9 else None for field in fields[6:13]
    ]
    numbers += [None] * (7 - len(numbers))
    power, battery, satellites, status, quality, connection, antenna = numbers
    if power is not None:
        values["board_voltage"] = power / 10
    if battery is not None:
        values["battery_voltage"] = battery / 10
    if quality is not None and quality <= 31:
        values["gsm_level"] = round(quality * 100 / 31)
    for name, number in (
        ("satellites", satellites),
        ("gsm_status", status),
        ("server_connection", connection),
        ("antenna", antenna),
    ):
        if number is not None:
            values[f"atrack_{name}"] = number
    decoded.messages = [Message(None, frame.strip(), values=values)]
