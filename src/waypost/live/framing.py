"""How messages stand on the wire.

A plain WebSocket client gets one text frame for each message. Older clients speak through the
Atmosphere framework, whose parameters are in the address (or among the headers): with
``X-atmo-protocol=true`` the first frame is ``<tracking id>|<milliseconds between heartbeats>|X|``,
and frames of ``X`` follow; with ``X-Atmosphere-TrackMessageSize=true`` each message is preceded by
its length in UTF-16 units and ``|``. Source: the vendor's WebSocket pages, and the Atmosphere
wiki, "Understanding the Atmosphere Protocol".
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from struct import pack

import msgspec

#: Milliseconds between heartbeats, as the documentation shows it.
HEARTBEAT = 30_000
PADDING = b"X"
DELIMITER = b"|"


class Framing(msgspec.Struct, frozen=True):
    """What a client asked for. ``opens``: the handshake and heartbeats; ``tracked``: lengths."""

    opens: bool = False
    tracked: bool = False
    tracking_id: str = ""

    def opening(self) -> bytes | None:
        """The first frame, where the client waits for one."""
        if not self.opens:
            return None
        return self.frame(f"{self.tracking_id}|{HEARTBEAT}|X|".encode())

    def frame(self, message: bytes) -> bytes:
        """A message (UTF-8) as it goes out."""
        if self.tracked:
            size = len(message)
            if not message.isascii():
                size = len(message.decode().encode("utf-16-le")) // 2
            message = b"%d%b%b" % (size, DELIMITER, message)
        return text_frame(message)


PLAIN = Framing()


def framing_of(parameters: Mapping[str, str]) -> Framing:
    """What a client's parameters ask for; their names are lower case."""
    opens = parameters.get("x-atmo-protocol", "").lower() == "true"
    tracked = parameters.get("x-atmosphere-trackmessagesize", "").lower() == "true"
    if not opens and not tracked:
        return PLAIN
    try:
        tracking_id = str(uuid.UUID(parameters.get("x-atmosphere-tracking-id", "")))
    except ValueError:
        tracking_id = str(uuid.uuid4())
    return Framing(opens, tracked, tracking_id)


def is_heartbeat(message: bytes) -> bool:
    """Nothing but padding: a sign of life of the client."""
    return not message.strip().removeprefix(b"1|").strip(PADDING)


def text_frame(message: bytes) -> bytes:
    """One unfragmented text frame from the server (RFC 6455, section 5.2)."""
    size = len(message)
    if size < 126:
        return pack("!BB", 0x81, size) + message
    if size < 65_536:
        return pack("!BBH", 0x81, 126, size) + message
    return pack("!BBQ", 0x81, 127, size) + message
