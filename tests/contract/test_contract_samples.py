"""Every action has a call that works, and works alike in every form of request."""

from __future__ import annotations

import pytest
from contract_samples import File, sample
from contract_stage import Stage
from specification import name_of

from waypost.api.action import load_actions

ACTIONS = load_actions()
EVERY = sorted(ACTIONS)


def title(key: tuple[str, str]) -> str:
    return name_of(*key)


def caller(stage: Stage, key: tuple[str, str]) -> str | None:
    if ACTIONS[key].public:
        return None
    return stage.hashes["panel" if key[0] == "panel" else "user"]


@pytest.mark.parametrize("key", EVERY, ids=title)
async def test_the_sample_call_works(furnished: Stage, key: tuple[str, str]) -> None:
    arguments = sample(title(key))
    files = {
        name: (value.name, value.content, value.type)
        for name, value in arguments.items()
        if isinstance(value, File)
    }
    texts = {name: value for name, value in arguments.items() if name not in files}
    if (hash_ := caller(furnished, key)) is not None:
        texts["hash"] = hash_
    url = f"/v2/{title(key)}"
    if files:
        reply = await furnished.client.post(url, data=texts, files=files)
    else:
        reply = await furnished.client.post(url, json=texts)
    assert furnished.checked(reply)["success"], reply.text
