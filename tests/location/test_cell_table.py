"""Importing cells, and looking them up meanwhile."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from waypost.cli import main
from waypost.location.csv_rows import LayoutError, Reader
from waypost.location.importing import Imported, ImportFailed, import_cells
from waypost.location.position import KnownCell
from waypost.location.table import FILE, CellTable
from waypost.telemetry.message import Cell

pytestmark = pytest.mark.anyio

HEADER = (
    "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
)
#: Rows as the public tables have them.
UMTS = "UMTS,262,2,801,86355,0,13.285512,52.522202,1000,7,1,1282569574,1300155341,0"
LTE = "LTE,262,1,5001,26385408,42,13.404954,52.520008,1500,120,1,1282569574,1300155341,-97"
GSM = "GSM,262,1,5001,301,,13.40,52.52,0,1,1,1282569574,1300155341,"


def row(cell: int, latitude: float = 52.5, radio: str = "GSM", samples: int = 1) -> str:
    return f"{radio},262,1,5001,{cell},0,13.4,{latitude},1000,{samples},1,1282569574,1300155341,0"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of these lines."""

    def make(*lines: str, name: str = "cells.csv") -> Path:
        path = tmp_path / name
        content = "\n".join(lines).encode() + b"\n"
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return make


def load(data_dir: Path, *files: Path, **how: Any) -> Imported:
    return import_cells(data_dir, files, show=lambda *_: None, **how)


async def find(data_dir: Path, *cells: Cell) -> list[KnownCell]:
    table = CellTable(data_dir / FILE)
    (found,) = await table.find([cells])
    await table.close()
    return found


@pytest.mark.parametrize("name", ["cells.csv", "cells.csv.gz"])
@pytest.mark.parametrize("header", [[HEADER], []])
async def test_public_tables_are_looked_up(
    data_dir: Path, write: Callable[..., Path], name: str, header: list[str]
) -> None:
    done = load(data_dir, write(*header, UMTS, LTE, GSM, name=name))
    assert (done.read, done.cells, done.wrong) == (3, 3, 0)
    assert await find(
        data_dir, Cell(801, 86355, 262, 2, -80), Cell(5001, 26385408, 262, 1), Cell(5001, 9, 262, 1)
    ) == [KnownCell(52.522202, 13.285512, 1000, -80), KnownCell(52.520008, 13.404954, 1500)]
    # A range that nobody measured is the radio network's usual one.
    assert await find(data_dir, Cell(5001, 301, 262, 1)) == [KnownCell(52.52, 13.4, 5000)]


async def test_columns_by_their_names(data_dir: Path, write: Callable[..., Path]) -> None:
    lines = ["\ufefflat,lon,mnc,mcc,cellid,lac,radio", "52.52,13.4,1,262,301,5001,gsm\r"]
    assert load(data_dir, write(*lines)).cells == 1
    assert await find(data_dir, Cell(5001, 301, 262, 1)) == [KnownCell(52.52, 13.4, 5000)]


async def test_one_number_in_several_radio_networks(
    data_dir: Path, write: Callable[..., Path]
) -> None:
    load(data_dir, write(row(7, 50.0, "GSM", 5), row(7, 51.0, "UMTS", 90), row(7, 52.0, "LTE", 9)))
    for told, latitude in (
        ("LTE", 52.0),
        ("WCDMA", 51.0),
        ("gsm", 50.0),
        (None, 51.0),
        ("?", 51.0),
    ):
        (found,) = await find(data_dir, Cell(5001, 7, 262, 1, None, told))
        assert found.latitude == latitude


async def test_wrong_lines_are_passed_over_counted_and_named(
    data_dir: Path, write: Callable[..., Path]
) -> None:
    wrong = [
        ("WLAN,262,1,5001,1,0,13.4,52.5,1,1", "no radio network"),
        ("GSM,262,1,5001", "cell is no number"),
        ("GSM,1262,1,5001,1,0,13.4,52.5,1,1", "mcc is not from 1 to 999"),
        ("GSM,262,x,5001,1,0,13.4,52.5,1,1", "net is no number"),
        ("GSM,262,1,-1,1,0,13.4,52.5,1,1", "area is not from 0"),
        ("GSM,262,1,5001,1,0,13.4,95.5,1,1", "lat is not from -90 to 90"),
        ("GSM,262,1,5001,1,0,nan,52.5,1,1", "lon is no number"),
        ("GSM,262,1,5001,1,0,inf,52.5,1,1", "lon is no number"),
        ("GSM,262,1,5001,1,0,0,0.0,1,1", "lat and lon are 0"),
        ("GSM,262,1,5001,1,0,13.4,52.5,-5,1", "range is not from 0"),
        ("\x00\x01", "no radio network"),
    ]
    good = [row(7), "", '"GSM",262,1,5001,8,0,13.4,52.5,1000.0,1', row(9)]
    lines = [HEADER, good[0], *(line for line, _ in wrong), *good[1:]]
    done = load(data_dir, write(*lines))
    assert (done.read, done.cells, done.wrong) == (3, 3, len(wrong))
    for number, ((_, reason), told) in enumerate(zip(wrong, done.wrong_lines, strict=True)):
        assert told.startswith(f"cells.csv, line {number + 3}: {reason}")


async def test_imports_add_and_bring_up_to_date(data_dir: Path, write: Callable[..., Path]) -> None:
    one = write(row(1), row(2), name="one.csv")
    two = write(row(2, 48.0), row(3), row(3, 47.0), name="two.csv.gz")
    assert load(data_dir, one).cells == 2
    assert load(data_dir, one).cells == 2
    assert load(data_dir, two).cells == 3
    found = await find(data_dir, *(Cell(5001, number, 262, 1) for number in (1, 2, 3)))
    assert [cell.latitude for cell in found] == [52.5, 48.0, 47.0]
    assert load(data_dir, two, one).cells == 3
    found = await find(data_dir, Cell(5001, 2, 262, 1))
    assert [cell.latitude for cell in found] == [52.5]
    assert load(data_dir, two, replace=True).cells == 2
    assert await find(data_dir, Cell(5001, 1, 262, 1)) == []


async def test_a_file_that_is_no_table_changes_nothing(
    data_dir: Path, write: Callable[..., Path], tmp_path: Path
) -> None:
    load(data_dir, write(row(1)))
    before = (data_dir / FILE).read_bytes()
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress("\n".join(map(row, range(1, 5000))).encode())[:-200])
    noise = tmp_path / "noise"
    noise.write_bytes(random.Random(1).randbytes(3_000_000).replace(b"\n", b" "))
    spoilt = tmp_path / "spoilt.gz"
    spoilt.write_bytes(cut.read_bytes()[:2000] + b"\0" * 3000)
    for path, reason in (
        (write("", name="empty.csv"), "there is no cell in it"),
        (write(HEADER, name="header.csv"), "there is no cell in it"),
        (write("radio,mcc,net,lon,lat", row(2), name="less.csv"), "no column 'area'"),
        (write(*["a,b,c"] * 5000, name="other.csv"), "not a table of cells (line 1: no radio"),
        (noise, "longer than 4096 bytes"),
        (cut, "damaged or cut off"),
        (spoilt, "damaged or cut off"),
        (tmp_path / "nowhere.csv", "nowhere.csv: No such file"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(ImportFailed) as raised:
            load(data_dir, write(row(9), name="good.csv"), path)
        assert reason in str(raised.value)
        assert (data_dir / FILE).read_bytes() == before
        assert sorted(os.listdir(data_dir)) == [FILE, "cells.lock"]


async def test_a_table_that_cannot_be_used_is_no_table(
    data_dir: Path, write: Callable[..., Path]
) -> None:
    load(data_dir, write(row(1)))
    path = data_dir / FILE
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cells (x)")
    other.close()
    assert await find(data_dir, Cell(5001, 1, 262, 1)) == []
    with pytest.raises(ImportFailed, match=r"import it again \(--replace makes"):
        load(data_dir, write(row(1)))
    path.write_bytes(b"no database at all" * 1000)
    assert await find(data_dir, Cell(5001, 1, 262, 1)) == []
    load(data_dir, write(row(1)), replace=True)
    assert len(await find(data_dir, Cell(5001, 1, 262, 1))) == 1


async def test_who_looks_cells_up_sees_the_old_table_or_the_new_one(
    data_dir: Path, write: Callable[..., Path]
) -> None:
    table = CellTable(data_dir / FILE)
    cells = [Cell(5001, number, 262, 1) for number in range(1, 50)]
    assert await table.find([cells]) == [[]]
    for number in range(4):
        lines = [row(cell, 50.0 + number) for cell in range(1, 50)]
        load(data_dir, write(*lines), replace=bool(number % 2))
        (found,) = await table.find([cells])
        assert {cell.latitude for cell in found} == {50.0 + number}
        assert len(found) == 49
    await table.close()


@pytest.fixture
def importing(data_dir: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """An import that is under way in a process of its own: its second file never comes."""
    files = [tmp_path / "big.csv", tmp_path / "pipe.csv"]
    files[0].write_text("\n".join(row(1 + n * 7 % 200_000_003) for n in range(50_000)))
    os.mkfifo(files[1])
    command = [sys.executable, "-m", "waypost.cli", "admin", "cells", "import", *map(str, files)]
    # A shell that runs the tests in the background has them, and what they start, ignore it.
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [*command, "--data-dir", str(data_dir)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    signal.signal(signal.SIGINT, usual)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("reading")
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
async def test_an_interrupted_import_leaves_the_old_table(
    data_dir: Path,
    write: Callable[..., Path],
    how: signal.Signals,
    request: pytest.FixtureRequest,
) -> None:
    load(data_dir, write(row(1)))
    process: subprocess.Popen[str] = request.getfixturevalue("importing")
    with pytest.raises(ImportFailed, match="another import is under way"):
        load(data_dir, write(row(2)))
    process.send_signal(how)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == (1 if how is signal.SIGINT else -how)
    assert ("stopped; the table is as it was" in said) == (how is signal.SIGINT)
    assert len(await find(data_dir, Cell(5001, 1, 262, 1), Cell(5001, 8, 262, 1))) == 1
    # What a killed import left is no hindrance.
    assert load(data_dir, write(row(2))).cells == 2
    assert sorted(os.listdir(data_dir)) == [FILE, "cells.lock"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["admin", "cells", *arguments])
    said = capsys.readouterr()
    return int(str(ended.value.code)), said.out, said.err


def test_the_command_line(
    data_dir: Path,
    write: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "nice", lambda by: by)
    here = ("--data-dir", str(data_dir))
    code, out, _ = run(capsys, "about", *here)
    assert (code, json.loads(out)["cells"]) == (0, 0)
    path = write(HEADER, UMTS, "GSM,no,such,cell", LTE)
    code, out, err = run(capsys, "import", str(path), *here)
    assert code == 0
    done = json.loads(out)
    assert (done["read"], done["cells"], done["wrong"]) == (2, 2, 1)
    assert done["wrong_lines"] == ["cells.csv, line 3: mcc is no number: 'no'"]
    assert "reading" in err
    assert "sorting" in err
    assert "passed over: cells.csv, line 3" in err
    code, out, _ = run(capsys, "about", *here)
    told = json.loads(out)
    assert (told["cells"], told["files"]) == (2, "cells.csv")
    assert told["bytes"] == (data_dir / FILE).stat().st_size
    assert told["imported"].startswith(time.strftime("%Y-", time.gmtime()))
    code, _, err = run(capsys, "import", str(data_dir / "none.csv"), *here)
    assert code == 1
    assert err.count("\n") == 1
    assert "the table is as it was" in err
    assert run(capsys, "import", *here)[0] == 2


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_pieces_of_any_size(size: int) -> None:
    content = "\n".join([HEADER, UMTS, LTE, "wrong", GSM]).encode()
    reader = Reader()
    rows = []
    for start in range(0, len(content), size):
        rows += reader.feed(content[start : start + size])
    rows += reader.finish()
    assert [row[2:4] for row in rows] == [(801, 86355), (5001, 26385408), (5001, 301)]
    assert [line.line for line in reader.named] == [4]


def test_a_thousand_wrong_lines_before_the_first_good_one_are_another_file() -> None:
    reader = Reader()
    with pytest.raises(LayoutError, match="line 1: no radio network"):
        reader.feed(b"1;2;3\n" * 1000)
    reader = Reader()
    assert len(reader.feed(row(1).encode() + b"\n" + b"1;2;3\n" * 5000)) == 1
    assert reader.wrong == 5000
    assert len(reader.named) == 20
