"""Equipment: what a dealer can sell as a bundle. It is the device models of the catalog, under
their numbers."""

from __future__ import annotations

from functools import cache

import msgspec

from waypost.catalog import models


class Equipment(msgspec.Struct, frozen=True, kw_only=True):
    """One piece; ``model_name`` is the maker's own name, ``name`` that of the shop."""

    equip_id: int
    model_name: str
    model_code: str
    vendor: str
    name: str


@cache
def all_equipment() -> dict[int, Equipment]:
    """All of it by number: every device that can be registered."""
    return {
        model.id: Equipment(
            equip_id=model.id,
            model_name=model.name.removeprefix(model.vendor).strip() or model.name,
            model_code=model.code,
            vendor=model.vendor,
            name=model.name,
        )
        for model in models.all_models().values()
        if model.register and not model.mobile
    }
