"""Whose request it is, where proxies stand before us."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence


class Addresses:
    """Believes ``X-Forwarded-For`` of trusted proxies (addresses or networks) only."""

    def __init__(self, trusted: Sequence[str]) -> None:
        """Raises ValueError for what is no address or network."""
        self._networks = [ipaddress.ip_network(one, strict=False) for one in trusted]

    def client(self, peer: str, forwarded: str) -> str:
        """The caller's address: ``peer``, or the nearest one in the header that is no trusted proxy
        itself. A peer without address (a local socket) is trusted."""
        if not forwarded or (peer and not self._trusted(peer)):
            return peer
        nearest = peer
        for hop in reversed(forwarded.split(",")):
            hop = hop.strip()
            try:
                ipaddress.ip_address(hop)
            except ValueError:
                break
            nearest = hop
            if not self._trusted(hop):
                break
        return nearest

    def _trusted(self, address: str) -> bool:
        try:
            one = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(one in network for network in self._networks)
