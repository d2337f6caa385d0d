"""Conditions on rows of the outgoing queue."""

from __future__ import annotations

from typing import Any

from waypost.store.tables import command_attempts, commands


def of_attempt(command_id: Any, number: Any) -> tuple[Any, ...]:
    """The row of this attempt."""
    return (
        command_attempts.c.command_id == command_id,
        command_attempts.c.number == number,
    )


def under_way(command_id: Any, number: Any) -> tuple[Any, ...]:
    """A command that is in this attempt still."""
    return (
        commands.c.id == command_id,
        commands.c.attempts == number,
        commands.c.state == "sent",
        commands.c.finished_at.is_(None),
    )
