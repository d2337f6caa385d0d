"""Importing a file of devices into an account: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.fleet.groups import list_groups
from waypost.fleet.import_file import Fault, ImportRefused, Line, read_lines
from waypost.fleet.owners import load_owner
from waypost.fleet.register import insert_devices, taken_ids, taken_phones
from waypost.fleet.service import Fleet, Write
from waypost.fleet.tags import list_tags
from waypost.store.tables import groups, tag_bindings, tags

#: Colour of groups and tags that an import makes.
COLOR = "1E96DC"
#: Devices stored in one go, between two reports of progress.
STEP = 500

Progress = Callable[[int, int], Awaitable[None]]
"""Told how many devices of how many are stored."""


class Imported(msgspec.Struct):
    """What an import did. ``warnings`` name lines that look wrong and were taken all the same."""

    registered: int
    groups_made: list[str]
    tags_made: list[str]
    warnings: list[str]


async def import_trackers(
    fleet: Fleet, user_id: int, data: bytes, now: int, progress: Progress | None = None
) -> Imported:
    """Registers every device of the file (see :func:`read_lines`) for the account ``user_id``;
    groups and tags that it names and the account does not have are made. Raises
    :class:`ImportRefused` with every line that is wrong, and :class:`Refused` 201 for an account
    that is not there, 225 for one that its tariff is not for; then nothing was imported."""
    lines, faults = read_lines(data)
    async with fleet.write() as write:
        owner = await load_owner(write.connection, user_id)
        owner.check_tariff()
        if owner.free_places is not None and len(lines) > owner.free_places:
            text = (
                f"the device limit leaves room for {max(0, owner.free_places)} devices; "
                f"the file has {len(lines)}"
            )
            faults.append(Fault(1, text))
        faults += await _taken(write.connection, lines)
        if faults:
            raise ImportRefused(faults)
        group_ids, groups_made = await _make_groups(write, user_id, lines)
        tag_ids, tags_made = await _make_tags(write, user_id, lines)
        for line in lines:
            line.device.group_id = group_ids[line.group] if line.group else None
        for start in range(0, len(lines), STEP):
            some = lines[start : start + STEP]
            made = await insert_devices(
                write, owner, [line.device for line in some], fleet.settings, now, first=start
            )
            bindings = [
                {"tracker_id": tracker_id, "tag_id": tag_ids[tag], "ordinal": place}
                for tracker_id, line in zip(made, some, strict=True)
                for place, tag in enumerate(line.tags, 1)
            ]
            if bindings:
                await write.connection.execute(insert(tag_bindings), bindings)
            if progress is not None:
                await progress(start + len(some), len(lines))
    warnings = [
        f"line {line.number}: {line.device.warning}" for line in lines if line.device.warning
    ]
    return Imported(len(lines), groups_made, tags_made, warnings)


async def _taken(connection: AsyncConnection, lines: Sequence[Line]) -> list[Fault]:
    ids = [line.device.device_id for line in lines if line.device.device_id]
    phones = [line.device.phone for line in lines if line.device.phone]
    known_ids = await taken_ids(connection, ids)
    known_phones = await taken_phones(connection, phones)
    faults = []
    for line in lines:
        if line.device.device_id in known_ids:
            text = f"device_id {line.device.device_id} is registered already"
            faults.append(Fault(line.number, text))
        if line.device.phone in known_phones:
            text = f"phone {line.device.phone} is another device's already"
            faults.append(Fault(line.number, text))
    return faults


async def _make_groups(
    write: Write, user_id: int, lines: Iterable[Line]
) -> tuple[dict[str, int], list[str]]:
    """Ids of all groups by title, and the titles of those that were made."""
    known = {group.title: group.id for group in await list_groups(write.connection, user_id)}
    missing = dict.fromkeys(line.group for line in lines if line.group and line.group not in known)
    made = [title for title in missing if title is not None]
    if made:
        await write.connection.execute(
            insert(groups),
            [{"user_id": user_id, "title": title, "color": COLOR} for title in made],
        )
        for group in await list_groups(write.connection, user_id):
            known[group.title] = group.id
    return known, made


async def _make_tags(
    write: Write, user_id: int, lines: Iterable[Line]
) -> tuple[dict[str, int], list[str]]:
    """Ids of all tags by name, and the names of those that were made."""
    known = {tag.name: tag.id for tag in await list_tags(write.connection, user_id)}
    made = list(dict.fromkeys(tag for line in lines for tag in line.tags if tag not in known))
    if made:
        await write.connection.execute(
            insert(tags), [{"user_id": user_id, "name": name, "color": COLOR} for name in made]
        )
        for tag in await list_tags(write.connection, user_id):
            known[tag.name] = tag.id
    return known, made
