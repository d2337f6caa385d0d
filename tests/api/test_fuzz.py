"""Nothing that fits the description, or hardly fits it, brings out a fault of ours.

The short form; ``WAYPOST_FUZZ_EXAMPLES`` says how many requests an action gets.
"""

from __future__ import annotations

import os
from typing import Any

import anyio
import httpx
import pytest
import requests
import schemathesis
from api_world import World
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from waypost.api.action import PANEL, load_actions
from waypost.api.openapi import url_of

EXAMPLES = int(os.environ.get("WAYPOST_FUZZ_EXAMPLES", "5"))

#: They would end the session that the others need.
ENDING = {"user/logout", "account/logout"}
#: Whole handlers, so that workers share the work.
HANDLERS = sorted({(api, path.partition("/")[0]) for api, path in load_actions()})


@pytest.mark.parametrize(("api", "handler"), HANDLERS)
async def test_generated_requests_are_answered_as_described(
    world: World, api: str, handler: str
) -> None:
    document = (await world.client.get("/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)
    for (its_api, path), action in load_actions().items():
        if its_api != api or path.partition("/")[0] != handler or path in ENDING:
            continue
        operation = schema[url_of(action)]["POST"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode)
            await anyio.to_thread.run_sync(_drive, world, api, document, strategy)


def _drive(world: World, api: str, document: dict[str, Any], strategy: Any) -> None:
    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Case) -> None:
        reply = anyio.from_thread.run(_send, world, api, case)
        if reply.status_code == 302:
            assert "302" in document["paths"][case.path]["post"]["responses"]
            return
        body = World.checked(reply)
        described = document["paths"][case.path]["post"]["responses"]
        assert str(reply.status_code) in described, (reply.status_code, body)
        assert reply.status_code < 500, body
        if not body["success"]:
            code = body["status"]["code"]
            texts = described[str(reply.status_code)]["description"].split("; ")
            assert code in [int(text.split()[0]) for text in texts], (case.path, code)

    check()


async def _send(world: World, api: str, case: Case) -> httpx.Response:
    arguments = case.as_transport_kwargs(base_url="http://waypost/v2")
    prepared = requests.Request(
        **{
            name: value
            for name, value in arguments.items()
            if name in ("method", "url", "headers", "params", "data", "json", "cookies")
        }
    ).prepare()
    headers = {
        name: value
        for name, value in prepared.headers.items()
        if name.lower() not in ("authorization", "content-length")
    }
    who = "panel" if api == PANEL else "user"
    headers["authorization"] = f"NVX {world.hashes[who]}"
    assert prepared.url is not None
    body = prepared.body
    return await world.client.request(
        "POST",
        prepared.url,
        headers={name: str(value).encode("utf-8", "replace") for name, value in headers.items()},
        content=body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body,
    )
