"""What can be asked for, and its form on the wire. Light to import: a command line that asks a
running server needs no more than this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec

Say = Callable[[Any], Awaitable[None]]
"""Hears how far an operation is: plain JSON values."""


class AdminError(Exception):
    """The operation cannot be done; the text says why, to a person."""


class Request(msgspec.Struct, tag_field="command", forbid_unknown_fields=True, kw_only=True):
    """A request: its fields are the parameters, its tag is the command's name on the wire."""


class PointsCount(Request, tag="points.count"):
    """How many points are stored, in all or of one device: ``{"points": N}``."""

    device: str | None = None


class TapDevice(Request, tag="tap"):
    """Raw bytes in and out of a device, as progress: what is kept, and, but for ``once``, what
    comes from now on, without end."""

    device: str
    once: bool = False


class InboxList(Request, tag="inbox.list"):
    """Devices that connect and that nobody registered, the latest first."""


class CommandList(Request, tag="command.list"):
    """The latest commands of a device, newest first."""

    device: str
    limit: int = 50


class SmsList(Request, tag="sms.list"):
    """The latest SMS from outside, newest first; of one device, or all, strangers' too."""

    device: str | None = None
    limit: int = 50


class TrackerList(Request, tag="tracker.list"):
    """All trackers, or those of one user (a log-in)."""

    user: str | None = None


class TrackerImport(Request, tag="tracker.import"):
    """Registers every device of a CSV file (``data``, its bytes) for a user, or none of them;
    progress is ``{"stored": N, "of": M}``."""

    user: str
    data: bytes


class UserList(Request, tag="user.list"):
    """All users with their number of trackers."""


class UserCreate(Request, tag="user.create"):
    """A new user; without a password it gets a random one, which is part of the result and stands
    nowhere else."""

    login: str
    password: str | None = None
    dealer: int | None = None
    time_zone: str = "UTC"


class PasswordReset(Request, tag="password.reset"):
    """A new password for a user, or for a panel account (whose log-in is its number); all its
    sessions end. Random, as in ``UserCreate``, where none is given."""

    login: str
    password: str | None = None


class DealerList(Request, tag="dealer.list"):
    """All dealers and sub-dealers."""


class DealerAdmit(Request, tag="dealer.admit"):
    """Lets a dealer in that is blocked: a new sub-dealer is."""

    dealer: int


class SimAdd(Request, tag="sim.add"):
    """A SIM card for the bundles of a dealer (without one: the first)."""

    iccid: str
    phone: str
    apn: str = ""
    dealer: int | None = None


class SimChange(Request, tag="sim.change"):
    """Blocks a SIM card or lets it go on, deletes it or takes that back."""

    iccid: str
    blocked: bool | None = None
    deleted: bool | None = None


class SimList(Request, tag="sim.list"):
    """All SIM cards, with the bundle that each is in."""


class OrderCreate(Request, tag="order.create"):
    """An order of a user (a log-in) for ``amount`` devices at ``sum`` in all."""

    user: str
    amount: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    sum: Annotated[float, msgspec.Meta(ge=0, le=1e9)]
    payer: str = ""
    recipient: str = ""
    contacts: str = ""
    place: str = ""
    comment: str = ""


_decoder: msgspec.json.Decoder[Request] = msgspec.json.Decoder(
    CommandList
    | DealerAdmit
    | DealerList
    | InboxList
    | OrderCreate
    | PasswordReset
    | PointsCount
    | SimAdd
    | SimChange
    | SimList
    | SmsList
    | TapDevice
    | TrackerImport
    | TrackerList
    | UserCreate
    | UserList
)


def parse(line: bytes) -> Request:
    """The request that a line holds. Raises :class:`AdminError`."""
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise AdminError(f"not a request: {error}") from None
