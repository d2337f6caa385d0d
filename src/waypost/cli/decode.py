"""``waypost decode``."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from waypost.cli._errors import CommandFailed
from waypost.settings import SettingsError


def decode(protocol: str | None = None, data: str | None = None, /) -> None:
    """Decode recorded device traffic.

    Without arguments: reads one JSON object a line ({"protocol", "transport", "payload", ...}) and
    writes one for each ({"device_ids", "messages", "reply", "error"}). With a protocol and bytes in
    hex: shows what they say.

    Parameters
    ----------
    protocol
        Name of the protocol, for decoding by hand.
    data
        The bytes that the device sent, in hex.
    """
    if protocol is not None and data is None:
        raise SettingsError(
            "decode PROTOCOL HEX: the bytes are missing "
            "(without PROTOCOL, lines of JSON are read from standard input)"
        )
    from waypost.protocols import all_protocols
    from waypost.protocols.replay import Replay

    all_protocols()  # a protocol that does not even load ends the command, not each line
    player = Replay()
    if protocol is None:
        for line in sys.stdin.buffer:
            try:
                result = player.feed(line)
            except Exception as fault:
                # A decoder's own fault: whoever feeds us still gets a line for a line.
                logging.exception("decoder fault in %r", line[:200])
                result = {
                    "device_ids": [],
                    "messages": [],
                    "reply": None,
                    "error": f"decoder fault: {fault!r}",
                }
            sys.stdout.write(json.dumps(result, allow_nan=False) + "\n")
            sys.stdout.flush()
        return
    result = player.feed(json.dumps({"protocol": protocol, "transport": "binary", "payload": data}))
    sys.stdout.write(_readable(result))
    if result["error"] is not None:
        raise CommandFailed(result["error"])


def _readable(result: dict[str, Any]) -> str:
    """A result for a person."""
    lines = []
    if result["device_ids"]:
        lines.append(f"device   {', '.join(result['device_ids'])}")
    for number, message in enumerate(result["messages"], 1):
        lines.append(f"message {number}  {message['time'] or 'without time'}")
        if message["device_time"] is not None:
            lines.append(f"  device_time: {message['device_time']}")
        location = message["location"] or {}
        for group in (location, {"event_id": message["event_id"]}, message["values"]):
            lines += [f"  {name}: {value}" for name, value in group.items() if value is not None]
        for name in ("mobile_cells", "wifi_points"):
            lines += [f"  {name}: {json.dumps(item)}" for item in message[name]]
        lines += [f"  {name}: {value}  (its own)" for name, value in message["other"].items()]
    if not result["messages"]:
        lines.append("no messages")
    lines.append(f"reply    {'none' if result['reply'] is None else result['reply']}")
    return "\n".join(lines) + "\n"
