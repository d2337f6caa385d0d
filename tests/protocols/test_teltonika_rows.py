"""Rows and states of packets are the same whether or not their messages are opened."""

from __future__ import annotations

import copy
import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teltonika_packets import IMEI, TIME, element_lists, record, records

from waypost.ingest.rows import Rows, packet_rows
from waypost.protocols.base import Device
from waypost.protocols.teltonika import Teltonika, columns, planned
from waypost.protocols.teltonika.avl import table_for
from waypost.protocols.teltonika.packing import MOST_PACKERS
from waypost.protocols.teltonika.plans import COMPILE_AFTER, find_plan
from waypost.telemetry.message import Message
from waypost.telemetry.records import Incoming, Records
from waypost.telemetry.row import COLUMNS, COPY, MSGPACK, Block, RowFormat
from waypost.telemetry.state import State, fold_packet

RECEIVED = TIME + 3_600_000
CONTENT = COLUMNS.index("content")

#: A tracker in a vehicle: what is guarded, texts, a cell, more than 15 values.
USUAL: dict[int, list[tuple[int, int]]] = {
    1: [(239, 1), (240, 1), (21, 3), (69, 1), (113, 97), (1, 1), (2, 0), (179, 1)],
    2: [
        (181, 12),
        (182, 8),
        (66, 13_800),
        (67, 4050),
        (9, 40),
        (206, 7021),
        (205, 5392),
        (25, -99),
    ],
    4: [(241, 24_602), (16, 61_383), (199, 12), (72, -55)],
    8: [(78, 0x01000B00791C1793)],
}


def decoded(frame: bytes, model: str | None, codec: int) -> Any:
    """The messages of a packet, by plans where its records can have them."""
    table, body = table_for(model, codec), frame[10:-5]
    for _ in range(COMPILE_AFTER):
        find_plan(table, codec, body, 0, len(body))
    return Teltonika().decode(frame, Device(IMEI, model)).messages


def comparable(rows: Rows) -> Any:
    """Rows, with content as whoever reads it sees it."""
    return [*map(shown, rows.fresh)], [*map(shown, rows.rest)], rows.untimed, rows.newest


def shown(row: tuple[Any, ...]) -> str:
    """The order in its content does not matter, types do."""
    content = row[CONTENT]
    read = None if content is None else sorted(msgspec.msgpack.decode(content).items())
    return repr((row[:CONTENT], read))


def unpacked(block: Block, form: RowFormat) -> list[tuple[Any, ...]]:
    """The rows of a block, as the specification of its format says."""
    if form is MSGPACK:
        return msgspec.msgpack.decode(
            b"\xdd" + block.count.to_bytes(4, "big") + block.data, type=list[tuple[Any, ...]]
        )
    # PostgreSQL manual, COPY, "Binary Format", "Tuples".
    rows, at, data = [], 0, block.data
    while at < len(data):
        assert int.from_bytes(data[at : at + 2], "big") == len(COLUMNS)
        at += 2
        row = []
        for name in COLUMNS:
            size = int.from_bytes(data[at : at + 4], "big", signed=True)
            at += 4
            if size < 0:
                row.append(None)
                continue
            field, at = data[at : at + size], at + size
            if name == "content":
                row.append(field)
            else:
                row.append(struct.unpack(f">{form.formats[name]}", field)[0])
        rows.append(tuple(row))
    return rows


def as_stored(row: tuple[Any, ...], form: RowFormat) -> tuple[Any, ...]:
    """A row with its numbers as the columns have them."""

    def stored(name: str, value: Any) -> Any:
        if value is None or name == "content":
            return value
        code = f">{form.formats[name]}"
        return struct.unpack(code, struct.pack(code, value))[0]

    return tuple(stored(name, value) for name, value in zip(COLUMNS, row, strict=True))


@pytest.fixture(autouse=True)
def arrays_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few the records are."""
    planned.load()
    monkeypatch.setattr(columns, "WORTH", 1)


def check_blocks(
    messages: Any, rows: Rows, received: int, newest: int, others: Sequence[Any] = ()
) -> None:
    """In binary the rows are the same, made together with those of ``others``."""
    for form in (COPY, MSGPACK):
        if isinstance(messages, Records):
            group = [
                Incoming(one, 8, 30, received + 1) for one in others if isinstance(one, Records)
            ]
            group.insert(len(group) // 2, Incoming(messages, 7, 366, received))
            messages.make_blocks(group, form)
        binary = packet_rows(messages, 7, 366, received, newest)
        assert binary.newest == rows.newest
        if binary.block is None:
            assert comparable(binary) == comparable(rows)
            return
        block = binary.block
        assert [*binary.fresh, *binary.rest, *binary.untimed, *rows.rest, *rows.untimed] == []
        assert (block.count, block.retention) == (len(rows.fresh), 366)
        assert (block.first, block.last) == (rows.fresh[0][1], rows.fresh[-1][1])
        expected = [shown(as_stored(row, form)) for row in rows.fresh]
        assert [*map(shown, unpacked(block, form))] == expected


def usual(raws: dict[int, int] | None = None, **head: int) -> bytes:
    """A record of the usual tracker, with other raw values for some elements."""
    raws = raws or {}
    elements = {
        size: [(avl_id, raws.get(avl_id, raw)) for avl_id, raw in group]
        for size, group in USUAL.items()
    }
    return record(elements, **head)


def rows_and_state(
    messages: Any, state: State, received: int = RECEIVED, newest: int = -1
) -> tuple[Any, State]:
    rows = packet_rows(messages, 7, 366, received, newest)
    fold_packet(state, messages, received)
    return comparable(rows), state


def check(frame: bytes, model: str | None = "FMB120") -> Records:
    """Both ways give the same; the messages were not opened for it."""
    messages = decoded(frame, model, 0x8E)
    plain = list(decoded(frame, model, 0x8E))
    assert rows_and_state(messages, State()) == rows_and_state(plain, State())
    rows = packet_rows(messages, 7, 366, RECEIVED, -1)
    others = [decoded(records(usual(), usual()), model, 0x8E) for _ in range(2)]
    check_blocks(decoded(frame, model, 0x8E), rows, RECEIVED, -1, others)
    assert isinstance(messages, Records)
    return messages


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_packets(data: st.DataObject) -> None:
    codec = data.draw(st.sampled_from([0x08, 0x8E, 0x10]))
    model = data.draw(st.sampled_from([None, "FMB120", "FMB640", "FM1100", "TMT250"]))
    some = data.draw(element_lists(255 if codec == 8 else 65_535))
    elements = {size: some[size] + data.draw(_known(size, some[size])) for size in some}
    state, plain_state = State(), State()
    moment = TIME
    frames: list[bytes] = []
    for _ in range(data.draw(st.integers(1, 3))):
        parts = []
        odd = data.draw(st.booleans())
        for _ in range(data.draw(st.integers(1, 6))):
            changed = {
                size: [
                    (avl_id, data.draw(st.just(raw) | st.just(0) | st.integers(0, 256**size - 1)))
                    for avl_id, raw in group
                ]
                for size, group in elements.items()
            }
            moment += data.draw(
                st.sampled_from([1000] * 9 + [0, -5000, 2**63] if odd else [1, 1000])
            )
            parts.append(
                record(
                    changed if data.draw(st.booleans()) else elements,
                    codec=codec,
                    time=moment % 2**64,
                    latitude=data.draw(st.sampled_from([546_900_000] * 5 + [0, -900_000_001])),
                    longitude=data.draw(st.sampled_from([-252_600_000] * 5 + [0, 1_800_000_001])),
                    heading=data.draw(st.sampled_from([0, 359, 720, 721] if odd else [0, 720])),
                    satellites=data.draw(st.sampled_from([9, 5, 255, 0])),
                    speed=data.draw(st.sampled_from([0, 1, 2, 3, 4, 90, 65_535])),
                    event=data.draw(st.sampled_from([0] * 9 + [239] if odd else [0])),
                )
            )
            if moment > TIME + 2**62:
                moment -= 2**63
        frame = records(*parts, codec=codec)
        frames.append(frame)
        messages, plain = decoded(frame, model, codec), list(decoded(frame, model, codec))
        together = decoded(frame, model, codec)
        newest = state.newest if state.newest is not None else -1
        # Taken once, and once more after a commit that failed, when other points may be stored.
        before = copy.deepcopy(state), copy.deepcopy(plain_state)
        received = moment + data.draw(st.sampled_from([0, 0, -599_000, -601_000]))
        for again in (newest, data.draw(st.integers(newest, newest + 3000)), newest):
            state, plain_state = copy.deepcopy(before)
            rows = packet_rows(messages, 7, 366, received, again)
            others = [decoded(other, model, codec) for other in frames]
            check_blocks(together, rows, received, again, others)
            plain_rows = packet_rows(plain, 7, 366, received, again)
            assert comparable(rows) == comparable(plain_rows)
            state.newest = plain_state.newest = max(rows.newest, -1)
            fold_packet(state, messages, received)
            fold_packet(plain_state, plain, received)
            assert state == plain_state
        assert messages == plain


def _known(size: int, but: list[tuple[int, int]]) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Some elements of the usual tracker."""
    known = [item for item in USUAL[size] if item[1] >= 0]
    taken = {avl_id for avl_id, _ in but}
    known = [item for item in known if item[0] not in taken]
    if not known:
        return st.just([])
    return st.lists(st.sampled_from(known), unique_by=lambda item: item[0], max_size=8)


def test_usual_packets_are_not_opened() -> None:
    parts = [
        usual(
            {239: n > 3, 240: n > 5, 16: n, 66: 12_000 + n},
            time=TIME + 1000 * n,
            speed=(0, 2, 40)[n // 7],
            satellites=0 if n in (4, 15) else 9,
        )
        for n in range(20)
    ]
    messages = check(records(*parts))
    assert not messages.opened
    steps = messages.steps(RECEIVED)
    assert steps is not None
    assert 2 < len(steps) < 20
    # Many more than a plan compares at a time.
    parts = [usual(time=TIME + 1000 * n) for n in range(200)]
    assert not check(records(*parts)).opened


@pytest.mark.parametrize("at", [0, 2, 4])
@pytest.mark.parametrize(
    "odd",
    [
        {"heading": 720},
        {"heading": 721},
        {"latitude": 900_000_001},
        {"latitude": 0, "longitude": 0},
        {"satellites": 0},
        {"speed": 2},
        {"event": 239},
        {"time": TIME - 5},
        {"time": TIME + 1000},
        {"time": RECEIVED + 600_001},
        {"time": 2**64 - 1},
    ],
    ids=repr,
)
def test_one_odd_record(odd: dict[str, int], at: int) -> None:
    parts = [
        usual(**({"time": TIME + 1000 * n, "speed": 0} | (odd if n == at else {})))
        for n in range(5)
    ]
    check(records(*parts))


@pytest.mark.parametrize("changed", [{239: 0}, {240: 0}, {21: 31}, {205: 0}, {16: 2**32 - 1}])
@pytest.mark.parametrize("speed", [0, 2, 3])
def test_a_value_changes_for_a_while(changed: dict[int, int], speed: int) -> None:
    parts = [
        usual(changed if 3 < n < 8 else {}, time=TIME + 1000 * n, speed=speed) for n in range(12)
    ]
    check(records(*parts))


def test_what_may_be_left_out_is_left_out() -> None:
    absent = {21: 31, 113: 255, 241: 0, 78: 0, 205: 0, 25: 32_767}
    parts = [usual(absent, time=TIME + 1000 * n) for n in range(3)]
    assert not check(records(*parts)).opened
    # Where records differ in what they have, the rows still need no message.
    parts += [usual(time=TIME + 60_000)]
    rows = packet_rows(decoded(records(*parts), "FMB120", 0x8E), 7, 366, RECEIVED, -1)
    assert [len(msgspec.msgpack.decode(row[CONTENT])) for row in rows.fresh] == [12, 12, 12, 18]


def test_nothing_at_all() -> None:
    parts = [record(time=TIME + n) for n in range(3)]
    messages = check(records(*parts))
    assert not messages.opened
    rows = packet_rows(messages, 7, 366, RECEIVED, -1)
    assert [row[CONTENT] for row in rows.fresh] == [None] * 3


def test_more_sets_of_values_than_a_plan_knows() -> None:
    guarded = [72, 73, 74, 75, 25, 26, 27]
    for number in range(2 * MOST_PACKERS):
        elements = {
            2: [(avl_id, 32_767 if number >> n & 1 else n) for n, avl_id in enumerate(guarded)]
        }
        check(records(*(record(elements, time=TIME + n) for n in range(2))))


def test_who_changes_a_message_changes_what_is_stored() -> None:
    frame = records(*(usual(time=TIME + n) for n in range(3)))
    messages = decoded(frame, "FMB120", 0x8E)
    packet_rows(messages, 7, 366, RECEIVED, -1)
    messages[1].values["note"] = "x"
    rows = packet_rows(messages, 7, 366, RECEIVED, -1)
    assert msgspec.msgpack.decode(rows.fresh[1][CONTENT])["note"] == "x"
    state, plain = State(), State()
    fold_packet(state, messages, RECEIVED)
    fold_packet(plain, list(messages), RECEIVED)
    assert state == plain


def test_they_are_a_sequence_of_messages() -> None:
    parts = [usual(time=TIME + n) for n in range(3)]
    messages = decoded(records(*parts), "FMB120", 0x8E)
    assert len(messages) == 3
    assert [message.time for message in messages] == [TIME, TIME + 1, TIME + 2]
    assert messages[-1] is messages[2]
    assert [message.digest_of for message in messages[:2]] == parts[:2]
    assert all(isinstance(message, Message) for message in messages)
    assert messages == list(messages) == decoded(records(*parts), "FMB120", 0x8E)
    assert messages != []
