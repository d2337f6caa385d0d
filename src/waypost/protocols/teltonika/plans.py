"""Readers of AVL records, compiled for one combination of elements each.

A device sends the same elements in record after record. For such a combination a
:class:`Plan` knows where everything lies: one comparison of masked bytes says how many records in a
row have it, one ``struct.Struct`` unpacks them, and one generated function makes the messages, to
the same result as :func:`~.records.read_record`. Combinations seen a few times get a plan; a table
keeps a bounded number of them. Records with elements of variable length have none.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from waypost.protocols.teltonika.avl import Element, Table
from waypost.protocols.teltonika.expressions import expression, guard
from waypost.protocols.teltonika.packing import ReadRows, compile_rows
from waypost.protocols.teltonika.records import LAYOUTS, Layout, known, network, note_event
from waypost.telemetry.message import Cell, Message
from waypost.telemetry.row import RowFormat

if TYPE_CHECKING:
    from waypost.protocols.teltonika.columns import Made

#: A combination is compiled when it is seen for this many-th time: compiling costs as much as
#: reading a hundred records.
COMPILE_AFTER = 16
#: Combinations kept, and counted, per table.
MOST_PLANS = 512
MOST_SEEN = 4096
#: Elements in a record that has a plan.
MOST_ELEMENTS = 200
#: Records compared in one go.
_RUN = 32

_HEAD = "Q x i i h H B H"
_FORMATS = {1: "Bb", 2: "Hh", 4: "Ii", 8: "Qq"}

#: Kinds that need what several elements say, in a way that is too rare to be compiled.
_UNPLANNED = frozenset(
    {"vin_part", "neighbour_lac", "neighbour_cell", "neighbour_signal", "neighbour_network"}
)

Shape = tuple[bytes, ...]


class Alike(NamedTuple):
    """Records of one packet, all of one plan, with what the rows say of the packet."""

    data: bytes
    source_id: int
    retention: int
    received: int


MakeBlocks = Callable[[Sequence[Alike]], "list[Made | None]"]
"""The rows of each of some packets; None where they must be made in another way. Unlike
``packing.ReadRows`` it does not know what is stored, nor the time: whoever asks looks at the
block's first and last time."""


class Plan:
    """How to read records of one combination of elements."""

    __slots__ = (
        "_bits",
        "_blocks",
        "_masks",
        "_rows",
        "_usual",
        "elements",
        "fixed",
        "mask",
        "read",
        "size",
        "unpack",
    )

    def __init__(
        self,
        mask: bytes,
        fixed: bytes,
        elements: list[tuple[int, int, Element]],
        unpack: struct.Struct,
    ) -> None:
        #: Bytes of a record; those that must be as in ``fixed`` are 255 in ``mask``.
        self.size = len(mask)
        self._bits = 8 * len(mask)
        self.mask = int.from_bytes(mask, "big")
        self.fixed = int.from_bytes(fixed, "big")
        ones = sum(1 << index * self._bits for index in range(_RUN))
        self._masks = (self.mask * ones, self.fixed * ones)
        #: The same for as many records as the last packet had.
        self._usual = (_RUN, *self._masks)
        self.elements, self.unpack = elements, unpack
        self.read: Callable[[bytes, list[Message]], None]
        self._rows: ReadRows | None = None
        self._blocks: dict[RowFormat, MakeBlocks] = {}

    def run(self, data: bytes, start: int, end: int, most: int) -> int:
        """How many of the records from ``start`` to ``end``, ``most`` at most, are of this
        combination (not more than a bounded number at a time)."""
        count = min(most, _RUN, (end - start) // self.size)
        if count <= 0:
            return 0
        if count == 1:
            mask, fixed = self.mask, self.fixed
        elif count == self._usual[0]:
            _, mask, fixed = self._usual
        else:
            surplus = (_RUN - count) * self._bits
            mask, fixed = self._masks[0] >> surplus, self._masks[1] >> surplus
            self._usual = count, mask, fixed
        found = int.from_bytes(data[start : start + count * self.size], "big") & mask
        if found == fixed:
            return count
        return count - 1 - ((found ^ fixed).bit_length() - 1) // self._bits

    @property
    def rows(self) -> ReadRows:
        """Makes rows of records; compiled for who asks first."""
        if self._rows is None:
            self._rows = compile_rows(self.elements, self.unpack)
        return self._rows

    def blocks(self, form: RowFormat) -> MakeBlocks:
        """Makes binary rows of many packets; likewise."""
        made = self._blocks.get(form)
        if made is None:
            from waypost.protocols.teltonika.columns import compile_blocks

            made = self._blocks[form] = compile_blocks(self.elements, self.unpack, form)
        return made


def shape_of(layout: Layout, data: bytes, start: int, end: int) -> Shape | None:
    """The ids of the record at ``start``, by size of the values; None where it can have no plan
    (it is cut short, or has elements of variable length)."""
    at = start + layout.head
    step, ids = layout.count, layout.ids
    shape = []
    for size in (1, 2, 4, 8):
        if at + step > end:
            return None
        count = int.from_bytes(data[at : at + step], "big")
        at += step
        width = ids + size
        if at + count * width > end:
            return None
        group = data[at : at + count * width]
        shape.append(group[0::width] if ids == 1 else group[0::width] + group[1::width])
        at += count * width
    if layout.variable and data[at : at + step] != bytes(step):
        return None
    return tuple(shape)


def find_plan(table: Table, codec: int, data: bytes, start: int, end: int) -> Plan | None:
    """The plan for the record at ``start``; None where it has none, or none yet."""
    shape = shape_of(LAYOUTS[codec], data, start, end)
    if shape is None:
        return None
    key = (codec, *shape)
    plan: Plan | None = table.plans.get(key)
    if plan is not None or key in table.plans:
        return plan
    times = table.seen.pop(key, 0) + 1
    if times < COMPILE_AFTER:
        if len(table.seen) >= MOST_SEEN:
            table.seen.clear()
        table.seen[key] = times
        return None
    if len(table.plans) >= MOST_PLANS:
        del table.plans[next(iter(table.plans))]
    plan = table.plans[key] = compile_plan(table, codec, shape)
    return plan


def _elements(table: Table, layout: Layout, shape: Shape) -> list[tuple[int, int, Element]]:
    """Id, size and meaning of the elements, in their order."""
    found = []
    for size, group in zip((1, 2, 4, 8), shape, strict=True):
        count = len(group) // layout.ids
        for index in range(count):
            avl_id = group[index] if layout.ids == 1 else group[index] << 8 | group[count + index]
            found.append((avl_id, size, table.element(avl_id, size)))
    return found


def compile_plan(table: Table, codec: int, shape: Shape) -> Plan | None:
    """The plan for records of ``shape``; None for one that only the careful way can read."""
    layout = LAYOUTS[codec]
    elements = _elements(table, layout, shape)
    ids = [avl_id for avl_id, _, _ in elements]
    if len(ids) > MOST_ELEMENTS or len(set(ids)) < len(ids):
        return None
    if any(element.kind in _UNPLANNED for _, _, element in elements):
        return None
    # The head and the total count may be anything; counts and ids must be these.
    mask, fixed = bytearray(layout.head), bytearray(layout.head)
    # Each part of the format is as long as the bytes it stands for.
    parts = [_HEAD, "B" if layout.event == 1 else "H", f"{layout.between + layout.count}x"]

    def literal(value: int, size: int) -> None:
        mask.extend(b"\xff" * size)
        fixed.extend(value.to_bytes(size, "big"))
        parts.append(f"{size}x")

    remaining = list(elements)
    for size, group in zip((1, 2, 4, 8), shape, strict=True):
        count = len(group) // layout.ids
        literal(count, layout.count)
        for avl_id, _, element in remaining[:count]:
            literal(avl_id, layout.ids)
            mask.extend(bytes(size))
            fixed.extend(bytes(size))
            parts.append(_FORMATS[size][element.signed])
        del remaining[:count]
    if layout.variable:
        literal(0, layout.count)
    unpack = struct.Struct(">" + " ".join(parts))
    if unpack.size != len(mask):
        raise AssertionError(f"format of {unpack.size} bytes for {len(mask)}")
    plan = Plan(bytes(mask), bytes(fixed), elements, unpack)
    namespace: dict[str, Any] = {
        "Cell": Cell,
        "Message": Message,
        "known": known,
        "network": network,
        "note_event": note_event,
        "plan": plan,
        "positions": {avl_id: index for index, avl_id in enumerate(ids)},
        "table": table,
        "unpack": unpack.iter_unpack,
    }
    # The source is made of numbers and of names in avl.toml, of nothing that a device sent.
    exec(_source(plan.size, elements), namespace)  # noqa: S102
    plan.read = namespace["read"]
    return plan


def _source(size: int, elements: list[tuple[int, int, Element]]) -> str:
    """The function that makes messages of a run of records."""
    body = _Body(elements)
    names = "".join(f", v{index}" for index in range(len(elements)))
    tail = "event, values, cells, None, False))"
    return f"""
def read(data, out):
    end = 0
    for time, lon, lat, alt, heading, sats, speed, cause{names} in unpack(data):
        start = end
        end += {size}
        values = {{{", ".join(body.items)}}}
{body.text()}
        event = None
        if cause:
            at = positions.get(cause)
            raw = None if at is None else ({"".join(f"v{n}, " for n in range(len(elements)))})[at]
            event = note_event(table, values, cause, raw)
        if (lat or lon) and -900000000 <= lat <= 900000000 and -1800000000 <= lon <= 1800000000:
            out.append(Message(
                time, data[start:end], None, lat / 10000000, lon / 10000000, alt, {body.speed},
                heading, sats, {body.hdop}, sats != 0, 0, None, {tail}
        else:
            out.append(Message(
                time, data[start:end], None, None, None, None, None, None,
                sats, {body.hdop}, False, 0, None, {tail}
"""


class _Body:
    """The statements that turn the raw values ``v0``, ``v1`` ... into ``values`` and ``cells``.

    What is always there goes into the dict's literal (``items``); what may be left out follows
    as statements.
    """

    def __init__(self, elements: list[tuple[int, int, Element]]) -> None:
        self.items: list[str] = []
        self.statements: list[str] = []
        self.hdop = "None"
        self.speed = "speed"
        lines: dict[str, list[str]] = {}
        lac: int | None = None
        cells: list[int] = []
        operator: int | None = None
        taken: set[str] = set()
        for index, (_, _, element) in enumerate(elements):
            raw, kind = f"v{index}", element.kind
            condition = guard(element, raw)
            if kind == "hdop":
                self.hdop = f"{raw} / 10"
            elif kind == "speed":
                self.speed = raw
            elif kind == "line":
                lines.setdefault(element.name, []).append(f"({1 << element.bit} if {raw} else 0)")
            elif kind == "lac":
                lac = index
            elif kind == "cell":
                cells.append(index)
            elif kind == "flags":
                for name, mask in element.flags.items():
                    self._add(taken, name, f"{raw} & {mask} != 0", condition)
            else:
                if kind == "operator":
                    operator = index
                self._add(taken, element.name, expression(element, raw), condition)
        for name, terms in lines.items():
            self.items.append(f"{name!r}: {' | '.join(terms)}")
        self._cells(elements, lac, cells, operator)

    def _add(self, taken: set[str], name: str, source: str, condition: str) -> None:
        # Of two elements with one name the later counts, if it has a value at all.
        if condition or name in taken:
            self.statements += [f"if {condition or True}:", f"    values[{name!r}] = {source}"]
        else:
            self.items.append(f"{name!r}: {source}")
        taken.add(name)

    def _cells(
        self,
        elements: list[tuple[int, int, Element]],
        lac: int | None,
        cells: list[int],
        operator: int | None,
    ) -> None:
        self.statements.append("cells = None")
        if lac is None or not cells:
            alone = cells if lac is None else [lac]
            self.items += [f"{elements[index][2].name!r}: v{index}" for index in alone]
            return
        code = "0" if operator is None else f"v{operator}"
        word = "if"
        for index in reversed(cells):
            self.statements += [
                f"{word} known(v{lac}) and known(v{index}):",
                f"    cells = [Cell(v{lac}, v{index}, *network({code}))]",
            ]
            word = "elif"

    def text(self) -> str:
        return "\n".join(" " * 8 + line for line in self.statements)
