"""How many connections there may be, in all and from one address."""

from __future__ import annotations


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
