"""One process at a time works on an embedded database."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from waypost.settings import SettingsError

FILE = "waypost.lock"


class DataInUse(SettingsError):
    """Another process works on the data directory."""


def lock_data(data_dir: Path) -> IO[str]:
    """Holds the data directory until the file, which says by whom it is held, is closed. Raises
    :class:`DataInUse`, and SettingsError for a directory that cannot be written to."""
    make_data_dir(data_dir)
    try:
        lock = (data_dir / FILE).open("a+")
    except OSError as error:
        raise _unusable(data_dir, error) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        with lock:
            lock.seek(0)
            who = lock.read().strip()
        process = f" (process {who})" if who else ""
        raise DataInUse(
            f"another Waypost is running on {data_dir}{process}: "
            "stop it first, or set another data_dir"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def make_data_dir(data_dir: Path) -> None:
    """Makes it where it is not there. Raises SettingsError where that cannot be."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(data_dir, error) from None


def _unusable(data_dir: Path, error: OSError) -> SettingsError:
    return SettingsError(f"data_dir: {data_dir} cannot be used: {error.strerror or error}")
