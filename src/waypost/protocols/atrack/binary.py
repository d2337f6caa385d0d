"""Position records in binary: one after the other, without a mark between them."""

from __future__ import annotations

import struct

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

_SHORT = struct.Struct(">IIIiiHBIHBHBH")
_DATE = struct.Struct(">HBBBBB")
_AFTER_DATES = struct.Struct(">iiHBIHBHBH")
_TEMPERATURES = struct.Struct(">hh")

#: A record without driver, text and custom columns, bytes.
SHORTEST = _SHORT.size + 1 + _TEMPERATURES.size + 1


def read_binary(data: bytes, at: int, setup: Setup) -> list[Message]:
    """The records of a binary report from ``at`` on. Raises :class:`ProtocolError`."""
    messages: list[Message] = []
    while len(data) - at >= SHORTEST:
        if messages and not any(data[at:]):  # padding
            break
        head, sent, end = _binary_head(data, at, setup)
        form = setup.form
        if data[end : end + 3] == b"%CI":
            form, end = _text_at(data, end)
        raw, end, history = _binary_columns(data, end, codes_of(form), setup)
        # Without the time of sending, and without the sign that it was buffered before: a copy
        # that is sent again is the same record.
        kept = [data[at : sent[0]], data[sent[1] : end]]
        if history is not None:
            kept[1:] = [data[sent[1] : history], data[history + 1 : end]]
        messages.append(message_of(head, raw, b"".join(kept), setup))
        at = end
    if not messages:
        raise ProtocolError(f"a report of {len(data)} bytes holds no record")
    return messages


def _binary_head(data: bytes, at: int, setup: Setup) -> tuple[Head, tuple[int, int], int]:
    """The fixed part that begins at ``at``, where its time of sending lies, and where it ends."""
    if setup.long_date or _is_long(data, at):
        dates = [_date(data, at + 7 * number) for number in range(3)]
        sent = at + 14, at + 21
        fields = _unpack(_AFTER_DATES, data, at + 21)
        end = at + 21 + _AFTER_DATES.size
    else:
        times = _unpack(_SHORT, data, at)
        dates = [moment(time) for time in times[:3]]
        sent = at + 8, at + 12
        fields = times[3:]
        end = at + _SHORT.size
    driver, end = _text_at(data, end)
    temperatures = _unpack(_TEMPERATURES, data, end)
    text, end = _text_at(data, end + _TEMPERATURES.size)
    longitude, latitude, heading, report_id, odometer, hdop, inputs, speed, outputs, analog = fields
    check_place(longitude, latitude)
    head = Head(
        fix_time=dates[0],
        device_time=dates[1],
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
        driver=driver,
        temperatures=(temperatures[0], temperatures[1]),
        text=text,
    )
    return head, sent, end


def _binary_columns(
    data: bytes, at: int, codes: list[str], setup: Setup
) -> tuple[dict[str, Raw], int, int | None]:
    """Custom columns from ``at`` on, where they end, and where the column DT lies. Where they do
    not fit (no table knows a column, or its width in this firmware), they end where the next record
    can begin, and what could not be read is kept as it came."""
    raw, end, history, left = _read_columns(data, at, codes)
    if not left and (not any(data[end:]) or _begins_record(data, end, setup)):
        return raw, end, history
    limit = _next_record(data, at, setup)
    if end > limit or (left and format_of(left[0]) is not None):
        return {"custom": data[at:limit].hex()}, limit, None
    if left:
        return raw | _around_unknown(data[end:limit], left), limit, history
    return raw | {"custom": data[end:limit].hex()}, limit, history


def _read_columns(
    data: bytes, at: int, codes: list[str]
) -> tuple[dict[str, Raw], int, int | None, list[str]]:
    """Columns up to the first that is unknown or does not fit, where they end, where DT lies, and
    the codes that are left."""
    raw: dict[str, Raw] = {}
    history = None
    for index, code in enumerate(codes):
        kind = format_of(code)
        if kind is None:
            return raw, at, history, codes[index:]
        try:
            raw[code], after = _value_at(data, at, kind)
        except ProtocolError:
            return raw, at, history, codes[index:]
        if code == "DT":
            history = at
        at = after
    return raw, at, history, []


def _around_unknown(data: bytes, codes: list[str]) -> dict[str, Raw]:
    """Columns of which the first is unknown and takes what the others leave; where they have no
    fixed width either, all of them as they came."""
    widths = [_width(format_of(code)) for code in codes[1:]]
    rest = len(data) - sum(width or 0 for width in widths)
    if None in widths or rest not in (1, 2, 4, 8):
        return {"custom": data.hex()}
    raw: dict[str, Raw] = {codes[0]: int.from_bytes(data[:rest], "big")}
    at = rest
    for code in codes[1:]:
        raw[code], at = _value_at(data, at, format_of(code) or "B")
    return raw


def _width(kind: str | None) -> int | None:
    if kind is None or kind == "s":
        return None
    return int(kind) if kind.isdigit() else struct.calcsize(kind)


def _value_at(data: bytes, at: int, kind: str) -> tuple[Raw, int]:
    if kind == "s":
        return _text_at(data, at)
    width = int(kind) if kind.isdigit() else struct.calcsize(kind)
    if at + width > len(data):
        raise ProtocolError("a report ends within a custom column")
    if kind.isdigit():
        return data[at : at + width], at + width
    signed = kind.islower()
    return int.from_bytes(data[at : at + width], "big", signed=signed), at + width


def _text_at(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at)
    if end < 0:
        raise ProtocolError("a text of a report does not end")
    return data[at:end].decode("utf-8", "replace").strip(END_OF_TEXT + " "), end + 1


def _unpack(layout: struct.Struct, data: bytes, at: int) -> tuple[int, ...]:
    if at + layout.size > len(data):
        raise ProtocolError("a report ends within a record")
    return layout.unpack_from(data, at)


def _is_long(data: bytes, at: int) -> bool:
    """Calendar fields, which as seconds would be a moment of 1974 to 1976."""
    if at + 7 > len(data):
        return False
    year, month, day, hour, minute, second = _unpack(_DATE, data, at)
    return (
        2000 <= year < 2100
        and 1 <= month <= 12
        and 1 <= day <= 31
        and hour < 24
        and minute < 60
        and second < 60
    )


def _date(data: bytes, at: int) -> int | None:
    fields = _unpack(_DATE, data, at)
    if not any(fields):
        return None
    try:
        return utc_ms(*fields)
    except ValueError:
        raise ProtocolError(f"no such time: {fields}") from None


def _begins_record(data: bytes, at: int, setup: Setup) -> bool:
    """Can a record lie here? Its times are of this century and its place is on Earth."""
    try:
        head, sent, _ = _binary_head(data, at, setup)
        sending = moment(int.from_bytes(data[sent[0] : sent[1]], "big"))
    except ProtocolError:
        return False
    long = sent[1] - sent[0] == 7
    return head.device_time is not None and head.heading <= 360 and (long or sending is not None)


def _next_record(data: bytes, at: int, setup: Setup) -> int:
    for start in range(at, len(data) - SHORTEST + 1):
        if _begins_record(data, start, setup):
            return start
    return len(data)
