"""What texts may hold. Those of clients, as the API's "printable characters" mean it: no control or
private-use characters; every kind of space is welcome. (Halves of surrogate pairs do not get past
the edge.)

For ``msgspec.Meta(pattern=...)``, in what Python's and JSON Schema's patterns have in common;
Python's ``$`` would let a line feed at the end pass.
"""

from __future__ import annotations

import re

#: The very end of a text.
END = r"(?![\s\S])"
PRINTABLE = r"^(?![\s\S]*[\x00-\x1f\x7f-\x9f\ue000-\uf8ff])"
LOCALE = r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,4}){0,2}" + END

_printable = re.compile(PRINTABLE)


def is_printable(text: str) -> bool:
    """Has ``text`` printable characters only?"""
    return _printable.match(text) is not None


def storable(text: str) -> str:
    """A text of devices and providers, which may hold anything, as both databases can."""
    return text.replace("\0", "").encode(errors="replace").decode()
