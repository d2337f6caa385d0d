"""Writes docs/actions: a page for every group of actions, with calls that the tests make."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "actions"


def main() -> None:
    sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "tests" / "contract")]
    from action_pages import pages

    FOLDER.mkdir(exist_ok=True)
    wanted = pages()
    for file in FOLDER.glob("*.md"):
        if file.name not in wanted:
            file.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
