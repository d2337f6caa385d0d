"""What devices connect to: ports, connections, sessions, the tap and the inbox."""

from waypost.bus.taps import Entry
from waypost.gateway.gateway import Gateway
from waypost.gateway.inbox import Stranger
from waypost.gateway.sessions import Session

__all__ = ["Entry", "Gateway", "Session", "Stranger"]
