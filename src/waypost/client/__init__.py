"""A typed client for Waypost, and for every server that speaks the same API.

::

    from waypost.client import Client, Refused

    with Client("http://127.0.0.1:8080") as client:
        client.log_in("user@example.org", "password")
        for tracker in client.tracker.list():
            print(tracker.label, tracker.source.device_id)

Methods are named after the paths of actions; ``client.panel`` has those of the panel.
:class:`AsyncClient` is the same to be awaited. ``waypost.client.types`` has what they take and
give. It needs nothing but httpx and msgspec.
"""

from __future__ import annotations

from waypost.client._async import AsyncClient
from waypost.client._core import Page, Retries, Upload
from waypost.client._errors import CodeRequired, Refused, UnexpectedReply, Unreachable, WaypostError
from waypost.client._generated import types
from waypost.client._sync import Client

__all__ = [
    "AsyncClient",
    "Client",
    "CodeRequired",
    "Page",
    "Refused",
    "Retries",
    "UnexpectedReply",
    "Unreachable",
    "Upload",
    "WaypostError",
    "types",
]
