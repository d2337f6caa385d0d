"""The transport ``log``: keeps letters as files, for trying things out. Nothing reaches anybody."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from waypost.mail.transport import SENT, Letter, Result

log = structlog.get_logger()


class LogTransport:
    """Whole letters go to ``DIR/mail``, which only the server's user can read; the log says so much
    of them as logs may have."""

    name = "log"

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "mail"

    def send(self, letters: Sequence[Letter]) -> list[Result]:
        return [self._keep(letter) for letter in letters]

    def _keep(self, letter: Letter) -> Result:
        path = self._folder / f"{letter.command_id}-{letter.number}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(opened, "wb") as file:
                file.write(letter.message.as_bytes())
        except OSError as error:
            return Result("later", str(error), str(error))
        log.info("mail", text=letter.shown, file=str(path))
        return SENT
