"""How many connections there may be, in all and from one address."""

from __future__ import annotations

import resource

#: File descriptors left for everything but device connections: databases, API, files.
RESERVED = 256


def raise_file_limit() -> int:
    """Lets this process have as many open files as the system allows it; returns how many
    connections fit beside everything else."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return 2**31
    return max(hard - RESERVED, hard // 2)


class Admission:
    """Counts connections. ``per_address`` 0: no limit for one address."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._addresses: dict[str, int] = {}
        self.count = 0

    def enter(self, host: str) -> str | None:
        """Takes a place, or says which limit (the setting's name) forbids it."""
        if self.count >= self._total:
            return "connections"
        here = self._addresses.get(host, 0)
        if self._per_address and here >= self._per_address:
            return "connections_per_address"
        self._addresses[host] = here + 1
        self.count += 1
        return None

    def leave(self, host: str) -> None:
        """Gives a place back."""
        self.count -= 1
        here = self._addresses[host] - 1
        if here:
            self._addresses[host] = here
        else:
            del self._addresses[host]
