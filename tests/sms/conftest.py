"""A centre of one's own, and a sender that does not take its time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sms_center import SmsCenter

from waypost.sms import sender, smpp


@pytest.fixture
def center() -> Iterator[SmsCenter]:
    with SmsCenter() as center:
        yield center


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at the queue and tries to connect again soon."""
    monkeypatch.setattr(sender, "LEAD", 0.2)
    monkeypatch.setattr(smpp, "FIRST_DELAY", 0.1)
    monkeypatch.setattr(smpp, "LONGEST_DELAY", 0.4)
