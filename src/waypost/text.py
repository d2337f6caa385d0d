"""What texts of clients may hold, as the API's "printable characters" mean it: no control,
private-use or surrogate characters; every kind of space is welcome."""

from __future__ import annotations

import re

#: For ``msgspec.Meta(pattern=...)``. (Python's ``$`` would let a line feed at the end pass.)
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff]*$(?!\n)"

_printable = re.compile(PRINTABLE)


def is_printable(text: str) -> bool:
    """Has ``text`` printable characters only?"""
    return _printable.match(text) is not None
