"""The pages of actions are what the script writes, and every call printed on them works."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from action_pages import ADDRESS, HASHES, pages
from contract_samples import SAMPLES, File
from contract_stage import Stage

from waypost.api.dispatch import bound_actions

FOLDER = Path(__file__).parents[2] / "docs" / "actions"
CALLS = [
    block
    for file in sorted(FOLDER.glob("*.md"))
    for block in re.findall(r"```shell\n(.*?)\n```", file.read_text(), re.DOTALL)
]
FILES = {
    value.name: value
    for arguments in SAMPLES.values()
    for value in arguments.values()
    if isinstance(value, File)
}


def test_the_pages_are_what_the_script_writes() -> None:
    written = {file.name: file.read_text() for file in FOLDER.glob("*.md")}
    assert written == pages(), "run scripts/write_action_pages.py"


def test_every_action_has_a_call() -> None:
    functions = {bound.action.function for bound in bound_actions().values()}
    assert len(CALLS) == len(functions)


def parse(call: str, hashes: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """URL of a curl line and what it sends, as httpx takes it."""
    for name, hash_ in sorted(hashes.items(), reverse=True):
        call = call.replace(name, hash_)
    url = ""
    headers: dict[str, str] = {}
    sent: dict[str, Any] = {"headers": headers}
    words = iter(shlex.split(call.replace("\\\n", " "))[1:])
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            sent["content"] = next(words)
        elif word == "-F":
            name, _, value = next(words).partition("=")
            if value.startswith("@"):
                file = FILES[value[1:]]
                sent.setdefault("files", {})[name] = (file.name, file.content, file.type)
            else:
                sent.setdefault("data", {})[name] = value
        else:
            assert word.startswith(ADDRESS), word
            url = word.removeprefix(ADDRESS)
    return url, sent


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.split()[1].removeprefix(ADDRESS))
async def test_a_printed_call_works(furnished: Stage, call: str) -> None:
    hashes = {name: furnished.hashes[who] for who, name in HASHES.items()}
    url, sent = parse(call, hashes)
    # Without a body curl asks by GET.
    method = "POST" if len(sent) > 1 else "GET"
    reply = await furnished.client.request(method, url, **sent)
    assert furnished.checked(reply)["success"], reply.text
