"""How many commands may wait for one device."""

from __future__ import annotations

from pathlib import Path

import pytest
from api_world import World

from waypost.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", api_rate=0, commands_waiting=3)


async def test_one_too_many(world: World) -> None:
    full, other = await world.register("One"), await world.register("Two")
    saved = {"name": "Version", "type": "hardware", "config": {"command": "getver"}}
    made = await world.call("tracker/command/create", tracker_id=full["id"], command=saved)
    send = {"tracker_id": full["id"], "command": "getver"}
    for _ in range(3):
        assert await world.code("tracker/raw_command/send", **send) == 0
    assert await world.code("tracker/raw_command/send", **send) == 268
    execute = {"tracker_id": full["id"], "command_id": made["id"]}
    assert await world.code("tracker/command/execute", **execute) == 268
    panel = {"device_id": full["source"]["device_id"], "command": "getver"}
    assert await world.code("panel/tracker/raw_command/send", **panel) == 268
    # Others go on, and so does this one once there is room.
    assert await world.code("tracker/raw_command/send", tracker_id=other["id"], command="x") == 0
    count = await world.call("tracker/command/unconfirmed/count", tracker_id=full["id"])
    assert count["count"] == 3
    await world.call("tracker/command/unconfirmed/reset", tracker_id=full["id"])
    assert await world.code("tracker/raw_command/send", **send) == 0
