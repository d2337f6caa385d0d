"""``waypost admin``: what an operator does without HTTP.

While a server runs on the data directory it does the work, asked through its local socket; else the
databases are opened here.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from waypost.cli._cells import cells
from waypost.cli._errors import CommandFailed
from waypost.cli._output import print_json, print_rows
from waypost.settings import load

if TYPE_CHECKING:
    from waypost.admin.requests import Request

admin = App(name="admin", help="What an operator does without HTTP, while the server runs or not.")
tracker = App(name="tracker", help="Trackers.")
points = App(name="points", help="Stored points.")
inbox = App(name="inbox", help="Devices that connect and that nobody registered.")
user = App(name="user", help="Users.")
command = App(name="command", help="Commands to devices.")
sms = App(name="sms", help="SMS from outside.")
password = App(name="password", help="Passwords.")
dealer = App(name="dealer", help="Dealers and their sub-dealers.")
sim = App(name="sim", help="SIM cards of bundles.")
order = App(name="order", help="Orders of users.")
for _part in (tracker, points, inbox, user, command, sms, password, dealer, sim, order, cells):
    admin.command(_part)


@Parameter(name="*")
@dataclass
class Where:
    """Which installation is meant; what is left out comes from the environment and waypost.toml."""

    data_dir: Path | None = None
    """The server's data directory."""
    database: str | None = None
    """PostgreSQL address; without it: SQLite in the data directory."""
    nats: str | None = None
    """NATS address, where several processes share the work."""


HERE = Where()


@points.command(name="count")
def points_count(*, device: str | None = None, where: Where = HERE) -> None:
    """Count stored points, of one device or in all: {"points": N}.

    Parameters
    ----------
    device
        Device id.
    """
    from waypost.admin.requests import PointsCount

    print_json(_ask(PointsCount(device=device), where))


@tracker.command(name="list")
def tracker_list(*, user: str | None = None, where: Where = HERE) -> None:
    """List trackers, all or one user's.

    Parameters
    ----------
    user
        The user's log-in.
    """
    from waypost.admin.requests import TrackerList

    print_rows(_ask(TrackerList(user=user), where))


@tracker.command(name="import")
def tracker_import(file: Path, /, *, user: str, where: Where = HERE) -> None:
    """Register the devices of a CSV file for a user: all, or none with every wrong line named.

    The header is label,model,device_id and optionally phone,group,tags.

    Parameters
    ----------
    file
        The file, UTF-8.
    user
        The user's log-in.
    """
    from rich.console import Console
    from rich.progress import Progress

    from waypost.admin.requests import TrackerImport

    try:
        data = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file}: {error.strerror or error}") from None
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(file.name, total=None)

        async def show(progress: dict[str, int]) -> None:
            bar.update(task, completed=progress["stored"], total=progress["of"])
            if not console.is_terminal:
                sys.stderr.write(f"{progress['stored']} of {progress['of']}\n")

        result = _ask(TrackerImport(user=user, data=data), where, show)
    print_json(result)


@admin.command
def tap(
    device: str, /, *, once: Annotated[bool, Parameter(negative=())] = False, where: Where = HERE
) -> None:
    """Show a device's raw bytes, in and out: what is kept, then live.

    Parameters
    ----------
    device
        Device id.
    once
        Only what is kept.
    """
    from waypost.admin.requests import TapDevice

    async def show(entry: dict[str, str]) -> None:
        data = f"({entry['data']})" if entry["kind"] == "note" else entry["data"]
        sys.stdout.write(f"{entry['time']} {entry['kind']:4} {entry['address']} {data}\n")
        sys.stdout.flush()

    _ask(TapDevice(device=device, once=once), where, show)


@inbox.command(name="list")
def inbox_list(*, where: Where = HERE) -> None:
    """List devices that connect and that nobody registered."""
    from waypost.admin.requests import InboxList

    print_rows(_ask(InboxList(), where))


@command.command(name="list")
def command_list(*, device: str, limit: int = 50, where: Where = HERE) -> None:
    """List the latest commands of a device, with their states and answers.

    Parameters
    ----------
    device
        Device id.
    """
    from waypost.admin.requests import CommandList

    print_rows(_ask(CommandList(device=device, limit=limit), where))


@sms.command(name="list")
def sms_list(*, device: str | None = None, limit: int = 50, where: Where = HERE) -> None:
    """List the latest SMS from outside: answers of devices, and everybody else's.

    Parameters
    ----------
    device
        Device id; without it those of all, and of strangers.
    """
    from waypost.admin.requests import SmsList

    print_rows(_ask(SmsList(device=device, limit=limit), where))


@user.command(name="list")
def user_list(*, where: Where = HERE) -> None:
    """List users."""
    from waypost.admin.requests import UserList

    print_rows(_ask(UserList(), where))


@user.command(name="create")
def user_create(
    login: str,
    /,
    *,
    password: str | None = None,
    dealer: int | None = None,
    time_zone: str = "UTC",
    where: Where = HERE,
) -> None:
    """Make a user.

    Parameters
    ----------
    login
        E-mail address.
    password
        12 to 20 characters; without it a random one is made and printed.
    dealer
        The dealer's id; without it: the first.
    """
    from waypost.admin.requests import UserCreate

    made = UserCreate(login=login, password=password, dealer=dealer, time_zone=time_zone)
    print_json(_ask(made, where))


@password.command(name="reset")
def password_reset(login: str, /, *, password: str | None = None, where: Where = HERE) -> None:
    """Give a user or a panel account a new password; all its sessions end.

    Parameters
    ----------
    login
        E-mail address of a user, or number of a panel account.
    password
        12 to 20 characters; without it a random one is made and printed.
    """
    from waypost.admin.requests import PasswordReset

    print_json(_ask(PasswordReset(login=login, password=password), where))


@dealer.command(name="list")
def dealer_list(*, where: Where = HERE) -> None:
    """List dealers and sub-dealers."""
    from waypost.admin.requests import DealerList

    print_rows(_ask(DealerList(), where))


@dealer.command(name="admit")
def dealer_admit(number: int, /, *, where: Where = HERE) -> None:
    """Let a blocked dealer in; a new sub-dealer is blocked until then.

    Parameters
    ----------
    number
        The dealer's number.
    """
    from waypost.admin.requests import DealerAdmit

    print_json(_ask(DealerAdmit(dealer=number), where))


@sim.command(name="list")
def sim_list(*, where: Where = HERE) -> None:
    """List SIM cards, with the bundle that each is in."""
    from waypost.admin.requests import SimList

    print_rows(_ask(SimList(), where))


@sim.command(name="add")
def sim_add(
    iccid: str, phone: str, /, *, apn: str = "", dealer: int | None = None, where: Where = HERE
) -> None:
    """Add a SIM card that bundles can be given.

    Parameters
    ----------
    iccid
        The number on the card.
    phone
        Its phone number in international format.
    apn
        Name of its access point.
    dealer
        The dealer's number; without it: the first.
    """
    from waypost.admin.requests import SimAdd

    print_json(_ask(SimAdd(iccid=iccid, phone=phone, apn=apn, dealer=dealer), where))


@sim.command(name="change")
def sim_change(
    iccid: str,
    /,
    *,
    blocked: bool | None = None,
    deleted: bool | None = None,
    where: Where = HERE,
) -> None:
    """Block or delete a SIM card, or take that back (--no-blocked, --no-deleted).

    Parameters
    ----------
    iccid
        The number on the card.
    """
    from waypost.admin.requests import SimChange

    print_json(_ask(SimChange(iccid=iccid, blocked=blocked, deleted=deleted), where))


@order.command(name="create")
def order_create(
    *,
    user: str,
    amount: int,
    sum: float,
    payer: str = "",
    recipient: str = "",
    contacts: str = "",
    place: str = "",
    comment: str = "",
    where: Where = HERE,
) -> None:
    """Note an order, which bundles can then be assigned to.

    Parameters
    ----------
    user
        The user's log-in.
    amount
        How many devices.
    sum
        What they cost in all.
    """
    from waypost.admin.requests import OrderCreate

    made = OrderCreate(
        user=user,
        amount=amount,
        sum=sum,
        payer=payer,
        recipient=recipient,
        contacts=contacts,
        place=place,
        comment=comment,
    )
    print_json(_ask(made, where))


async def _silent(progress: Any) -> None:
    """Progress that nobody wants to see."""


def _ask(request: Request, where: Where, show: Callable[[Any], Awaitable[None]] = _silent) -> Any:
    """The result of a request to the installation that is meant."""
    settings = load({"data_dir": where.data_dir, "database": where.database, "nats": where.nats})

    from waypost.admin.client import run
    from waypost.admin.requests import AdminError

    try:
        return asyncio.run(run(settings, request, show))
    except AdminError as error:
        raise CommandFailed(str(error)) from None
    except KeyboardInterrupt:
        return None
