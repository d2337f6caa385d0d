"""The directory: which device is it that calls itself so, now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fleet_yard import Yard
from sqlalchemy import event

from waypost.fleet.directory import Directory
from waypost.fleet.settings import change_blocked

pytestmark = pytest.mark.anyio

IMEI = "356938035643809"


@pytest.fixture
async def directory(yard: Yard) -> AsyncIterator[Directory]:
    fleet = yard.fleet
    directory = await Directory.open(fleet.database, fleet.bus, fleet.settings)
    yield directory
    await directory.close()


@pytest.fixture
def queries(yard: Yard) -> list[str]:
    """The statements that ask for sources."""
    seen: list[str] = []

    @event.listens_for(yard.fleet.database.engine.sync_engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "FROM sources" in statement:
            seen.append(statement)

    return seen


async def test_a_registered_device_is_known_with_what_decodes_it(
    yard: Yard, directory: Directory
) -> None:
    row = await yard.register(IMEI)
    record = await directory.find([IMEI])
    assert record is not None
    assert (record.source_id, record.blocked, record.retention_days) == (row.source_id, False, 366)
    assert (record.device.device_id, record.device.model) == (IMEI, "telfmb120")
    assert await directory.find(["356938035643817"]) is None
    assert await directory.find([]) is None


async def test_an_imei_has_several_spellings(yard: Yard, directory: Directory) -> None:
    told = {
        "leading zero": "0356938035643809",
        "leading zeros": "000356938035643809",
        "without check digit": "35693803564380",
        "IMEISV": "3569380356438099",
    }
    for one in told.values():
        assert await directory.find([one]) is None
    row = await yard.register(IMEI)
    short = await yard.register("013226001424449")
    for name, one in told.items():
        record = await directory.find([one])
        assert record is not None, name
        assert record.source_id == row.source_id
        assert record.device.device_id == IMEI
    record = await directory.find(["13226001424449"])
    assert record is not None
    assert record.source_id == short.source_id


async def test_other_ids_are_compared_as_text(yard: Yard, directory: Directory) -> None:
    await yard.register("van-device", model="navixy_ngp")
    for told in ("van-Device", "VAN-DEVICE", " van-device", "van-device ", "van"):
        assert await directory.find([told]) is None
    assert await directory.find(["van-device"]) is not None


async def test_whatever_a_device_calls_itself_is_only_unknown(
    yard: Yard, directory: Directory
) -> None:
    await yard.register(IMEI)
    strange = ["", "\0", "\n", "x" * 1000, "%", "'; --", "ö", "\ud800", f"{IMEI}\0"]
    found = await asyncio.gather(*(directory.find([told]) for told in [*strange, IMEI]))
    assert [record is not None for record in found] == [False] * len(strange) + [True]


async def test_the_first_known_id_counts(yard: Yard, directory: Directory) -> None:
    first = await yard.register(IMEI)
    second = await yard.register("356938035643817")
    for ids in (["unknown-1", IMEI, "356938035643817"], [IMEI, "356938035643817"]):
        for _ in range(2):
            record = await directory.find(ids)
            assert record is not None
            assert record.source_id == first.source_id
    record = await directory.find(["356938035643817", IMEI])
    assert record is not None
    assert record.source_id == second.source_id


async def test_look_ups_of_one_moment_share_a_query_and_later_ones_need_none(
    yard: Yard, directory: Directory, queries: list[str]
) -> None:
    ids = [str(int(IMEI) + number) for number in range(300)]
    for one in ids[:3]:
        await yard.register(one)
    queries.clear()
    found = await asyncio.gather(*(directory.find([one]) for one in ids for _ in range(3)))
    assert sum(record is not None for record in found) == 9
    assert len(queries) == 1
    await asyncio.gather(*(directory.find([one]) for one in ids))
    assert len(queries) == 1


async def test_registering_is_heard_of_at_once(yard: Yard, directory: Directory) -> None:
    calls: list[str] = []
    stop = directory.watch_devices([f"0{IMEI}"], lambda: calls.append("registered"))
    assert await directory.find([f"0{IMEI}"]) is None
    await yard.register(IMEI)
    assert calls == ["registered"]
    assert await directory.find([f"0{IMEI}"]) is not None
    stop()
    stop()
    await yard.register("356938035643817")
    assert calls == ["registered"]


async def test_blocking_and_corrupting_are_heard_of_at_once(
    yard: Yard, directory: Directory
) -> None:
    row = await yard.register(IMEI)
    assert await directory.find([IMEI]) is not None
    calls: list[str] = []
    directory.watch_source(row.source_id, lambda: calls.append("changed"))
    async with yard.fleet.write() as write:
        await change_blocked(write, row, True)
    record = await directory.find([IMEI])
    assert record is not None
    assert record.blocked
    await yard.corrupt(row)
    assert calls == ["changed", "changed"]
    assert await directory.find([IMEI]) is None
    again = await yard.register(IMEI)
    record = await directory.find([IMEI])
    assert record is not None
    assert record.source_id == again.source_id != row.source_id


async def test_an_answer_that_was_overtaken_is_not_kept(yard: Yard, directory: Directory) -> None:
    """The device is registered while the question whether it is one is under way."""
    asked = asyncio.create_task(directory.find([IMEI]))
    await asyncio.sleep(0)
    await yard.register(IMEI)
    await asked
    assert await directory.find([IMEI]) is not None


async def test_a_database_that_is_away_is_said_to_all_who_ask_and_asked_again(
    yard: Yard, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await yard.register(IMEI)
    with monkeypatch.context() as patch:

        def away() -> Any:
            raise OSError("no route")

        patch.setattr(yard.fleet.database, "read", away)
        found = await asyncio.gather(
            *(directory.find([IMEI]) for _ in range(3)), return_exceptions=True
        )
        assert [type(one) for one in found] == [OSError] * 3
    assert await directory.find([IMEI]) is not None


async def test_one_who_gives_up_asking_takes_the_answer_from_nobody(
    yard: Yard, directory: Directory
) -> None:
    await yard.register(IMEI)
    one, other = (asyncio.create_task(directory.find([IMEI])) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    assert await other is not None
