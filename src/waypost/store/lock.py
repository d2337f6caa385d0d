"""One process at a time works on an embedded database."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from waypost.settings import SettingsError

FILE = "waypost.lock"


class DataInUse(SettingsError):
    """Another process works on the data directory."""


def lock_data(data_dir: Path) -> IO[str]:
    """Holds the data directory until the file is closed. Raises :class:`DataInUse`."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / FILE).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise DataInUse(
            f"another Waypost is running on {data_dir}: stop it first, or set another data_dir"
        ) from None
    return lock
