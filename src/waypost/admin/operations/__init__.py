"""Every operation, and their form on the wire."""

from __future__ import annotations

import msgspec

from waypost.admin.operations.base import AdminError, Operation
from waypost.admin.operations.devices import CommandList, InboxList, PointsCount, TapDevice
from waypost.admin.operations.trackers import TrackerImport, TrackerList
from waypost.admin.operations.users import PasswordReset, UserCreate, UserList

Request = (
    CommandList
    | InboxList
    | PasswordReset
    | PointsCount
    | TapDevice
    | TrackerImport
    | TrackerList
    | UserCreate
    | UserList
)

_decoder: msgspec.json.Decoder[Operation] = msgspec.json.Decoder(Request)


def parse(line: bytes) -> Operation:
    """The operation that a request asks for. Raises :class:`AdminError`."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise AdminError(f"not a request: {error}") from None
