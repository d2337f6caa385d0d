"""A file of devices to import: CSV as spreadsheets write it, read with every fault named."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from waypost.catalog import models
from waypost.fleet.register import NewDevice, Prepared, prepare
from waypost.fleet.tags import ORDINALS
from waypost.fleet.texts import is_label
from waypost.refusal import Refused

REQUIRED = ("label", "model", "device_id")
OPTIONAL = ("phone", "group", "tags")

#: Longest field, characters.
LONGEST_FIELD = 4096

_TAG_SEPARATOR = re.compile(r"[,;|]")


class Fault(msgspec.Struct, frozen=True, order=True):
    """What is wrong, and in which line of the file (the header is line 1)."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class ImportRefused(Exception):
    """The file cannot be imported; nothing of it was."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class Line(msgspec.Struct):
    """One device of the file."""

    number: int
    device: Prepared
    group: str | None
    tags: tuple[str, ...]


def read_lines(data: bytes) -> tuple[list[Line], list[Fault]]:
    """The devices of a file: of those lines that are right in themselves, and all that is wrong
    with the others. Header ``label,model,device_id`` and optionally ``phone,group,tags`` in any
    order; comma, semicolon or tab between fields. Raises :class:`ImportRefused` for what is no such
    file at all."""
    rows = _rows(_text(data))
    try:
        number, header = next(rows)
    except StopIteration:
        raise ImportRefused([Fault(1, "the file is empty")]) from None
    columns = _columns(number, header)
    faults: list[Fault] = []
    lines: list[Line] = []
    first: dict[tuple[str, str], int] = {}
    for number, fields in rows:
        if len(fields) > len(columns) and not any(fields[len(columns) :]):
            del fields[len(columns) :]
        if len(fields) != len(columns):
            text = f"has {len(fields)} fields, the header has {len(columns)}"
            faults.append(Fault(number, text))
            continue
        stated = dict(zip(columns, fields, strict=True))
        line = _line(number, stated, faults)
        faults += _repeats(number, stated, line, first)
        if line is not None:
            lines.append(line)
    if not lines and not faults:
        raise ImportRefused([Fault(1, "the file has a header and no device")])
    return lines, faults


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefused([Fault(1, "the file is UTF-16: save it as UTF-8")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        text = f"is not UTF-8 (byte 0x{data[error.start]:02x}): save the file as UTF-8"
        raise ImportRefused([Fault(line, text)]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ImportRefused([Fault(line, "holds a zero byte: this is no text file")])
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Number of its first line and fields of each row that is not blank."""
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ImportRefused([Fault(number, f"cannot be read: {error}")]) from None
        fields = [field.strip() for field in fields]
        if any(fields):
            yield number, fields


def _columns(number: int, header: list[str]) -> list[str]:
    while header and not header[-1]:
        header.pop()
    columns = [name.lower() for name in header]
    faults = []
    for name in columns:
        if name not in REQUIRED + OPTIONAL:
            known = ", ".join(REQUIRED + OPTIONAL)
            faults.append(Fault(number, f"unknown column {name[:60]!r}; there are {known}"))
        elif columns.count(name) > 1:
            faults.append(Fault(number, f"column {name} is there twice"))
    for name in REQUIRED:
        if name not in columns:
            faults.append(Fault(number, f"column {name} is missing"))
    if faults:
        raise ImportRefused(list(dict.fromkeys(faults)))
    return columns


def _line(number: int, fields: dict[str, str], faults: list[Fault]) -> Line | None:
    wrong = [
        Fault(number, f"{name} is longer than {LONGEST_FIELD} characters")
        for name, field in fields.items()
        if len(field) > LONGEST_FIELD
    ]
    group = fields.get("group") or None
    tags = tuple(
        dict.fromkeys(
            tag.strip() for tag in _TAG_SEPARATOR.split(fields.get("tags", "")) if tag.strip()
        )
    )
    if not is_label(fields["label"]):
        wrong.append(Fault(number, "label must be 1 to 60 printable characters"))
    if group is not None and not is_label(group):
        wrong.append(Fault(number, "group must be 1 to 60 printable characters"))
    if not all(is_label(tag) for tag in tags):
        wrong.append(Fault(number, "tags must be 1 to 60 printable characters each"))
    if len(tags) > ORDINALS:
        wrong.append(Fault(number, f"has {len(tags)} tags; a tracker has at most {ORDINALS}"))
    device: Prepared | None = None
    try:
        device = prepare(
            NewDevice(
                label=fields["label"],
                model=fields["model"],
                device_id=fields["device_id"] or None,
                phone=fields.get("phone") or None,
            )
        )
    except Refused as refused:
        wrong.append(Fault(number, _reason(refused, fields)))
    faults += wrong
    if wrong or device is None:
        return None
    return Line(number, device, group, tags)


def _reason(refused: Refused, fields: dict[str, str]) -> str:
    """Why a device cannot be registered, in words."""
    model = fields["model"][:60]
    if refused.code == 220:
        return f"unknown model {model!r}"
    if refused.code == 222:
        known = models.model(fields["model"])
        if known is not None and known.mobile:
            return f"model {model!r} is an app, which cannot be imported"
        return f"model {model!r} cannot be registered: no protocol for it yet"
    wrong = refused.extra["errors"][0]
    parameter = str(wrong["parameter"])
    return f"{parameter} {fields.get(parameter, '')[:60]!r} {wrong['error']}"


def _repeats(
    number: int, stated: dict[str, str], line: Line | None, first: dict[tuple[str, str], int]
) -> Iterator[Fault]:
    """What this line has in common with an earlier one, be that right or wrong: ``first`` says
    which line had a device id or a phone first."""
    for name in ("device_id", "phone"):
        value = stated.get(name) if line is None else getattr(line.device, name)
        if value and first.setdefault((name, value), number) != number:
            yield Fault(number, f"{name} {value[:60]} is in line {first[name, value]} already")
