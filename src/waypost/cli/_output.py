"""What commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any


def print_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """A table where a person looks on, else one line of JSON for each row."""
    if not sys.stdout.isatty():
        for row in rows:
            print_json(row)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    if not rows:
        console.print("none", style="dim")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    console.print(table)
