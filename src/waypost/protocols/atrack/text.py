"""Position records in ASCII: one a line, fields between commas."""

from __future__ import annotations

import re

from waypost.protocols.atrack.columns import Raw, codes_of, format_of
from waypost.protocols.atrack.report import (
    END_OF_TEXT,
    Head,
    Setup,
    check_place,
    message_of,
    moment,
)
from waypost.protocols.base import ProtocolError
from waypost.telemetry.message import Message, utc_ms

#: A map link holds a comma, and ends with 0x1A as all text may.
_LINK = re.compile(r"[^,\x1a]*q=-?[0-9.]+,-?[0-9.]+ ?\x1a?(?=,|$)")


def read_text(body: str, setup: Setup) -> list[Message]:
    """The records of a text report, one a line. Raises :class:`ProtocolError`."""
    lines = [line for line in re.split("\r?\n", body) if line.strip("\0")]
    if not lines:
        raise ProtocolError("a report holds no record")
    return [_text_record(line, setup) for line in lines]


def _text_record(line: str, setup: Setup) -> Message:
    fields = line.split(",", 17)
    if len(fields) < 16:
        raise ProtocolError(f"a record has {len(fields)} fields where 16 or more were expected")
    try:
        numbers = [int(field or 0) for field in (*fields[3:7], *fields[8:13], *fields[14:16])]
        odometer = float(fields[7] or 0)
        fix_time, device_time = (_text_time(field) for field in fields[:2])
    except (ValueError, OverflowError) as error:
        raise ProtocolError(f"a record with a wrong field: {error}") from None
    longitude, latitude, heading, report_id, hdop, inputs, speed, outputs, analog, *warm = numbers
    check_place(longitude, latitude)
    if not 0 <= odometer < 1e9 or max(map(abs, numbers)) >= 1 << 32:
        raise ProtocolError("a record with a number out of all bounds")
    head = Head(
        fix_time=fix_time,
        device_time=device_time,
        longitude=longitude,
        latitude=latitude,
        heading=heading,
        report_id=report_id,
        odometer=odometer,
        hdop=hdop,
        inputs=inputs,
        speed=speed,
        outputs=outputs,
        analog=analog,
        driver=fields[13],
        temperatures=(warm[0], warm[1]),
        text=fields[16].strip(END_OF_TEXT) if len(fields) > 16 else "",
    )
    custom = fields[17] if len(fields) > 17 else ""
    raw, custom = _text_columns(custom, setup.form)
    digest = ",".join((*fields[:2], *fields[3:17], custom))
    return message_of(head, raw, digest.encode(), setup)


def _text_columns(custom: str, form: str) -> tuple[dict[str, Raw], str]:
    """Custom columns by code, and all of them without the sign that the record was buffered."""
    if custom.startswith("%CI"):
        form, _, custom = custom.partition(",")
    if not custom.strip(","):
        return {}, custom
    codes = codes_of(form)
    if not codes:
        return {"custom": custom}, custom
    raw: dict[str, Raw] = {}
    content: list[str] = []
    rest = custom
    for index, code in enumerate(codes):
        link = _LINK.match(rest) if code == "GL" else None
        value, comma, rest = (
            (link[0], ",", rest[link.end() + 1 :]) if link is not None else rest.partition(",")
        )
        value = value.strip(END_OF_TEXT + " ")
        if code != "DT":
            content.append(value)
        if value:
            raw[code] = _text_value(code, value)
        if not comma or not rest:
            break
        if index == len(codes) - 1 and rest.strip(","):
            raw["custom"] = rest
            content.append(rest)
    return raw, ",".join(content)


def _text_value(code: str, value: str) -> Raw:
    kind = format_of(code)
    if kind == "s" or (kind is not None and kind.isdigit()):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if not abs(number) < 1e18:
        return value
    return int(value) if value.lstrip("+-").isdecimal() else number


def _text_time(field: str) -> int | None:
    """``YYYYMMDDhhmmss`` or seconds since 1970."""
    if len(field) >= 14:
        parts = [int(field[:4]), *(int(field[at : at + 2]) for at in range(4, 14, 2))]
        return utc_ms(*parts) if any(parts) else None
    return moment(int(field or 0))
