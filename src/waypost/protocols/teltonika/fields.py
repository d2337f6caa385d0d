"""Literal bytes and packed expressions in turn: what content, or a row with it, is made of."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator


class Fields:
    """Literals and expressions, each with its format in ``struct``, in their order."""

    def __init__(self) -> None:
        self._parts: list[bytes | tuple[str, str]] = []

    def literal(self, data: bytes) -> None:
        last = self._parts[-1] if self._parts else None
        if isinstance(last, bytes):
            self._parts[-1] = last + data
        else:
            self._parts.append(data)

    def expression(self, form: str, source: str) -> None:
        self._parts.append((form, source))

    def append(self, other: Fields) -> None:
        """``other`` follows."""
        for part in other._parts:
            if isinstance(part, bytes):
                self.literal(part)
            else:
                self._parts.append(part)

    @property
    def size(self) -> int:
        """Bytes of it all."""
        return sum(len(part) if isinstance(part, bytes) else _size(part[0]) for part in self._parts)

    def __bool__(self) -> bool:
        return bool(self._parts)

    def function(self, arguments: str) -> Callable[..., bytes]:
        """Packs it, the expressions being of ``arguments``."""
        form, sources = ">", []
        for part in self._parts:
            if isinstance(part, bytes):
                form += f"{len(part)}s"
                sources.append(repr(part))
            else:
                form += part[0]
                sources.append(part[1])
        # Nothing in it comes from a device.
        source = f"lambda {arguments}: pack({', '.join(sources)})"
        packer: Callable[..., bytes] = eval(source, {"pack": struct.Struct(form).pack})  # noqa: S307
        return packer

    @property
    def template(self) -> bytes:
        """The literals in their places, zeros between them."""
        return b"".join(
            part if isinstance(part, bytes) else bytes(_size(part[0])) for part in self._parts
        )

    def places(self) -> Iterator[tuple[int, str, str]]:
        """Place, format and source of each expression."""
        at = 0
        for part in self._parts:
            if isinstance(part, bytes):
                at += len(part)
            else:
                yield at, *part
                at += _size(part[0])


def _size(form: str) -> int:
    return struct.calcsize(f">{form}")
