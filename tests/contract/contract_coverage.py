"""The table action × code → test, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios import SCENARIOS, all_scenarios
from specification import SETTLED, SPECIFIED, documented, split

from waypost.api.action import Action, load_actions
from waypost.api.openapi import access_text
from waypost.catalog import errors

_HEAD = """# What the specification asks for, and which test holds it

Written by `scripts/api_coverage.py` from the catalog of documented actions and the tests in
`tests/contract`; a test fails when it is stale. *Scenarios* are cases of
`tests/contract/test_contract_errors.py`, told by their name: `pytest tests/contract -k NAME`.

Besides, every action of the registry, whether of the specification or not, is called by
`tests/contract/`

* `test_contract_pages.py` and `test_contract_samples.py`: with arguments that work, as its page in
  [actions](actions/README.md) prints it, and in every form of request;
* `test_contract_roles.py`: by everybody who may and who may not (3, 4, 13), about trackers that are
  not the caller's, blocked, cloned or given up (201, 208, 219, 249, 252);
* `test_contract_parameters.py`: with each parameter missing, beyond its bounds, or of another type
  (7);
* `test_contract_examples.py`: as the specification prints it, with the reply it prints.
"""


def render() -> str:
    """The page. A documented code without a scenario shows as **missing**."""
    all_scenarios()
    registry = load_actions()
    lines = [_HEAD]
    lines += ["## Actions of the specification", "", *_summary(registry), ""]
    for name in SPECIFIED:
        lines += _section(name, registry.get(split(name)))
    return "\n".join(lines).rstrip() + "\n"


def _summary(registry: dict[tuple[str, str], Action]) -> Iterator[str]:
    there = [name for name in SPECIFIED if split(name) in registry]
    pairs = [(name, error.code) for name in SPECIFIED for error in documented(name).errors]
    pairs = list(dict.fromkeys(pairs))
    told = [pair for pair in pairs if pair in SCENARIOS]
    settled = [pair for pair in pairs if pair in SETTLED]
    yield "| | of | covered |"
    yield "| --- | ---: | ---: |"
    yield f"| actions | {len(SPECIFIED)} | {len(there)} |"
    yield f"| documented codes | {len(pairs)} | {len(told)} |"
    yield f"| settled away, with the reason below | | {len(settled)} |"


def _section(name: str, action: Action | None) -> Iterator[str]:
    yield f"### `{name}`"
    yield ""
    if action is None:
        yield "**missing**"
        yield ""
        return
    access = access_text(action)
    if access:
        yield access
        yield ""
    yield "| code | when | test |"
    yield "| ---: | --- | --- |"
    works = ("test_a_printed_call_works", "test_the_call_works_alike_in_every_form")
    examples = "test_a_printed_call_gets_the_printed_reply"
    yield f"| – | it works | {', '.join(f'`{test}`' for test in (*works, examples))} |"
    told = {code: (when, _test(name, code)) for code, when in _when(name).items()}
    for code, row in sorted({**_general(name, action), **told}.items()):
        yield f"| {code} {errors.error(code).description} | {row[0]} | {row[1]} |"
    yield ""


def _when(name: str) -> dict[int, str]:
    """Documented code -> when it comes."""
    found: dict[int, list[str]] = {}
    for error in documented(name).errors:
        if error.when not in found.setdefault(error.code, []):
            found[error.code].append(error.when)
    return {code: "; ".join(when) for code, when in found.items()}


def _general(name: str, action: Action) -> dict[int, tuple[str, str]]:
    """What holds of every action: code -> when, and test."""
    rows = {
        3: ("no hash, or one that cannot be", "`test_nobody_comes_in`"),
        4: ("a hash that is unknown, ended or of the other API", "`test_nobody_comes_in`"),
    }
    if action.rights:
        rows[13] = ("right missing", "`test_users_and_sub_users_come_in_with_the_right`")
    if action.permissions:
        rows[13] = ("permission missing", "`test_panel_accounts_come_in_with_the_permissions`")
    if documented(name).params:
        rows[7] = (
            "a parameter is missing, wrong or out of bounds",
            "`test_documented_parameters_are_there`, `test_documented_bounds_hold_on_both_sides`, "
            "`test_what_is_wrong_is_named`",
        )
    return rows


def _test(name: str, code: int) -> str:
    if (name, code) in SETTLED:
        return f"cannot come: {SETTLED[name, code]}"
    told = SCENARIOS.get((name, code), [])
    if not told:
        return "**missing**"
    return ", ".join(f"`{one.play.__name__}`" for one in told)
