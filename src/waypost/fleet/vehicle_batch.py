"""Vehicles from a table that somebody pasted: checked, not stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from waypost.fleet.vehicles import VehicleFields, check
from waypost.refusal import Refused

#: Fields of the columns where nobody names them.
FIELDS = ("label", "model", "reg_number", "fuel_grade")
#: Most rows that are looked at.
MOST = 1000


class RowError(msgspec.Struct, frozen=True):
    """What is wrong with a vehicle of the table."""

    parameter: str
    error: str


def convert(text: str, fields: Sequence[str]) -> tuple[list[dict[str, Any]], bool]:
    """The vehicles of tab-delimited lines, as the API shows them, with ``errors`` where there are
    any; and whether there were more lines than are looked at. A vehicle is a car unless a column
    says otherwise."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [_vehicle(line, fields) for line in lines[:MOST]], len(lines) > MOST


def _vehicle(line: str, fields: Sequence[str]) -> dict[str, Any]:
    cells = [cell.strip() for cell in line.split("\t")]
    given: dict[str, Any] = {"type": "car"}
    given |= {name: cell for name, cell in zip(fields, cells, strict=False) if cell}
    errors: list[RowError] = []
    if len(cells) > len(fields):
        errors.append(RowError("batch", f"has {len(cells)} columns instead of {len(fields)}"))
    shown: dict[str, Any]
    try:
        vehicle = msgspec.convert(given, VehicleFields, strict=False)
        check(vehicle)
        shown = msgspec.to_builtins(vehicle)
    except msgspec.ValidationError as error:
        shown = given
        errors.append(RowError("vehicle", str(error).replace("`", "'")))
    except Refused as refused:
        shown = given
        found = refused.extra.get("errors") or [{"parameter": "garage_id", "error": "not found"}]
        errors += [RowError(**one) for one in found]
    if errors:
        shown["errors"] = [msgspec.to_builtins(one) for one in errors]
    return shown
