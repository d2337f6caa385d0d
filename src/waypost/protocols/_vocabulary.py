"""Which value names are standard: attributes of the generic protocol, the catalog's sensor inputs
and states, and the few that :mod:`waypost.telemetry.message` adds."""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from importlib.resources import files

#: Standard beside the catalog's (``telemetry.message`` says what they mean).
_ADDED = ("ignition", "charging", "engine_hours", "gsm_level", "gsm_network", "gsm_roaming")


@cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """Plain names, and the beginnings of numbered ones (``analog_``)."""
    data = files("waypost.catalog") / "data"
    names = [item["name"] for item in json.loads((data / "ngp.json").read_text())["attributes"]]
    sensors = json.loads((data / "sensors.json").read_text())
    names += [item["name"] for item in [*sensors["inputs"], *sensors["states"]]]
    names = [re.sub(r"_[n*]$", "_", name) for name in names]
    plain = {name for name in names if not name.endswith("_")}
    return frozenset(plain.union(_ADDED)), frozenset(name for name in names if name.endswith("_"))


@lru_cache(4096)
def is_standard(name: str) -> bool:
    """Has ``name`` a meaning in the platform's vocabulary?"""
    plain, numbered = _names()
    return name in plain or re.sub(r"[0-9]+$", "", name) in numbered or name.startswith("custom_")
