"""Values for a parameter: on the edges of what the documents allow, just beyond them, and of types
that it does not take."""

from __future__ import annotations

from typing import Any, get_args, get_origin

import msgspec

from waypost.api.params import INT_MAX, Parameter
from waypost.catalog.actions import Param

Values = list[Any]


def edges(param: Param) -> tuple[Values, Values]:
    """What is just within the documented bounds, and just beyond them."""
    within: Values = []
    beyond: Values = []
    if param.enum:
        within += param.enum
        beyond += ["frobnicate", "", 7] if param.required else ["frobnicate", 7]
    elif param.type == "int":
        beyond += [INT_MAX + 1, -INT_MAX - 2]
        if param.min is not None:
            within.append(int(param.min))
            beyond.append(int(param.min) - 1)
        if param.max is not None:
            within.append(int(param.max))
            beyond.append(int(param.max) + 1)
    elif param.type in ("float", "double"):
        if param.min is not None:
            within.append(param.min)
            beyond.append(param.min - 0.001)
        if param.max is not None:
            within.append(param.max)
            beyond.append(param.max + 0.001)
    elif param.type == "string":
        _texts(param, within, beyond)
    elif param.type.endswith("_array"):
        _arrays(param, within, beyond)
    if param.name in ("offset", "limit"):
        within += [0, 2**31 - 1]
        beyond += [-1]
    return within, beyond


def _texts(param: Param, within: Values, beyond: Values) -> None:
    plain = param.pattern is None and "format" not in param.rules and "must_have" not in param.rules
    if param.max_length is not None:
        beyond.append("a" * (param.max_length + 1))
        if plain:
            within.append("a" * param.max_length)
    if param.min_length:
        beyond.append("a" * (param.min_length - 1))
        if plain:
            within.append("a" * param.min_length)
    if param.printable:
        beyond += ["a\tb", "a\x7fb", "line\nline", "a\u009fb"]
        if plain and (param.max_length or 9) >= 4:
            within.append("Ünïç")
    beyond += ["a" + one + "b" for one in param.rules.get("forbidden", ())]
    if param.rules.get("no_plus") and param.pattern:
        beyond += ["12345", "1" * 16, "phone"]


def _arrays(param: Param, within: Values, beyond: Values) -> None:
    one: Any = {"int": 1, "string": "aa", "boolean": True}.get(param.type.removesuffix("_array"))
    if one is None:
        return
    make = (lambda number: number + 1) if one == 1 else (lambda number: f"{one}{number}")
    if one is True:
        make = bool
    if param.max_items is not None:
        beyond.append([make(number) for number in range(param.max_items + 1)])
        if not isinstance(one, str):
            within.append([make(number) for number in range(param.max_items)])
    if param.min_items:
        beyond.append([])
    if param.rules.get("no_nulls"):
        beyond.append([one, None])
    if param.rules.get("no_duplicates"):
        beyond.append([one, one])
    if "item_max_length" in param.rules:
        within.append(["a" * param.rules["item_max_length"]])
        beyond += [["a" * (param.rules["item_max_length"] + 1)], [""]]


def wrong_values(parameter: Parameter) -> list[tuple[Any, bool]]:
    """Values of other types for a declared parameter, and whether each is certainly wrong."""
    hint = _bare(parameter.type)
    origin = get_origin(hint) or hint
    wrong: Values = []
    if parameter.upload:
        return []
    if parameter.moment:
        wrong = ["yesterday", "2024-13-40 00:00:00", "2024-02-30", 5, [], {}, "0000-00-00 00:00:00"]
    elif origin is int:
        wrong = ["x", "1x", 1.5, [], {}, [1], 2**63, "99999999999999999999", "１x"]
    elif origin is float:
        wrong = ["x", [], {}, "nan", "inf", "1,5"]
    elif origin is bool:
        wrong = ["perhaps", 2, -1, [], {}, "yes!", 0.5]
    elif origin is str:
        wrong = [[], {}, ["a"], {"a": 1}]
    elif origin is list:
        wrong = ["x", "[", "[1", {}, 5, True, "{}", [[[]]], '"a"']
    elif isinstance(origin, type) and issubclass(origin, msgspec.Struct | dict):
        wrong = ["x", "{", [], 5, True, "[]", '{"a"', [1]]
    maybe: Values = [
        None,
        "",
        "null",
        -1,
        0,
        "-1",
        "' OR 1=1 --",
        "<b>",
        "%",
        "..",
        2**31,
        -(2**63),
    ]
    return [(value, True) for value in wrong] + [(value, False) for value in maybe]


def _bare(hint: Any) -> Any:
    """The type without annotations and None."""
    while True:
        if hasattr(hint, "__metadata__"):
            hint = get_args(hint)[0]
        elif type(None) in get_args(hint):
            options = [one for one in get_args(hint) if one is not type(None)]
            if len(options) > 1:
                return object
            hint = options[0]
        else:
            return hint
