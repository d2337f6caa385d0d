"""``mail_server``: a mail server to write to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mail_server import MailServer


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server
