"""Every field of every tracking profile and type of special settings: its bounds, steps, words,
types, and the fields that it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, floor
from typing import Any

import pytest

from waypost.catalog import profiles, special_settings
from waypost.catalog.fields import INT_MAX, Field, validate

Table = Mapping[str, Field]
TABLES: dict[str, tuple[Table, dict[str, Any]]] = {
    **{name: (row.fields, row.example) for name, row in profiles.all_profiles().items()},
    **{
        f"special {name}": (row.fields, row.example)
        for name, row in special_settings.all_types().items()
    },
}


def base(table: Table, example: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Acceptable values with which the field ``name`` counts."""
    values = {**example, **{other: words[0] for other, words in table[name].when.items()}}
    for other, field in table.items():
        if other not in values and all(values.get(on) in of for on, of in field.when.items()):
            values[other] = right(field)
    return values


def right(field: Field) -> Any:
    """Some acceptable value."""
    if field.const is not None:
        return field.const
    if field.enum:
        return field.enum[0]
    low = ceil(field.min or 0)
    formats = {"HH:mm": "10:00", "HHmm": "1000", "HH:mm:ss": "10:00:00", "yyyy-MM-dd": "2024-03-09"}
    return {
        "int": low,
        "float": float(low),
        "boolean": True,
        "string": formats.get(field.format or "", "1"),
        "string_array": [formats.get(field.format or "", "1")] * field.min_items,
        "datetime": "2024-03-09 10:00:00",
    }[field.type]


def cases(field: Field) -> Iterator[tuple[Any, Any]]:
    """What is sent, and what it becomes; a fault where that is ``Ellipsis``."""
    yield {}, ...
    yield None, None if field.optional or field.nullable else ...
    if field.type in ("int", "float"):
        yield from numbers(field)
        yield "much", ...
        yield True, ...
        yield [1], ...
        yield float("inf"), ...
        yield float("nan"), ...
        yield (0.5, ...) if field.type == "int" else ("0x1", ...)
    elif field.type == "boolean":
        for value in (True, False, "true", "false"):
            yield value, value in (True, "true")
        yield 2, ...
        yield "yes", ...
    elif field.type == "enum":
        for word in field.enum:
            yield word, word
        yield "frobnicate", ...
        yield "", ...
    elif field.type in ("string", "datetime"):
        yield 5.5, ...
        yield "x" * 5000, ...
        if field.format or field.type == "datetime":
            yield "soon", ...


def numbers(field: Field) -> Iterator[tuple[Any, Any]]:
    if field.const is not None or field.enum:
        words = field.enum or (field.const,)
        for word in words:
            yield word, word
            yield str(word), word
        yield max(int(word) for word in words if word is not None) + 1, ...
        return
    whole = field.type == "int"
    low = ceil(field.min) if whole and field.min is not None else field.min
    high = floor(field.max) if whole and field.max is not None else field.max
    low = -INT_MAX if low is None and whole else low
    high = INT_MAX if high is None and whole else high
    if field.zero_means:
        yield 0, 0
    for bound, outside in ((low, -1), (high, 1)):
        if bound is None:
            continue
        beyond = bound + outside
        if not (beyond == 0 and field.zero_means):
            yield beyond, ...
            yield str(beyond) if whole and abs(beyond) < 10**10 else beyond, ...
        if field.step is None:
            yield bound, bound
            yield (str(bound) if abs(bound) < 10**10 else bound), bound
        else:
            up = ceil(bound / field.step) * field.step
            yield bound, pytest.approx(min(up, floor(high / field.step) * field.step))
    if field.step is not None and low is not None and high is not None:
        step = ceil(low / field.step) * field.step
        between = step + (1 if whole else field.step / 2)
        if whole is (field.step > 1) and between <= high and step + field.step <= high:
            yield between, pytest.approx(step + field.step)


def names(errors: list[Any]) -> set[str]:
    return {error.field.partition(".")[0] for error in errors}


@pytest.mark.parametrize("name", TABLES)
def test_each_field(name: str) -> None:
    table, example = TABLES[name]
    for one, field in table.items():
        if field.type in ("object", "object_array", "any", "int_array"):
            continue
        values = base(table, example, one)
        assert validate(table, values)[1] == [], (one, values)
        for sent, kept in cases(field):
            clean, errors = validate(table, {**values, one: sent})
            if kept is ...:
                assert one in names(errors), (one, sent)
            else:
                # Other fields may depend on it and be missing now; it is right itself.
                assert one not in names(errors) or (kept is None and field.not_null_when), (
                    one,
                    sent,
                    errors,
                )
                assert clean[one] == kept, (one, sent)


@pytest.mark.parametrize("name", TABLES)
def test_each_field_is_missed_where_it_counts(name: str) -> None:
    table, example = TABLES[name]
    for one, field in table.items():
        values = base(table, example, one) if field.type not in ("object", "object_array") else None
        if values is None:
            continue
        values.pop(one, None)
        missed = one in names(validate(table, values)[1])
        assert missed is not field.optional, one
        for other, words in field.when.items():
            elsewhere = next(
                (word for word in table[other].enum if word not in words),
                False if table[other].type == "boolean" and False not in words else None,
            )
            assert one not in names(validate(table, {**values, other: elsewhere})[1]), one
    assert "colour" in names(validate(table, {**example, "colour": "red"})[1])
