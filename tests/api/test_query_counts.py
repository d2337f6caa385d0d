"""The cost of a call does not grow with how much there is: as many statements for many as for
few."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from api_world import World
from fleet_steps import connect
from sqlalchemy import event, update
from test_rules_vehicles import make_rule, make_vehicle

from waypost.store.tables import tariffs

pytestmark = pytest.mark.anyio


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that the database gets meanwhile."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    engine = world.services.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def furnish(world: World, start: int, end: int) -> list[int]:
    """More trackers, each with a rule, a vehicle and a command."""
    ids = []
    for number in range(start, end):
        made = await world.register(f"tracker {number}")
        await connect(world, made)
        ids.append(made["id"])
        await make_rule(world, trackers=[made["id"]])
        await make_vehicle(world, tracker_id=made["id"])
        command = {"name": "x", "type": "hardware", "config": {"command": "reset"}}
        await world.call("tracker/command/create", tracker_id=made["id"], command=command)
    return ids


async def test_as_many_statements_for_many_as_for_few(world: World) -> None:
    async with world.services.database.begin() as connection:
        await connection.execute(update(tariffs).values(features=["statuses"]))

    async def cost(path: str, **params: Any) -> tuple[int, dict[str, Any]]:
        with counted(world) as seen:
            reply = await world.call(path, **params)
        assert reply["success"], reply
        return len(seen), reply

    async def costs(ids: list[int]) -> dict[str, int]:
        await world.call("tracker/list")  # the account's trackers are in memory from here on
        await world.call("panel/account/get_permissions")  # and so is the session
        user = {"user_id": world.ids["stranger"]}
        found = {
            path: (await cost(path, **params))[0]
            for path, params in (
                ("tracker/rule/list", {}),
                ("vehicle/list", {}),
                ("tracker/batch_get_commands", {}),
                ("status/tracker/list", {"trackers": ids}),
                ("panel/tracker/active/history/list", {"from": "2024-03", "to": "2024-03"}),
            )
        }
        path = "panel/tracker/batch_clone"
        found[path], reply = await cost(path, tracker_ids=ids, **user)
        path = "panel/tracker/batch_delete_clones"
        found[path], reply = await cost(path, trackers=reply["list"])
        assert reply["deleted_count"] == len(ids)
        return found

    ids = await furnish(world, 0, 2)
    few = await costs(ids)
    ids += await furnish(world, 2, 12)
    assert await costs(ids) == few


async def test_strangers_cost_nothing(world: World) -> None:
    """One tracker's calls take as many statements, however many others there are."""

    async def costs(made: dict[str, Any]) -> list[int]:
        ids = {"tracker_id": made["id"]}
        found = []
        for path, params in (
            ("tracker/settings/tracking/read", ids),
            ("tracker/change_phone", {**ids, "phone": f"61566800{made['id']:02}"}),
            ("panel/tracker/console/connect", ids),
            ("panel/tracker/move", {**ids, "user_id": world.ids["stranger"]}),
            ("panel/tracker/corrupt", ids),
        ):
            await world.call("tracker/list")
            await world.call("panel/account/get_permissions")
            with counted(world) as seen:
                reply = await world.call(path, **params)
            assert reply["success"], reply
            found.append(len(seen))
        return found

    first, second = [await world.register(name) for name in ("first", "second")]
    alone = await costs(first)
    await furnish(world, 0, 8)
    for number in range(8):
        await world.register(f"theirs {number}", "stranger")
    assert await costs(second) == alone
