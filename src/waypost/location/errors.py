"""What the provider may answer besides a position. Without the provider's HTTP client, which is
imported only where there is one."""

from __future__ import annotations


class NotNow(Exception):
    """The provider gives no answer at the moment; the text says why."""
