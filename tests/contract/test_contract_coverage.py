"""Nothing of the specification is missing, and the page that says so is not stale."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract_coverage import render
from specification import SETTLED, SPECIFIED, documented_codes, split

from waypost.api.action import load_actions
from waypost.api.openapi import codes_of

PAGE = Path(__file__).parents[2] / "docs" / "api-coverage.md"


def test_no_action_of_the_specification_is_missing() -> None:
    assert len(SPECIFIED) == len(set(SPECIFIED)) == 45
    assert [name for name in SPECIFIED if split(name) not in load_actions()] == []


def test_nothing_documented_is_missing() -> None:
    assert "**missing**" not in render()


def test_the_page_is_what_the_script_writes() -> None:
    assert PAGE.read_text() == render(), "run scripts/api_coverage.py"


@pytest.mark.parametrize("name", SPECIFIED)
def test_every_documented_code_is_declared(name: str) -> None:
    """So that OpenAPI and the pages of actions name it."""
    settled = {code for action, code in SETTLED if action == name}
    action = load_actions()[split(name)]
    assert set(documented_codes(name)) - settled <= set(codes_of(action))
