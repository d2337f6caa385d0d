"""Calibration tables out of XML files of Omnicomm's LLS Monitor.

The maker does not publish the layout and versions differ, so what is looked for is what every
calibration table has: elements side by side that each give a sensor's code and a volume, as
attributes or as elements of their own, under names that say so. Which sensor a table belongs to is
what the nearest element around it says; where none does, tables count in their order.
"""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

import msgspec

#: Names of a sensor's code, of a volume, and of a sensor's number, lower case.
_CODES = frozenset({"code", "n", "level", "lls", "raw", "adc", "freq", "frequency", "in", "x"})
_VOLUMES = frozenset({"volume", "v", "litres", "liters", "litre", "liter", "fuel", "out", "y"})
_NUMBERS = ("sensornumber", "number", "num", "netaddress", "address", "addr", "sensor", "id")

LARGEST = 4 * 1024 * 1024
DEEPEST = 50


class NotCalibration(Exception):
    """The file is no XML, or more than such a file can be."""


class FileTable(msgspec.Struct):
    """The table of one sensor: its number as the file gives it (or by order, from 1), and pairs of
    code and volume."""

    number: int
    points: list[tuple[float, float]]


class _Element:
    __slots__ = ("attributes", "children", "name", "parent", "text")

    def __init__(self, name: str, attributes: dict[str, str], parent: _Element | None) -> None:
        self.name = _bare(name)
        self.attributes = {_bare(key): value for key, value in attributes.items()}
        self.children: list[_Element] = []
        self.parent = parent
        self.text = ""

    def fields(self) -> dict[str, str]:
        """What it says by attributes and by elements without any inside."""
        found = {one.name: one.text for one in self.children if not one.children}
        return {**found, **self.attributes}


def _bare(name: str) -> str:
    return name.rpartition(":")[2].rpartition("}")[2].lower()


def read_tables(content: bytes) -> list[FileTable]:
    """All tables of a file, in its order. Raises :class:`NotCalibration`."""
    if len(content) > LARGEST:
        raise NotCalibration("too large")
    tables: list[FileTable] = []
    for parent, points in _groups(_parse(content)):
        number = _number_of(parent)
        tables.append(FileTable(number if number is not None else len(tables) + 1, points))
    return tables


def _parse(content: bytes) -> _Element:
    root = _Element("", {}, None)
    place = [root]
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(place) > DEEPEST:
            raise NotCalibration("too deep")
        element = _Element(name, attributes, place[-1])
        place[-1].children.append(element)
        place.append(element)

    def end(name: str) -> None:
        place.pop()

    def text(data: str) -> None:
        place[-1].text += data

    def refuse(*details: Any) -> None:
        # Entities could make a small file a huge one, or name other files.
        raise NotCalibration("a document type")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise NotCalibration(str(error)) from None
    return root


def _groups(root: _Element) -> list[tuple[_Element, list[tuple[float, float]]]]:
    """Elements with points directly in them, and these."""
    found: list[tuple[_Element, list[tuple[float, float]]]] = []
    waiting = [root]
    while waiting:
        element = waiting.pop()
        points = [pair for pair in map(_pair, element.children) if pair is not None]
        if points:
            found.append((element, points))
        waiting += reversed(element.children)
    return found


def _pair(element: _Element) -> tuple[float, float] | None:
    fields = element.fields()
    codes = [value for name, value in fields.items() if name in _CODES]
    volumes = [value for name, value in fields.items() if name in _VOLUMES]
    if len(codes) != 1 or len(volumes) != 1:
        return None
    code, volume = _float(codes[0]), _float(volumes[0])
    return None if code is None or volume is None else (code, volume)


def _float(text: str) -> float | None:
    """A number, with a point or a comma."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) <= 1e12 else None


def _number_of(element: _Element) -> int | None:
    around: _Element | None = element
    while around is not None:
        fields = around.fields()
        for name in _NUMBERS:
            text = fields.get(name, "").strip()
            if text.isascii() and text.isdigit() and len(text) < 10:
                return int(text)
        around = around.parent
    return None
