"""Writes docs/api-coverage.md: which test holds which documented code of which action."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "api-coverage.md"


def main() -> None:
    sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "tests" / "contract")]
    from contract_coverage import render

    PAGE.write_text(render())


if __name__ == "__main__":
    main()
