"""A centre of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sms_center import SmsCenter


@pytest.fixture
def center() -> Iterator[SmsCenter]:
    with SmsCenter() as center:
        yield center
