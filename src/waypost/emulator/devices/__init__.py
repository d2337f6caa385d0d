"""Emulated trackers, one file per protocol; a file is found by being there."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from waypost.emulator.devices.base import Device


@cache
def kinds() -> dict[str, type[Device]]:
    """Protocol name -> the tracker that speaks it."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return {kind.protocol: kind for kind in Device.__subclasses__()}
