"""Every example of the specification, sent as printed, and its reply compared field by field.

``examples/`` has them in a form of our own: ``requests`` as they are printed (``text``; where that
cannot have the printed reply, what was ``meant``, and the code that it ``answers`` as printed), the
printed values that tests put others in place of (``names``), ``reply``, and ``refusals``.
``user_tracker_page`` has what the older page prints otherwise: empty names of access points, and
those in queries too; what a device has in ``additional`` is left out, as it is the model's.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from contract_stage import Stage
from example_worlds import MAKERS
from scenarios import all_scenarios
from specification import SPECIFIED

from waypost.catalog import actions

FOLDER = Path(__file__).parent / "examples"

#: Fields that replies have and neither a printed reply nor the API's objects, and where they come
#: from.
NEWER = {
    "owner_name": "clients read it in the panel",
    "factory_preset": "a bundle is shown as it was imported",
    "sim_card": "clients read it in the panel",
    "panel/tracker/move.id": "clients read it",
    "tracker/list_models.list.instructions": "what the platform can tell such a device",
    "tracker/list_models.list.protocol": "which protocol reads such a device, if any does",
}

#: Printed fields that cannot be in the reply to this call, and why.
ABSENT = {
    "tracker/register_quick.value.avatar_file_name": "a new tracker has no picture yet",
    "tracker/register_quick.value.tag_bindings": "a new tracker has no tags yet",
    "tracker/register_quick.value.source.phone": "of a bundled SIM card, which users do not see",
    "tracker/replace_quick.value.source.phone": "of a bundled SIM card, which users do not see",
}

#: Printed with another type than the one that the pages' text gives, which holds.
TYPES = {
    "source.device_id": str,  # a number in list examples, a string everywhere else
    "hardware_key.value": str,  # a number in one example, a string in the other
}

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Request(msgspec.Struct, forbid_unknown_fields=True):
    form: str
    #: As printed: a JSON body, or a query.
    text: str = ""
    #: A body that cannot have the printed reply, as its author will have meant it, and what it
    #: answers as it is printed.
    meant: str | None = None
    answers: int = 0
    #: Where nothing is printed: names of values, or values.
    parameters: dict[str, Any] = {}


class Example(msgspec.Struct, forbid_unknown_fields=True):
    action: str
    requests: list[Request]
    reply: dict[str, Any]
    names: dict[str, str] = {}
    refusals: list[dict[str, Any]] = []


EXAMPLES = [
    example
    for file in sorted(FOLDER.glob("*.json"))
    for example in msgspec.json.decode(file.read_bytes(), type=list[Example])
]
REQUESTS = [(example, request) for example in EXAMPLES for request in example.requests]
REFUSALS = [(example, refusal) for example in EXAMPLES for refusal in example.refusals]


def title(value: Any) -> str:
    return value.action if isinstance(value, Example) else getattr(value, "form", "")


async def send(stage: Stage, action: str, form: str, text: str) -> dict[str, Any]:
    if form == "query":
        reply = await stage.client.get(f"/v2/{action}?{text}")
    else:
        headers = {"content-type": "application/json"}
        reply = await stage.client.post(f"/v2/{action}", content=text, headers=headers)
    return stage.checked(reply)


async def filled_in(stage: Stage, example: Example, text: str) -> str:
    """A printed request with the stage's values in place of the printed ones."""
    values = {"hash": stage.hashes["user"], **await MAKERS[example.action](stage)}
    for printed, name in example.names.items():
        assert printed in text or text == "", printed
        text = text.replace(printed, str(values[name]))
    return text


@pytest.mark.parametrize(("example", "request_"), REQUESTS, ids=title)
async def test_a_printed_call_gets_the_printed_reply(
    stage: Stage, example: Example, request_: Request
) -> None:
    if example.action.startswith("panel/"):
        values = await MAKERS[example.action](stage)
        parameters = {
            name: values.get(value, value) if isinstance(value, str) else value
            for name, value in request_.parameters.items()
        }
        text = json.dumps({"hash": stage.hashes["panel"], **parameters})
    else:
        text = await filled_in(stage, example, request_.meant or request_.text)
    reply = await send(stage, example.action, request_.form, text)
    compare(example.reply, reply, example.action)


@pytest.mark.parametrize(
    ("example", "request_"),
    [(example, request) for example, request in REQUESTS if request.meant is not None],
    ids=title,
)
async def test_what_cannot_have_been_meant_is_refused(
    stage: Stage, example: Example, request_: Request
) -> None:
    text = await filled_in(stage, example, request_.text)
    reply = await send(stage, example.action, request_.form, text)
    assert reply["status"]["code"] == request_.answers


@pytest.mark.parametrize(("example", "refusal"), REFUSALS, ids=title)
async def test_a_refusal_is_the_printed_one(
    stage: Stage, example: Example, refusal: dict[str, Any]
) -> None:
    """One of the scenarios of this code answers exactly so."""
    code = refusal["status"]["code"]
    keys = set(refusal)
    for one in all_scenarios():
        if (one.action, one.code) == (example.action, code):
            reply = await one.play(stage)
            if set(reply) == keys:
                compare(refusal, reply, example.action)
                assert reply["status"] == refusal["status"]
                if code == 7:
                    assert reply["errors"] == refusal["errors"]
                return
    raise AssertionError(f"no scenario answers {keys}")


def test_there_is_an_example_of_every_action() -> None:
    assert {example.action for example in EXAMPLES} == set(SPECIFIED)


def fields_of(shape: dict[str, Any]) -> set[str]:
    """The names of an object's fields, inner ones too."""
    inner = [fields_of(kind) for kind in shape.values() if isinstance(kind, dict)]
    return set(shape).union(*inner)


#: Every field that an object of the API has.
KNOWN = set().union(*map(fields_of, actions.objects().values()))


def compare(printed: Any, real: Any, place: str) -> None:
    """Everything printed is there, of the same type; what is more is documented or newer."""
    if place in ABSENT:
        assert not real, place
    elif isinstance(printed, str) and printed.startswith("<"):
        compare_object(printed.strip("<>"), real)
    elif isinstance(printed, dict):
        compare_fields(printed, real, place)
    elif isinstance(printed, list):
        assert isinstance(real, list), place
        assert bool(printed) <= bool(real), f"{place} is empty"
        for one in real:
            if printed and (not place.endswith("models.list") or one["code"] == printed[0]["code"]):
                compare(printed[0], one, place)
    elif printed is not None:
        compare_value(printed, real, place)


def compare_fields(printed: dict[str, Any], real: Any, place: str) -> None:
    assert isinstance(real, dict), place
    if printed and all(key.isdigit() for key in printed):  # a map by tracker ids
        assert real
        for value in real.values():
            compare(next(iter(printed.values())), value, f"{place}.*")
        return
    missing = {key for key in set(printed) - set(real) if f"{place}.{key}" not in ABSENT}
    assert not missing, f"{place}: {missing} missing"
    if printed:
        for key in set(real) - set(printed) - KNOWN - set(NEWER):
            assert f"{place}.{key}" in NEWER, f"{place}.{key} is not documented"
    for key, value in printed.items():
        if key in real:
            compare(value, real[key], f"{place}.{key}")


def compare_value(printed: Any, real: Any, place: str) -> None:
    wanted = next((kind for name, kind in TYPES.items() if place.endswith(name)), type(printed))
    assert type(real) is wanted, f"{place}: {real!r} in place of {printed!r}"
    for form in (_MOMENT, _DAY):
        if isinstance(real, str) and isinstance(printed, str) and form.fullmatch(printed):
            assert form.fullmatch(real), f"{place}: {real!r}"


def compare_object(name: str, real: Any) -> None:
    """An object that a page only names has the fields that the catalog gives it."""
    fields = {field for field in actions.objects()[name] if not field.startswith("_")}
    assert fields <= set(real) <= fields | set(NEWER), set(real) ^ fields
