"""Where the local socket is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "admin.sock"
#: Longest line: the file of an import is part of a request.
LONGEST = 64 * 1024 * 1024
#: Bytes that fit the address of a local socket, on the system that has the least.
ADDRESS_BYTES = 100


@contextmanager
def address_of(data_dir: Path) -> Iterator[str]:
    """The socket's path as the system takes it: an address holds about a hundred bytes only, so a
    longer path is named through its open directory."""
    path = str((data_dir / FILE).absolute())
    if len(os.fsencode(path)) <= ADDRESS_BYTES:
        yield path
        return
    directory = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{directory}/{FILE}"
    finally:
        os.close(directory)
