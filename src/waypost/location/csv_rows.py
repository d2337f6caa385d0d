"""The public layout of cell tables. Pure.

Source: OpenCelliD wiki, "Database format" (an export format that it shares with the Mozilla
Location Service): ``radio, mcc, net, area, cell, unit, lon, lat, range, samples, changeable,
created, updated, averageSignal``. Some files have a header, others have none; no field is ever
quoted for a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from waypost.location.position import GREATEST_AREA, GREATEST_CELL, GREATEST_NET
from waypost.location.table import DEGREE, RADIOS

CellRow = tuple[int, int, int, int, int, int, int, int, int]
"""``mcc, net, area, cell, radio, latitude, longitude, range, samples``, degrees as
``table.DEGREE`` says, range in metres."""

#: Names of the columns that are read, each with others that stand for it.
_NAMES = (
    ("radio",),
    ("mcc",),
    ("net", "mnc"),
    ("area", "lac", "tac"),
    ("cell", "cellid", "cid"),
    ("lon", "longitude"),
    ("lat", "latitude"),
    ("range",),
    ("samples",),
)
#: Where they are in a file without a header.
_USUAL = (0, 1, 2, 3, 4, 6, 7, 8, 9)
#: Those that every row must have.
_NEEDED = 7
#: No line is longer, bytes.
LONGEST = 4096
#: Wrong lines that are named.
NAMED = 20
#: So many wrong lines before the first good one: it is another file.
STRANGE = 1000

_RADIOS = {name.encode(): number for name, number in RADIOS.items()}
_GREATEST = 2**31 - 1


class LayoutError(Exception):
    """The file is no table of cells; the text says why."""


class WrongLine(NamedTuple):
    """A line that was passed over."""

    line: int
    reason: str


class Reader:
    """Reads a table in pieces, in constant memory; ``wrong`` counts lines, ``named`` has the first
    of them."""

    def __init__(self) -> None:
        self.lines = 0
        self.wrong = 0
        self.named: list[WrongLine] = []
        self._good = False
        self._rest = b""
        self._columns: Sequence[int] = _USUAL

    def feed(self, piece: bytes) -> list[CellRow]:
        """The rows that end in this piece of the file. Raises :class:`LayoutError`."""
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LONGEST:
            raise LayoutError(f"line {self.lines + len(lines) + 1} is longer than {LONGEST} bytes")
        return list(self._rows(lines))

    def finish(self) -> list[CellRow]:
        """The row of a last line without an end. Raises :class:`LayoutError`: nothing in the file
        is a cell."""
        rows = list(self._rows([self._rest])) if self._rest else []
        self._rest = b""
        if not self._good:
            raise LayoutError(f"there is no cell in it{self._first_reason()}")
        return rows

    def _rows(self, lines: list[bytes]) -> Iterator[CellRow]:
        number = self.lines
        self.lines += len(lines)
        if not number and lines and self._is_header(lines[0]):
            lines = lines[1:]
            number = 1
        at = self._columns
        # The hot path: tens of millions of lines.
        r, m, n, a, c, x, y, g, s = at
        radios = _RADIOS
        for line in lines:
            number += 1
            try:
                fields = line.split(b",")
                radio = radios[fields[r]]
                mcc, net, area, cell = (
                    int(fields[m]),
                    int(fields[n]),
                    int(fields[a]),
                    int(fields[c]),
                )
                longitude = round(float(fields[x]) * DEGREE)
                latitude = round(float(fields[y]) * DEGREE)
                reach, samples = int(fields[g]), int(fields[s])
            except (ValueError, KeyError, IndexError, OverflowError):
                row = self._difficult(number, line)
                if row is not None:
                    yield row
                continue
            if (
                0 < mcc < 1000
                and 0 <= net <= GREATEST_NET
                and 0 <= area <= GREATEST_AREA
                and 0 <= cell <= GREATEST_CELL
                and -90_000_000 <= latitude <= 90_000_000
                and -180_000_000 <= longitude <= 180_000_000
                and (latitude or longitude)
                and 0 <= reach <= _GREATEST
                and 0 <= samples <= _GREATEST
            ):
                self._good = True
                yield mcc, net, area, cell, radio, latitude, longitude, reach, samples
            else:
                self._difficult(number, line)

    def _is_header(self, line: bytes) -> bool:
        """Takes the columns' places from a header. Raises :class:`LayoutError` for one that lacks
        some."""
        words = line.removeprefix(b"\xef\xbb\xbf").decode(errors="replace").strip().lower()
        names = [name.strip().strip('"') for name in words.split(",")]
        if not set(names) & {"radio", "mcc", "lat", "latitude"}:
            return False
        places: list[int] = []
        for index, known in enumerate(_NAMES):
            place = next((names.index(name) for name in known if name in names), None)
            if place is None:
                if index < _NEEDED:
                    raise LayoutError(f"the header has no column {known[0]!r}")
                # Absent: a place that no line has.
                place = LONGEST
            places.append(place)
        self._columns = places
        return True

    def _difficult(self, number: int, line: bytes) -> CellRow | None:
        """A line that is not as plain as most: read with care, or noted as wrong. Raises
        :class:`LayoutError` where there are too many of them."""
        text = line.decode(errors="replace").strip()
        if not text:
            return None
        fields = [field.strip().strip('"') for field in text.split(",")]
        try:
            row = self._read(fields)
        except ValueError as error:
            self.wrong += 1
            if len(self.named) < NAMED:
                self.named.append(WrongLine(number, str(error)))
            if not self._good and self.wrong >= STRANGE:
                raise LayoutError(f"this is not a table of cells{self._first_reason()}") from None
            return None
        self._good = True
        return row

    def _read(self, fields: list[str]) -> CellRow:
        """Raises ValueError with what is wrong."""
        known = [fields[at] if at < len(fields) else "" for at in self._columns]
        radio = RADIOS.get(known[0].upper())
        if radio is None:
            raise ValueError(f"no radio network: {known[0][:20]!r}")
        mcc = _whole("mcc", known[1], 1, 999)
        net = _whole("net", known[2], 0, GREATEST_NET)
        area = _whole("area", known[3], 0, GREATEST_AREA)
        cell = _whole("cell", known[4], 0, GREATEST_CELL)
        longitude = _degrees("lon", known[5], 180)
        latitude = _degrees("lat", known[6], 90)
        if not (latitude or longitude):
            raise ValueError("lat and lon are 0")
        reach = _whole("range", known[7] or "0", 0, _GREATEST)
        samples = _whole("samples", known[8] or "0", 0, _GREATEST)
        return mcc, net, area, cell, radio, latitude, longitude, reach, samples

    def _first_reason(self) -> str:
        if not self.named:
            return ""
        first = self.named[0]
        return f" (line {first.line}: {first.reason})"


def _whole(name: str, text: str, least: int, most: int) -> int:
    try:
        number = round(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is no number: {text[:20]!r}") from None
    if not least <= number <= most:
        raise ValueError(f"{name} is not from {least} to {most}: {text[:20]}")
    return number


def _degrees(name: str, text: str, most: int) -> int:
    try:
        number = round(float(text) * DEGREE)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} is no number: {text[:20]!r}") from None
    if abs(number) > most * DEGREE:
        raise ValueError(f"{name} is not from -{most} to {most}: {text[:20]}")
    return number
