"""Device protocols, each a module or package here; the registry finds them by being there."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from waypost.protocols.base import Protocol


@cache
def all_protocols() -> dict[str, type[Protocol]]:
    """Every protocol by its name, in alphabetical order."""
    found: dict[str, type[Protocol]] = {}
    for info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{info.name}")
        for item in vars(module).values():
            if not (isinstance(item, type) and issubclass(item, Protocol) and "name" in vars(item)):
                continue
            if found.setdefault(item.name, item) is not item:
                raise RuntimeError(f"two protocols are named {item.name}")
    return dict(sorted(found.items()))


@cache
def _by_name() -> dict[str, type[Protocol]]:
    names = dict(all_protocols())
    for protocol in all_protocols().values():
        for alias in protocol.aliases:
            names.setdefault(alias, protocol)
    return names


def find_protocol(name: str) -> type[Protocol] | None:
    """The protocol of this name or alias, or None."""
    return _by_name().get(name.lower())
