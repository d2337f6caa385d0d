"""The client that is generated from the registry calls every action."""

from __future__ import annotations

import importlib.util
import keyword
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from contract_samples import COURIER, PASSWORD, VAN, File, sample
from contract_stage import NOTHING, Stage
from specification import name_of

from waypost.api.action import load_actions
from waypost.catalog import errors
from waypost.client import AsyncClient, Client, Page, Refused, Upload, types

ROOT = Path(__file__).parents[2]
GENERATED = ROOT / "src" / "waypost" / "client" / "_generated"
EVERY = sorted(load_actions())


def client_of(stage: Stage) -> AsyncClient:
    return AsyncClient(
        "http://waypost",
        hash=stage.hashes["user"],
        panel_hash=stage.hashes["panel"],
        transport=httpx.ASGITransport(stage.api),
    )


def method_of(client: AsyncClient, key: tuple[str, str]) -> Any:
    found: Any = client.panel if key[0] == "panel" else client
    for part in key[1].split("/"):
        found = getattr(found, f"{part}_" if keyword.iskeyword(part) else part)
    return found


def test_it_is_what_the_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("make_client", ROOT / "scripts/make_client.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    written = {file.name: file.read_text() for file in GENERATED.glob("*.py")}
    assert written == script.modules(), "run scripts/make_client.py"


@pytest.mark.parametrize("key", EVERY, ids=lambda key: name_of(*key))
async def test_it_understands_every_reply(furnished: Stage, key: tuple[str, str]) -> None:
    arguments = {
        f"{name}_" if keyword.iskeyword(name) else name: (
            Upload(value.name, value.content, value.type) if isinstance(value, File) else value
        )
        for name, value in sample(name_of(*key)).items()
    }
    async with client_of(furnished) as client:
        if load_actions()[key].second_factor:
            client.hash = furnished.hashes["code"]
        await method_of(client, key)(**arguments)


async def test_what_it_takes_and_gives_has_types(furnished: Stage) -> None:
    async with client_of(furnished) as client:
        bindings = [types.Binding(tag_id=2, ordinal=3)]
        assert await client.tracker.tags.set(tracker_id=COURIER, tag_bindings=bindings) is None
        (tracker,) = await client.tracker.list(labels=["Cour"])
        assert isinstance(tracker, types.TrackerObject)
        assert (tracker.tag_bindings[0].tag_id, tracker.tag_bindings[0].ordinal) == (2, 3)
        assert tracker.avatar_file_name is None
        page = await client.panel.tracker.list(limit=2)
        assert isinstance(page, Page)
        assert len(page.items) == 2
        assert page.count > 2
        states = await client.tracker.get_states(trackers=[COURIER, VAN])
        assert states.states[str(COURIER)].gps.location.lat == pytest.approx(42.82769)
        assert await client.tracker.get_last_gps_point(tracker_id=VAN) is None
        clone = await client.panel.tracker.clone(tracker_id=COURIER, label="Copy", user_id=2)
        assert isinstance(clone, int)


async def test_what_the_server_refuses_is_raised(furnished: Stage) -> None:
    async with client_of(furnished) as client:
        with pytest.raises(Refused, match="201 Not found in database") as missing:
            await client.tracker.read(tracker_id=NOTHING)
        assert (missing.value.code, missing.value.http) == (201, errors.error(201).http)
        with pytest.raises(Refused, match="labels") as wrong:
            await client.tracker.list(labels=[])
        assert wrong.value.code == 7
        assert wrong.value.extra["errors"][0]["parameter"] == "labels"
        client.hash = "0" * 32
        with pytest.raises(Refused) as stranger:
            await client.tracker.list()
        assert stranger.value.code == 4


async def test_it_logs_in(furnished: Stage) -> None:
    async with AsyncClient(
        "http://waypost", transport=httpx.ASGITransport(furnished.api)
    ) as client:
        with pytest.raises(Refused) as nobody:
            await client.tracker.list()
        assert nobody.value.code == 3
        assert await client.log_in("user@example.org", PASSWORD) == client.hash
        assert await client.tracker.list()
        assert await client.log_in_panel("1", PASSWORD) == client.panel_hash
        assert (await client.panel.tracker.read(tracker_id=COURIER)).label == "Courier"


async def test_programs_without_an_event_loop_use_it_too(furnished: Stage) -> None:
    class Bridge(httpx.BaseTransport):
        """From a thread to the stage."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            content = request.read()

            async def ask() -> httpx.Response:
                sent = httpx.Request(
                    request.method, request.url, headers=request.headers, content=content
                )
                return await furnished.client.send(sent)

            answer = anyio.from_thread.run(ask)
            return httpx.Response(answer.status_code, content=answer.content)

    def program() -> list[str]:
        with Client("http://waypost", transport=Bridge()) as client:
            client.log_in("user@example.org", PASSWORD)
            client.log_in_panel("1", PASSWORD)
            assert client.panel.user.read(user_id=1).value.login == "user@example.org"
            picture = Upload("van.png", b"\x89PNG\r\n\x1a\n" + b"picture", "image/png")
            name = client.tracker.avatar.upload(tracker_id=VAN, file=picture)
            assert client.tracker.read(tracker_id=VAN).avatar_file_name == name
            with pytest.raises(Refused):
                client.tracker.read(tracker_id=NOTHING)
            return [tracker.label for tracker in client.tracker.list()]

    assert "Courier" in await anyio.to_thread.run_sync(program)
