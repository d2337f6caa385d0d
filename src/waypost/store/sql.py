"""What both engines can do but spell differently, and how much they take at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

T = TypeVar("T")

#: Values in one statement: engines have a limit, and long lists take long to plan.
CHUNK = 1000


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """``values`` in lists that one statement can take."""
    every = list(values)
    for start in range(0, len(every), size):
        yield every[start : start + size]


class utc_text(FunctionElement[str]):
    """A column of milliseconds as ``2021-05-20 13:49:09`` (UTC); null stays null."""

    type = Text()
    name = "utc_text"
    inherit_cache = True


@compiles(utc_text, "sqlite")
def _sqlite(element: utc_text, compiler: Any, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"datetime({moment} / 1000, 'unixepoch')"


@compiles(utc_text, "postgresql")
def _postgresql(element: utc_text, compiler: Any, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"to_char(to_timestamp({moment} / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
