"""``status/listing/*`` and ``status/*``: lists of working statuses, and the statuses in them."""

from __future__ import annotations

import msgspec

from waypost.api.action import Own, UserCall, user_action
from waypost.api.errors import invalid
from waypost.api.params import Int
from waypost.api.reply import Identified, Listed
from waypost.fleet import statuses
from waypost.fleet.rows import TrackerRow
from waypost.fleet.statuses import Listing, Status
from waypost.fleet.texts import Color, Label


class NewListing(msgspec.Struct):
    """A list as given; ``id`` and ``entries`` (all of its statuses in order) only to change it."""

    label: Label
    employee_controlled: bool = False
    supervisor_controlled: bool = False
    id: Int | None = None
    entries: list[Int] | None = None


class NewStatus(msgspec.Struct):
    """A status as given; ``id`` only to change it."""

    label: Label
    color: Color
    id: Int | None = None


@user_action("status/listing/list", errors=[236])
async def list_listings(call: UserCall) -> Listed[Listing]:
    """The account's lists of working statuses."""
    async with call.services.database.read() as connection:
        await statuses.need_feature(connection, call.user.account_id)
        return Listed(await statuses.listings_of(connection, call.user.account_id))


@user_action("status/listing/create", right="tracker_update", errors=[236, 268])
async def create_listing(call: UserCall, listing: NewListing) -> Identified:
    """Makes an empty list."""
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        made = await statuses.create_listing(
            write,
            call.user.account_id,
            listing.label,
            employee=listing.employee_controlled,
            supervisor=listing.supervisor_controlled,
        )
    return Identified(made)


@user_action("status/listing/update", right="tracker_update", errors=[201, 236, 262])
async def update_listing(call: UserCall, listing: NewListing) -> None:
    """Changes the list ``listing.id``; ``entries`` are all of its statuses in their new order."""
    if listing.id is None:
        raise invalid("listing.id", "is required")
    if listing.entries is None:
        raise invalid("listing.entries", "is required")
    changed = Listing(
        listing.id,
        listing.label,
        listing.employee_controlled,
        listing.supervisor_controlled,
        listing.entries,
    )
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        await statuses.update_listing(write, call.user.account_id, changed)


@user_action("status/listing/delete", right="tracker_update", errors=[201, 236])
async def delete_listing(call: UserCall, listing_id: int) -> None:
    """Deletes a list with its statuses; trackers that had it have none."""
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        await statuses.delete_listing(call.outbox(write), call.user.account_id, listing_id)


@user_action(
    "status/listing/tracker/assign",
    right="tracker_update",
    tracker=Own(live=True, clone=False),
    errors=[204, 236],
)
async def assign_listing(
    call: UserCall, tracker: TrackerRow, listing_id: int | None = None
) -> None:
    """Gives a tracker a list of working statuses; without ``listing_id``: takes it off."""
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        tracker = await call.locked(write, tracker)
        await statuses.assign_listing(call.outbox(write), tracker, listing_id)


@user_action("status/list", errors=[236])
async def list_statuses(call: UserCall, listing_id: int) -> Listed[Status]:
    """The statuses of a list in their order; none where there is no such list."""
    async with call.services.database.read() as connection:
        await statuses.need_feature(connection, call.user.account_id)
        return Listed(await statuses.statuses_of(connection, call.user.account_id, listing_id))


@user_action("status/create", right="tracker_update", errors=[201, 236, 268])
async def create_status(call: UserCall, listing_id: int, status: NewStatus) -> Identified:
    """Adds a status to the end of a list."""
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        made = await statuses.create_status(
            write, call.user.account_id, listing_id, status.label, status.color
        )
    return Identified(made)


@user_action("status/update", right="tracker_update", errors=[201, 236])
async def update_status(call: UserCall, status: NewStatus) -> None:
    """Changes the status ``status.id``."""
    if status.id is None:
        raise invalid("status.id", "is required")
    changed = Status(status.id, status.label, status.color)
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        await statuses.update_status(write, call.user.account_id, changed)


@user_action("status/delete", right="tracker_update", errors=[201, 236])
async def delete_status(call: UserCall, status_id: int) -> None:
    """Deletes a status; trackers that have it have none."""
    async with call.services.fleet.write() as write:
        await statuses.need_feature(write.connection, call.user.account_id)
        await statuses.delete_status(call.outbox(write), call.user.account_id, status_id)
