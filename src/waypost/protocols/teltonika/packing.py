"""Rows straight from the bytes of records that have a plan, without messages between.

A generated function per plan unpacks the records and makes the tuples that the points stores keep.
The content, MessagePack of the values, is one ``struct`` per set of values that are there (a guard
such as "at most 5" may leave some out); texts and cells follow from small caches. Whatever is
unusual (an event, a time that does not rise, an impossible heading) is left to the messages.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any

from xxhash import xxh3_64_intdigest

from waypost.protocols.teltonika.content import Content, Elements
from waypost.telemetry.motion import MIN_SPEED
from waypost.telemetry.row import COLUMNS, Row

#: Sets of present values that a plan knows; records with further ones are read as messages.
MOST_PACKERS = 32

Bend = int
"""An index of a run's records: ignition or movement is another one from there on."""

ReadRows = Callable[
    [bytes, int, int, int, int, int, list[Row], list[Bend]], tuple[int, int | None] | None
]
"""``rows(data, source_id, retention, received, newest, limit, out, bends)`` puts the rows of the
records in ``data`` into ``out``, and into ``bends`` those from which ignition, motion, validity or
speed (as far as movement is concerned) is another. Gives back the newest time and the set of values
(None: not all have the same); None where messages must be made."""


def _no_content(*_: Any) -> None:
    return None


class _Packers:
    """Compiled packers of a plan's values, by the set of those that are there."""

    def __init__(self, content: Content, arguments: str) -> None:
        self._content, self._arguments = content, arguments
        self._made: dict[int, Callable[..., bytes | None]] = {}

    @property
    def mask(self) -> str:
        """The set of values that are there, as an expression."""
        conditions = enumerate(self._content.conditions)
        return " | ".join(f"({1 << bit} if {test} else 0)" for bit, test in conditions) or "0"

    def get(self, mask: int) -> Callable[..., bytes | None] | None:
        """What packs the head of the map and all of its values but texts and cells; None: too
        many sets have been seen."""
        made = self._made.get(mask)
        if made is None and len(self._made) < MOST_PACKERS:
            fields = self._content.fields(mask)
            made = self._made[mask] = fields.function(self._arguments) if fields else _no_content
        return made


def compile_rows(elements: Elements, unpack: struct.Struct) -> ReadRows:
    """The function that makes rows of records with ``elements``, which ``unpack`` unpacks."""
    content = Content(elements)
    if content.unusual:
        return _no_rows
    arguments = ", ".join(f"v{index}" for index in range(len(elements)))
    packers = _Packers(content, arguments)
    namespace: dict[str, Any] = {
        "digest": xxh3_64_intdigest,
        "packer": packers.get,
        "unpack": unpack.iter_unpack,
    }
    namespace |= {f"tail{n}": make for n, (_, _, make) in enumerate(content.tails)}
    # The source is made of numbers and of names in avl.toml, of nothing that a device sent.
    exec(_source(content, arguments, packers.mask, unpack.size), namespace)  # noqa: S102
    rows: ReadRows = namespace["rows"]
    return rows


def _no_rows(*_: Any) -> None:
    return None


def _source(content: Content, arguments: str, mask: str, size: int) -> str:
    on, moving = (content.switches.get(name) for name in ("ignition", "is_moving"))
    pace = f"{content.speed} if {content.speed} < {MIN_SPEED} else {MIN_SPEED}"
    changed = "pace != now" + (f" or on != {on}" if on else "")
    changed += f" or moving != {moving}" if moving else ""
    names = f", {arguments}" if arguments else ""
    tails = [(f"t{n}", f"tail{n}({given})") for n, (_, given, _) in enumerate(content.tails)]
    # As ``ingest.rows`` identifies a message.
    columns = content.always | {"digest": "digest(data[start:end]) >> 1", "content": "content"}
    always, located = (
        ", ".join(there.get(name, "None") for name in COLUMNS)
        for there in (columns, columns | content.located)
    )
    return f"""
def rows(data, source_id, retention, received, newest, limit, out, bends):
    end = 0
    kind = pace = on = moving = None
    mixed = False
    for time, lon, lat, alt, heading, sats, speed, cause{names} in unpack(data):
        if cause or not newest < time <= limit or heading > 720:
            return None
        newest = time
        start = end
        end += {size}
{_lines(8, (f"{name} = {source}" for name, source in tails))}
        mask = {mask}
        if mask != kind:
            pack = packer(mask)
            if pack is None:
                return None
            mixed = mixed or kind is not None
            kind = mask
        content = pack({arguments})
{_lines(8, (f"if {name}: content += {name}" for name, _ in tails))}
        if (lat or lon) and -900000000 <= lat <= 900000000 and -1800000000 <= lon <= 1800000000:
            now = ({pace}) if sats else -1
            out.append(({located}))
        else:
            now = -1
            out.append(({always}))
        if {changed}:
            pace, on, moving = now, {on}, {moving}
            bends.append(start // {size})
    return newest, None if mixed else kind
"""


def _lines(indent: int, statements: Iterable[str]) -> str:
    return "\n".join(" " * indent + statement for statement in statements)
