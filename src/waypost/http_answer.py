"""What other servers answer over HTTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

# At level INFO it writes whole addresses; keys and the texts of messages are among them.
logging.getLogger("httpx").setLevel(logging.WARNING)

#: Bytes of an answer that are looked at.
LONGEST = 65_536


async def read_answer(response: httpx.Response) -> bytes:
    """The body of an answer that is being streamed; of one that is longer than :data:`LONGEST` the
    beginning, so that no server can fill the memory."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LONGEST:
            break
    return bytes(body)
