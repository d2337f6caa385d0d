"""Every parameter of every action: there, of its type, within its bounds; and whatever comes in its
place is answered, never by a fault of ours."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from contract_samples import File, sample
from contract_stage import NOTHING, Stage
from parameter_values import edges, wrong_values
from specification import LENIENT, OWN_CODE, UNTAKEN, name_of

from waypost.api.action import load_actions
from waypost.api.dispatch import bound_actions
from waypost.catalog import actions as catalog
from waypost.catalog.actions import Param

ACTIONS = load_actions()
EVERY = sorted(ACTIONS)
DOCUMENTED = [key for key in EVERY if key[1] in catalog.all_actions(key[0])]  # type: ignore[arg-type]

#: Answers that say that something broke here.
FAULTS = {1, 6, 14}


def title(key: tuple[str, str]) -> str:
    return name_of(*key)


def documented(key: tuple[str, str]) -> list[Param]:
    api, path = key
    params = catalog.all_actions(api)[path].params  # type: ignore[index]
    return [
        param
        for param in params
        if param.name not in ("*", "hash") and (title(key), param.name) not in UNTAKEN
    ]


async def call(stage: Stage, key: tuple[str, str], arguments: dict[str, Any]) -> dict[str, Any]:
    """The reply to JSON; what cannot be sent so is left out."""
    clean = {name: value for name, value in arguments.items() if not isinstance(value, File)}
    who = "code" if bound_actions()[key].action.second_factor else key[0]
    return await stage.call(name_of(*key), who, **clean)


def named(reply: dict[str, Any]) -> set[str]:
    """The parameters that a reply calls wrong."""
    if reply["success"] or reply["status"]["code"] != 7:
        return set()
    return {error["parameter"].partition(".")[0].partition("[")[0] for error in reply["errors"]}


@pytest.mark.parametrize("key", DOCUMENTED, ids=title)
async def test_documented_parameters_are_there(furnished: Stage, key: tuple[str, str]) -> None:
    """Each is taken; one that is needed is missed by its name, one that is not is not."""
    have = {parameter.name for parameter in bound_actions()[key].signature.parameters}
    arguments = sample(title(key))
    for param in documented(key):
        assert param.name in have, param.name
        if param.required and (title(key), param.name) not in LENIENT:
            without = {name: value for name, value in arguments.items() if name != param.name}
            assert param.name in named(await call(furnished, key, without)), param.name


@pytest.mark.parametrize("key", DOCUMENTED, ids=title)
async def test_documented_bounds_hold_on_both_sides(furnished: Stage, key: tuple[str, str]) -> None:
    arguments = sample(title(key))
    for param in documented(key):
        within, beyond = edges(param)
        own_code = OWN_CODE.get((title(key), param.name))
        for value in beyond:
            reply = await call(furnished, key, {**arguments, param.name: value})
            if own_code is not None:
                assert reply["status"]["code"] in (7, own_code), param.name
            else:
                assert param.name in named(reply), (param.name, value, reply)
        for value in within:
            # Of a tracker that is not there, so that nothing happens where the call is right.
            sent = {**arguments, param.name: value}
            own = ACTIONS[key].tracker
            if own is not None and param.name != own.parameter:
                sent[own.parameter] = NOTHING
            assert param.name not in named(await call(furnished, key, sent)), (param.name, value)


@pytest.mark.parametrize("key", EVERY, ids=title)
async def test_what_is_wrong_is_named(furnished: Stage, key: tuple[str, str]) -> None:
    """A value of another type is refused by its parameter's name; none breaks anything."""
    arguments = sample(title(key))
    for parameter in bound_actions()[key].signature.parameters:
        for value, certain in wrong_values(parameter):
            reply = await call(furnished, key, {**arguments, parameter.name: value})
            answer = reply.get("status", {}).get("code", 0)
            assert answer not in FAULTS, (parameter.name, value)
            if certain:
                assert parameter.name in named(reply), (parameter.name, value, reply)


@pytest.mark.parametrize("key", EVERY, ids=title)
async def test_what_cannot_be_stored_breaks_nothing(furnished: Stage, key: tuple[str, str]) -> None:
    """NUL and halves of characters, in query, form and JSON; lists without end; deep nesting."""
    hash_ = furnished.hashes["panel" if key[0] == "panel" else "user"]
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    for parameter in bound_actions()[key].signature.parameters:
        reply = await call(furnished, key, {parameter.name: "a\0b"})
        assert reply["status"]["code"] in (5, 7, 4), parameter.name
        for value in (deep, list(range(2001)), {"a" * 1000: {"b": None}}, "x" * 100_000):
            reply = await call(furnished, key, {parameter.name: value})
            assert reply.get("status", {}).get("code") not in FAULTS, parameter.name
        for content in (
            b'{"hash":"%b","%b":"\\ud800"}' % (hash_.encode(), parameter.name.encode()),
            b'{"hash":"%b","%b":1e999}' % (hash_.encode(), parameter.name.encode()),
            b'{"hash":"%b","%b":"\xff"}' % (hash_.encode(), parameter.name.encode()),
            b"hash=%b&%b=%%00" % (hash_.encode(), parameter.name.encode()),
            b"hash=%b&%b=%%ff%%fe" % (hash_.encode(), parameter.name.encode()),
        ):
            made = await furnished.client.post(f"/v2/{title(key)}", content=content)
            answer = furnished.checked(made).get("status", {}).get("code", 0)
            assert answer not in FAULTS, (parameter.name, content)


@pytest.mark.parametrize("key", DOCUMENTED, ids=title)
def test_documented_types_are_those_taken(key: tuple[str, str]) -> None:
    """What the declaration takes is what the catalog says."""
    parameters = {one.name: one for one in bound_actions()[key].signature.parameters}
    for param in documented(key):
        schema = msgspec.json.schema(parameters[param.name].type)
        options = [one.get("type") for one in schema.get("anyOf", [schema])]
        kind = param.type.removesuffix("_array")
        if param.type.endswith("_array"):
            assert "array" in options, param.name
        elif kind in ("int", "float", "double", "boolean") and not parameters[param.name].moment:
            wanted = {"int": "integer", "boolean": "boolean"}.get(kind, "number")
            assert wanted in options, (param.name, options)
