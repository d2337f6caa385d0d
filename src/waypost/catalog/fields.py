"""Typed fields of settings objects, and what makes a value of one right.

Tracking profiles and special settings are tables of these. Pure: :func:`validate` says what is
wrong and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from math import ceil, floor, inf, isfinite
from typing import Any, Literal

import msgspec

INT_MAX = 2**31 - 1
"""Upper end of a whole number whose range nobody printed."""

TEXT_MAX = 1024
"""Longest text where the field does not say it."""

Type = Literal[
    "int",
    "float",
    "boolean",
    "enum",
    "string",
    "datetime",
    "string_array",
    "int_array",
    "object",
    "object_array",
    "any",
]

Format = Literal["HH:mm", "HHmm", "HH:mm:ss", "yyyy-MM-dd", "HH:mm-HH:mm", "email"]


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field. Numbers are in ``unit``; with ``step`` they are rounded up to a multiple of it."""

    type: Type
    optional: bool = False
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    step: float | None = None
    #: 0 is allowed besides the range, and means this.
    zero_means: str | None = None
    enum: tuple[str | int, ...] = ()
    const: int | str | None = None
    default: Any = msgspec.UNSET
    unit: str | None = None
    #: Of a string, or of each string in an array.
    format: Format | None = None
    pattern: str | None = None
    min_length: int = 0
    max_length: int = TEXT_MAX
    min_items: int = 0
    max_items: int = 100
    #: Of an object, or of each object in an array.
    fields: dict[str, Field] = {}
    #: No two objects of the array have the same value here.
    unique_by: str | None = None
    #: Another name that means the same field.
    alias: str | None = None
    #: Needed only where these other fields have one of these values.
    when: dict[str, tuple[str | int | bool, ...]] = {}
    #: May not be null where these other fields have one of these values.
    not_null_when: dict[str, tuple[str | int | bool, ...]] = {}


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one field; ``field`` is a dotted path (``items.0.phone``)."""

    field: str
    error: str


Clean = tuple[dict[str, Any], list[FieldError]]


class _Wrong(Exception):
    """Carries the text of a :class:`FieldError` up to where its path is known."""


def validate(fields: Mapping[str, Field], values: Mapping[str, Any]) -> Clean:
    """``values`` as the settings they mean: types settled, numbers rounded up to the step, aliases
    under their own name; and every fault that was found (then the values are not to be used).
    Whole numbers may come as text or as ``30.0``. An unknown field is a fault."""
    clean: dict[str, Any] = {}
    errors: list[FieldError] = []
    names = {field.alias: name for name, field in fields.items() if field.alias}
    given = {names.get(name, name): value for name, value in values.items()}
    for name, field in fields.items():
        if name not in given:
            continue
        if given[name] is None:
            if field.nullable or field.optional:
                clean[name] = None
            else:
                errors.append(FieldError(name, "may not be null"))
            continue
        try:
            clean[name] = _value(field, given[name], name, errors)
        except _Wrong as wrong:
            errors.append(FieldError(name, str(wrong)))
    for name, field in fields.items():
        if name not in given:
            if not field.optional and _holds(field.when, clean):
                errors.append(FieldError(name, "is required"))
        elif (
            field.not_null_when
            and clean.get(name, 0) is None
            and _holds(field.not_null_when, clean)
        ):
            errors.append(FieldError(name, "may not be null here"))
    errors += [FieldError(str(name), "unknown field") for name in given if name not in fields]
    return clean, errors


def defaults(fields: Mapping[str, Field], example: Mapping[str, Any]) -> dict[str, Any]:
    """Values to begin with: the printed defaults, and where there is none the example's."""
    found: dict[str, Any] = {}
    for name, field in fields.items():
        if field.default is not msgspec.UNSET:
            found[name] = field.default
        elif field.const is not None:
            found[name] = field.const
        elif name in example:
            found[name] = example[name]
    return found


def _holds(when: Mapping[str, tuple[str | int | bool, ...]], values: Mapping[str, Any]) -> bool:
    return all(values.get(name) in allowed for name, allowed in when.items())


def _value(field: Field, value: Any, path: str, errors: list[FieldError]) -> Any:
    """The clean value. Raises :class:`_Wrong`; faults of inner fields are added to ``errors``."""
    if field.type in ("object", "object_array"):
        return _nested(field, value, path, errors)
    if field.type in ("string_array", "int_array"):
        if not isinstance(value, list):
            raise _Wrong("must be an array")
        _count(field, value)
        scalar = _text if field.type == "string_array" else _int
        return [scalar(field, item) for item in value]
    value = _SCALARS[field.type](field, value)
    if field.const is not None and value != field.const:
        raise _Wrong(f"must be {field.const}")
    if field.enum and value not in field.enum:
        raise _Wrong("must be one of " + ", ".join(str(item) for item in field.enum))
    return value


def _nested(field: Field, value: Any, path: str, errors: list[FieldError]) -> Any:
    if field.type == "object":
        if not isinstance(value, Mapping):
            raise _Wrong("must be an object")
        return _inner(field, value, path, errors)
    if not isinstance(value, list):
        raise _Wrong("must be an array")
    _count(field, value)
    rows = []
    for number, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise _Wrong(f"item {number} must be an object")
        rows.append(_inner(field, item, f"{path}.{number}", errors))
    keys = [row.get(field.unique_by) for row in rows] if field.unique_by else []
    if len(set(keys)) < len(keys):
        raise _Wrong(f"has two items with the same {field.unique_by}")
    return rows


def _inner(field: Field, value: Mapping[str, Any], path: str, errors: list[FieldError]) -> Any:
    clean, faults = validate(field.fields, value)
    errors += [FieldError(f"{path}.{fault.field}", fault.error) for fault in faults]
    return clean


def _count(field: Field, value: list[Any]) -> None:
    if not field.min_items <= len(value) <= field.max_items:
        raise _Wrong(f"must have {field.min_items} to {field.max_items} items")


def _int(field: Field, value: Any) -> int:
    number = _whole(value)
    if field.enum or field.const is not None or (number == 0 and field.zero_means):
        return number
    low = ceil(field.min) if field.min is not None else -INT_MAX
    high = int(field.max) if field.max is not None else INT_MAX
    if not low <= number <= high:
        raise _Wrong(f"must be from {low} to {high}")
    return int(_stepped(number, field.step, high)) if field.step else number


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,10}", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _Wrong("must be a whole number")


def _float(field: Field, value: Any) -> float:
    number = _real(value)
    if field.min is not None and number < field.min:
        raise _Wrong(f"must be at least {field.min:g}")
    if field.max is not None and number > field.max:
        raise _Wrong(f"must be at most {field.max:g}")
    return float(_stepped(number, field.step, field.max)) if field.step else number


def _real(value: Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,10}(\.[0-9]{1,10})?", value):
        return float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if isfinite(number):
            return number
    raise _Wrong("must be a number")


def _stepped(value: float, step: float, high: float | None) -> float:
    """The next multiple of ``step``, or the last one that is not over ``high``."""
    up = ceil(value / step) * step
    return up if high is None or up <= high else floor(high / step) * step


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise _Wrong("must be true or false")
    return value


def _enum(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        # the numbers of an enum of texts are sent bare by some clients
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in field.enum:
            return str(value)
        raise _Wrong("must be text")
    return value


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise _Wrong("must be text")
    if not field.min_length <= len(value) <= field.max_length:
        raise _Wrong(f"must have {field.min_length} to {field.max_length} characters")
    if field.pattern and not _compiled(field.pattern).fullmatch(value):
        raise _Wrong(f"must match {field.pattern}")
    if field.format and not _FORMATS[field.format](value):
        raise _Wrong(f"must be written as {field.format}")
    return value


def _datetime(field: Field, value: Any) -> str:
    text = _text(field, value)
    if not _moment("%Y-%m-%d %H:%M:%S", 19)(text):
        raise _Wrong("must be written as yyyy-MM-dd HH:mm:ss")
    return text


def _moment(form: str, length: int) -> Callable[[str], bool]:
    def is_moment(text: str) -> bool:
        if len(text) != length or not text.isascii():
            return False
        try:
            datetime.strptime(text, form)  # noqa: DTZ007  (a wall clock, in the user's zone)
        except ValueError:
            return False
        return True

    return is_moment


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"

_FORMATS: dict[Format, Callable[[str], Any]] = {
    "HH:mm": re.compile(_CLOCK).fullmatch,
    "HHmm": re.compile(r"([01][0-9]|2[0-3])[0-5][0-9]").fullmatch,
    "HH:mm:ss": re.compile(_CLOCK + ":[0-5][0-9]").fullmatch,
    "HH:mm-HH:mm": re.compile(f"{_CLOCK}-{_CLOCK}").fullmatch,
    "yyyy-MM-dd": _moment("%Y-%m-%d", 10),
    "email": re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+").fullmatch,
}

_SCALARS: dict[Type, Callable[[Field, Any], Any]] = {
    "int": _int,
    "float": _float,
    "boolean": _boolean,
    "enum": _enum,
    "string": _text,
    "datetime": _datetime,
    "any": lambda field, value: value,
}
