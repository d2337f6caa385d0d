"""Every documented code of every action of the specification, provoked."""

from __future__ import annotations

import pytest
from contract_stage import Stage
from scenarios import SCENARIOS, Scenario, all_scenarios
from specification import SETTLED, SPECIFIED, documented_codes

from waypost.catalog import errors

ALL = all_scenarios()


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.title)
async def test_a_documented_code_is_answered(stage: Stage, one: Scenario) -> None:
    reply = await one.play(stage)
    row = errors.error(one.code)
    assert reply["success"] is False, reply
    assert reply["status"] == {"code": one.code, "description": row.description}
    assert set(reply) - {"success", "status"} <= set(row.extra_fields), reply


def test_every_documented_code_has_a_scenario() -> None:
    documented = {(action, code) for action in SPECIFIED for code in documented_codes(action)}
    assert documented - set(SCENARIOS) - set(SETTLED) == set()
    assert set(SETTLED) <= documented, "settled, but nowhere documented"
    assert not set(SETTLED) & set(SCENARIOS), "settled away, and yet provoked"
