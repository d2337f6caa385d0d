"""Makes the project's virtual environment, or says what is missing on this machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)


def main(folder: str) -> None:
    if sys.version_info < OLDEST:
        sys.exit(
            f"Waypost needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is "
            f"{sys.version.split()[0]}. Set PYTHON: make PYTHON=python3.12 run"
        )
    made = subprocess.run([sys.executable, "-m", "venv", folder], capture_output=True, text=True)
    if made.returncode:
        sys.exit(
            f"a virtual environment cannot be made: {made.stdout}{made.stderr}\n"
            "On Debian and Ubuntu: apt-get install python3-venv"
        )
    python = Path(folder) / "bin" / "python"
    subprocess.run([python, "-m", "pip", "--version"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1])
