"""The command line. A module of this package is a command: it holds a function, or an App of
further commands, of its own name. What is slow to import, it imports inside the function: one
command must not pay for what another needs."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Sequence
from importlib import import_module

from cyclopts import App, CycloptsError

from waypost import __version__
from waypost.cli._errors import CommandFailed
from waypost.settings import SettingsError

#: Exit codes: it could not be done; it was asked wrongly.
FAILED, USAGE = 1, 2

app = App(
    name="waypost",
    help="An open, self-hosted GPS tracking platform.",
    version=__version__,
    help_format="plaintext",
    error_formatter=lambda error: f"waypost: {error}",
)
for _module in pkgutil.iter_modules(__path__):
    if not _module.name.startswith("_"):
        _command = getattr(import_module(f"{__name__}.{_module.name}"), _module.name)
        app.command(_command, name=_module.name)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: 0 done, 1 failed, 2 asked wrongly. ``arguments`` without the
    program's name; None: those of this process."""
    try:
        result = app(
            None if arguments is None else list(arguments),
            exit_on_error=False,
            result_action="return_value",
        )
    except CycloptsError:  # cyclopts has said what is wrong
        sys.exit(USAGE)
    except SettingsError as error:
        _say(error)
        sys.exit(USAGE)
    except CommandFailed as error:
        _say(error)
        sys.exit(FAILED)
    except BrokenPipeError:
        # Whoever read our output has left; closing standard error keeps the interpreter from
        # complaining about it once more while it ends.
        sys.stderr.close()
        sys.exit(FAILED)
    sys.exit(result if isinstance(result, int) else 0)


def _say(error: Exception) -> None:
    sys.stderr.write(f"waypost: {error}\n")
