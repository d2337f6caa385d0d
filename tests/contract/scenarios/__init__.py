"""How each documented code comes about: (action, code) -> functions that bring it about.

A scenario is given a stage, does what leads there through other actions, and returns the reply of
the action it is about. The modules beside this one hold them; importing them fills ``SCENARIOS``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from contract_stage import Stage

Reply = dict[str, Any]
Play = Callable[[Stage], Awaitable[Reply]]


class Scenario(msgspec.Struct, frozen=True):
    """``action`` answers ``code`` in what ``play`` brings about."""

    action: str
    code: int
    play: Play

    @property
    def title(self) -> str:
        return f"{self.action} {self.code} {self.play.__name__}"


#: (action, code) -> scenarios.
SCENARIOS: dict[tuple[str, int], list[Scenario]] = {}


def scenario(action: str, code: int) -> Callable[[Play], Play]:
    """Declares that ``action`` answers ``code`` in what the function brings about."""

    def declare(play: Play) -> Play:
        SCENARIOS.setdefault((action, code), []).append(Scenario(action, code, play))
        return play

    return declare


def all_scenarios() -> list[Scenario]:
    """Every scenario; what belongs to no action alone comes last, for what is not told yet."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    for name in sorted(names, key=lambda name: name == "common"):
        importlib.import_module(f"{__name__}.{name}")
    return [one for key in sorted(SCENARIOS) for one in SCENARIOS[key]]
