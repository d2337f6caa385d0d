"""Types of rules (alerts) that the API knows."""

from __future__ import annotations

from functools import cache

from waypost.catalog._data import load


@cache
def rule_types() -> tuple[str, ...]:
    """Every rule type, in the order of the documents."""
    return load("rules.json", tuple[str, ...])
