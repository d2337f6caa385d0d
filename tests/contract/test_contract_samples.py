"""A call that works does so alike in every form of request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contract_samples import File, sample
from contract_stage import Stage, Theatre
from specification import name_of

from waypost.api.action import load_actions
from waypost.api.dispatch import bound_actions

ACTIONS = load_actions()
EVERY = sorted(ACTIONS)


def title(key: tuple[str, str]) -> str:
    return name_of(*key)


def caller(stage: Stage, key: tuple[str, str]) -> str | None:
    if ACTIONS[key].public:
        return None
    if ACTIONS[key].second_factor:
        return stage.hashes["code"]
    return stage.hashes["panel" if key[0] == "panel" else "user"]


def shape(value: Any) -> Any:
    """The keys and types of a JSON value; whole and broken numbers are numbers."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return "number" if type(value) in (int, float) else type(value).__name__


def in_text(value: Any) -> str:
    """A value as queries and forms have it."""
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(
    "key",
    [key for key in EVERY if not any(isinstance(one, File) for one in sample(title(key)).values())],
    ids=title,
)
async def test_the_call_works_alike_in_every_form(
    furnished_theatre: Theatre, tmp_path: Any, key: tuple[str, str]
) -> None:
    """As native JSON, as JSON with texts, as a form, as a query with the hash in a header, and with
    null for what is optional."""
    arguments = sample(title(key))
    texts = {name: in_text(value) for name, value in arguments.items()}
    optional = {
        parameter.name: "null"
        for parameter in bound_actions()[key].signature.parameters
        if not parameter.required and parameter.name not in arguments and not parameter.keep_empty
    }
    url = f"/v2/{title(key)}"
    shapes = []
    forms: list[dict[str, Any]] = [
        {"json": arguments},
        {"json": {**texts, **dict.fromkeys(optional, None)}},
        {"data": {**texts, **optional}},
        {"params": {**texts, **dict.fromkeys(optional, "")}},
    ]
    for number, form in enumerate(forms):
        async with furnished_theatre.stage(tmp_path / str(number)) as stage:
            hash_ = caller(stage, key)
            headers = {} if hash_ is None else {"authorization": f"NVX {hash_}"}
            method = "GET" if "params" in form else "POST"
            reply = await stage.client.request(method, url + "/", headers=headers, **form)
            assert stage.checked(reply)["success"], (form, reply.text)
            shapes.append(shape(reply.json()))
    assert all(one == shapes[0] for one in shapes[1:])
