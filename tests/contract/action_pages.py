"""A page for every group of actions: parameters, who may call, errors, and a call that works."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from contract_samples import File, sample
from specification import name_of

from waypost.api.action import PANEL, Action
from waypost.api.dispatch import Bound, bound_actions
from waypost.api.docs import reply_text, type_text
from waypost.api.openapi import GENERAL, access_text, build_openapi, codes_of, url_of
from waypost.catalog import actions, errors

ADDRESS = "http://127.0.0.1:8080"
#: What stands for a session in the calls printed.
HASHES = {"user": "$HASH", "panel": "$PANEL_HASH", "code": "$CODE_HASH"}

#: So many actions with two parts of their path in common have a page of their own.
ENOUGH = 3

_INDEX = """# Actions

Written by `scripts/write_action_pages.py` from the registry; a test makes every call that is
printed here. [The API](../api.md) says how calls, sessions, dates and errors work.

The calls are those of an account with trackers 1 (active), 2 (never connected), 4 (a clone), 5 (its
device was replaced), 6 (a model like 1) and 7 (a lock). `$HASH` is a user's session or API key,
`$PANEL_HASH` a session of the panel, `$CODE_HASH` that of a log-in which asks for a code.
"""

_NOTE = """Written by `scripts/write_action_pages.py`. [The API](../api.md) says how to call, and
which codes ({general}) any call may answer; they are left out below.
"""

Schema = dict[str, Any]


def pages() -> dict[str, str]:
    """Name of a file -> its text."""
    bounds = bound_actions()
    document = build_openapi(bounds)
    groups = _grouped(bounds)
    made = {f"{group}.md": _page(group, members, document) for group, members in groups.items()}
    made["README.md"] = _index(groups)
    return made


def _grouped(bounds: Mapping[tuple[str, str], Bound]) -> dict[str, list[Bound]]:
    """Name of a page -> its actions: API, and the first part or two of their paths."""
    groups: dict[str, list[Bound]] = {}
    for key, bound in bounds.items():
        if not is_alias(bounds, key):
            parts = key[1].split("/")[:-1]
            groups.setdefault("-".join((key[0], *parts[:2])), []).append(bound)
    for group in [name for name, members in groups.items() if len(members) < ENOUGH]:
        api, first, *second = group.split("-")
        if second:
            groups.setdefault(f"{api}-{first}", []).extend(groups.pop(group))
    return {
        group: sorted(groups[group], key=lambda bound: bound.action.path)
        for group in sorted(groups)
    }


def is_alias(bounds: Mapping[tuple[str, str], Bound], key: tuple[str, str]) -> bool:
    """Is it another path of an action that has a page under its first one?"""
    same = [
        other
        for other in bounds
        if other[0] == key[0] and bounds[other].action.function is bounds[key].action.function
    ]
    return same[0] != key


def _index(groups: Mapping[str, list[Bound]]) -> str:
    lines = [_INDEX]
    for api, heading in (("user", "User API"), (PANEL, "Panel API")):
        lines += [f"## {heading}", ""]
        for group, members in groups.items():
            if members[0].action.api == api:
                lines += [f"### [{group.partition('-')[2].replace('-', '/')}]({group}.md)", ""]
                lines += [
                    f"- [{bound.action.path}]({group}.md#{anchor(bound.action)}): "
                    f"{first_sentence(bound.action)}"
                    for bound in members
                ]
                lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def summary(action: Action) -> str:
    return " ".join(action.summary.split()).replace("``", "`")


def first_sentence(action: Action) -> str:
    return summary(action).split(". ")[0].removesuffix(".") + "."


def anchor(action: Action) -> str:
    """Where a heading is found: as the usual renderers name it."""
    return name_of(action.api, action.path).replace("/", "")


def _page(group: str, members: list[Bound], document: Schema) -> str:
    api, _, path = group.partition("-")
    general = ", ".join(map(str, sorted((*GENERAL, 3, 4))))
    title = f"{'Panel: ' if api == PANEL else ''}{path.replace('-', '/')}"
    lines = [f"# {title}", "", _NOTE.format(general=general)]
    for bound in members:
        lines += _section(bound, document)
    return "\n".join(lines).rstrip() + "\n"


def _section(bound: Bound, document: Schema) -> Iterator[str]:
    action = bound.action
    components: Schema = document["components"]["schemas"]
    operation = document["paths"][url_of(action)]["post"]
    yield f"## {name_of(action.api, action.path)}"
    yield ""
    yield summary(action)
    access = access_text(action)
    if access:
        yield ""
        yield access
    yield ""
    yield "```shell"
    yield curl(action)
    yield "```"
    yield ""
    yield from _parameters(operation, components)
    yield "Reply:"
    yield ""
    yield "```text"
    reply = operation["responses"]["200"]["content"]["application/json"]["schema"]
    yield reply_text(reply, components)
    yield "```"
    yield ""
    yield from _errors(action)


def _parameters(operation: Schema, components: Schema) -> Iterator[str]:
    form: Schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
    if not form["properties"]:
        return
    required = set(form.get("required", ()))
    yield "| parameter | | type |"
    yield "| --- | --- | --- |"
    for name, schema in form["properties"].items():
        text = type_text(schema, components).replace("|", "\\|")
        default = schema.get("default")
        if default is not None:
            text += f"; {json.dumps(default)} by default"
        yield f"| `{name}` | {'' if name in required else 'optional'} | {text} |"
    yield ""


def _errors(action: Action) -> Iterator[str]:
    codes = [code for code in codes_of(action) if code not in (*GENERAL, 3, 4)]
    if not codes:
        return
    known = actions.all_actions(action.api).get(action.path)  # type: ignore[arg-type]
    when: dict[int, str] = {}
    for error in known.errors if known is not None else ():
        when.setdefault(error.code, error.when)
    yield "| code | | when |"
    yield "| ---: | --- | --- |"
    for code in codes:
        row = errors.error(code)
        yield f"| {code} | {row.description} | {when.get(code, '')} |"
    yield ""


def curl(action: Action) -> str:
    """A call that works, as a person types it."""
    arguments = sample(name_of(action.api, action.path))
    parts = [f"curl {ADDRESS}/v2{url_of(action)}"]
    if not action.public:
        who = "code" if action.second_factor else action.api
        parts.append(f'-H "Authorization: NVX {HASHES[who]}"')
    if any(isinstance(value, File) for value in arguments.values()):
        for name, value in arguments.items():
            text = f"@{value.name}" if isinstance(value, File) else str(value)
            parts.append(f"-F {shlex.quote(f'{name}={text}')}")
    elif arguments:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {shlex.quote(json.dumps(arguments, ensure_ascii=False))}")
    return " \\\n    ".join(parts)
