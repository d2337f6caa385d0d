"""How a command ends that cannot do what it was asked."""

from __future__ import annotations


class CommandFailed(Exception):
    """The command could not do it; the text says why, to a person. Exit code 1."""
