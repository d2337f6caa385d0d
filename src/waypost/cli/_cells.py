"""``waypost admin cells``: the table of mobile cells.

Unlike the other commands this one never asks a running server: the table is built here, in a
process of its own, so that tens of millions of rows hold up neither devices nor callers. The server
notices the new table by itself.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from waypost.cli._errors import CommandFailed
from waypost.cli._output import print_json
from waypost.settings import SettingsError, load

cells = App(name="cells", help="The table of mobile cells, for positions without satellites.")

#: What the table's builder leaves to the server: it is in no hurry.
NICE = 10
#: Seconds between two lines about how far it is, where nobody sees a bar.
LINE = 5.0


@cells.command(name="import")
def import_(
    *files: Annotated[Path, Parameter(help="Files of the public layout, plain or gzip.")],
    replace: Annotated[bool, Parameter(negative=())] = False,
    data_dir: Path | None = None,
) -> None:
    """Add the cells of files to the table, or bring those in it up to date.

    The columns are radio,mcc,net,area,cell,unit,lon,lat,range,samples,... (OpenCelliD), with or
    without a header. Wrong lines are passed over and named. Until all is done, and if it fails or
    is stopped, the table stays as it was.

    Parameters
    ----------
    replace
        The table shall have only what is in these files.
    data_dir
        The server's data directory.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    from waypost.location.importing import ImportFailed, import_cells

    if not files:
        raise SettingsError("no file is given")
    folder = load({"data_dir": data_dir}).data_dir
    os.nice(NICE)
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("reading", total=None)
        said = "", float("-inf")

        def show(step: str, done: int, of: int) -> None:
            nonlocal said
            bar.update(task, description=step, completed=done, total=of or None)
            now = time.monotonic()
            if not console.is_terminal and (step != said[0] or now - said[1] > LINE):
                said = step, now
                sys.stderr.write(f"{step} {done} of {of} bytes\n" if of else f"{step}\n")

        try:
            done = import_cells(folder, files, replace=replace, show=show)
        except ImportFailed as error:
            raise CommandFailed(f"{error}; the table is as it was") from None
        except KeyboardInterrupt:
            raise CommandFailed("stopped; the table is as it was") from None
    for line in done.wrong_lines:
        sys.stderr.write(f"passed over: {line}\n")
    print_json(
        {
            "read": done.read,
            "cells": done.cells,
            "wrong": done.wrong,
            "wrong_lines": done.wrong_lines,
            "bytes": done.bytes,
            "seconds": done.seconds,
        }
    )


@cells.command
def about(*, data_dir: Path | None = None) -> None:
    """Show what the table holds: {"cells": N, "imported": TIME, "files": NAMES, "bytes": N}.

    Parameters
    ----------
    data_dir
        The server's data directory.
    """
    from waypost.location import table

    path = load({"data_dir": data_dir}).data_dir / table.FILE
    if not path.exists():
        print_json({"cells": 0, "imported": None, "files": None, "bytes": 0})
        return
    try:
        told = table.about(path)
    except table.TableError as error:
        raise CommandFailed(str(error)) from None
    imported = datetime.fromtimestamp(told["imported"] / 1000, UTC)
    print_json(
        {
            "cells": told["cells"],
            "imported": imported.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "files": told["files"],
            "bytes": path.stat().st_size,
        }
    )
