"""What both engines can do but spell differently."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


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
