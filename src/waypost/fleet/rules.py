"""Rules: what an account wants to hear of its trackers. They are kept here; what applies them to
messages is another matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from sqlalchemy import delete, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.catalog.rules import rule_types
from waypost.fleet.locking import lock_sources
from waypost.fleet.service import Write
from waypost.refusal import Refused, invalid
from waypost.store.tables import rule_trackers, rules, sources, trackers
from waypost.text import END, PRINTABLE

#: Rules that hold in zones only, and the one that cannot.
NEED_ZONES = frozenset({"inoutzone", "route"})
NO_ZONES = frozenset({"offline"})
#: Largest ``extended_params``, bytes of JSON.
EXTENDED = 65_536

Int = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=255, pattern=PRINTABLE)]
Words = Annotated[list[Word], msgspec.Meta(max_length=100)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Ids = Annotated[list[Int], msgspec.Meta(max_length=10_000)]
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?" + END)]
Moment = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}" + END)
]


class Alerts(msgspec.Struct):
    """Who is told, and how."""

    sms_phones: Words = []
    phones: Words = []
    emails: Words = []
    push_enabled: bool = False
    emergency: bool = False


class WeekTime(msgspec.Struct):
    """A time of a week; ``weekday`` 1 is Monday."""

    weekday: Annotated[int, msgspec.Meta(ge=1, le=7)]
    time: Clock


class Weekly(msgspec.Struct, tag_field="type", tag="weekly", rename={"from_": "from"}):
    """Every week from here to there."""

    from_: WeekTime
    to: WeekTime
    interval_id: Int | None = None


class Fixed(msgspec.Struct, tag_field="type", tag="fixed", rename={"from_": "from"}):
    """Once, from here to there."""

    from_: Moment
    to: Moment
    interval_id: Int | None = None


Interval = Weekly | Fixed
Schedule = Annotated[list[Interval], msgspec.Meta(max_length=100)]


class RuleFields(msgspec.Struct, kw_only=True):
    """A rule as a client sends it."""

    name: Word
    description: Text
    type: str
    param: Int
    zone_ids: Ids
    trackers: Ids
    alerts: Alerts
    suspended: bool
    primary_text: Text = ""
    secondary_text: Text = ""
    schedule: Schedule | None = None
    extended_params: dict[str, Any] | None = None
    group_id: Int | None = None
    id: Int | None = None


class Rule(msgspec.Struct, kw_only=True):
    """A rule as the API shows it. ``schedule``: when it holds; absent: always."""

    id: int
    name: str
    type: str
    description: str
    zone_ids: list[int]
    trackers: list[int]
    primary_text: str
    secondary_text: str
    param: int
    alerts: Alerts
    suspended: bool
    schedule: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    extended_params: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    group_id: int | msgspec.UnsetType = msgspec.UNSET


def check(fields: RuleFields, parameter: str) -> None:
    """Raises :class:`Refused`: 7 for what no rule can be, with the name of the field after
    ``parameter``; 204 for a zone that the account does not have."""
    if fields.type not in rule_types():
        raise invalid(f"{parameter}type", "is no type of rules")
    if fields.type in NO_ZONES and fields.zone_ids:
        raise invalid(f"{parameter}zone_ids", "must be empty for this type")
    if fields.type in NEED_ZONES and not fields.zone_ids:
        raise invalid(f"{parameter}zone_ids", "must not be empty for this type")
    if fields.extended_params and len(msgspec.json.encode(fields.extended_params)) > EXTENDED:
        raise invalid(f"{parameter}extended_params", "is too large")
    if fields.zone_ids:
        raise Refused(204)  # no account has zones yet


def _columns(fields: RuleFields) -> dict[str, Any]:
    schedule = fields.schedule
    if schedule is not None:
        taken = {one.interval_id for one in schedule}
        free = iter(number for number in range(1, 202) if number not in taken)
        for one in schedule:
            if one.interval_id is None:
                one.interval_id = next(free)
    return {
        "name": fields.name,
        "type": fields.type,
        "description": fields.description,
        "primary_text": fields.primary_text,
        "secondary_text": fields.secondary_text,
        "param": fields.param,
        "zone_ids": fields.zone_ids,
        "alerts": msgspec.to_builtins(fields.alerts),
        "suspended": fields.suspended,
        "schedule": None if schedule is None else msgspec.to_builtins(schedule),
        "extended_params": fields.extended_params,
        "group_id": fields.group_id,
    }


async def create_rule(write: Write, user_id: int, fields: RuleFields) -> int:
    """A rule of an account, checked, with those of its trackers that the account has."""
    bound = await _own(write.connection, user_id, fields.trackers)
    made = await write.connection.execute(
        insert(rules).values(user_id=user_id, **_columns(fields)).returning(rules.c.id)
    )
    rule_id = int(made.scalar_one())
    await _bind(write.connection, rule_id, bound)
    return rule_id


async def update_rule(
    write: Write, user_id: int, rule_id: int, fields: RuleFields, seen: Mapping[int, Any] | None
) -> None:
    """``seen``: the trackers that the caller sees, where it does not see all; others stay bound.
    Raises :class:`Refused` 201."""
    connection = write.connection
    bound = await _own(connection, user_id, fields.trackers)
    await _lock(connection, user_id, rule_id)
    await connection.execute(update(rules).where(rules.c.id == rule_id).values(_columns(fields)))
    off = delete(rule_trackers).where(rule_trackers.c.rule_id == rule_id)
    if seen is not None:
        off = off.where(rule_trackers.c.tracker_id.in_(list(seen)))
    await connection.execute(off)
    await _bind(connection, rule_id, bound)


async def delete_rule(write: Write, user_id: int, rule_id: int) -> None:
    """Raises :class:`Refused` 201."""
    await _lock(write.connection, user_id, rule_id)
    await write.connection.execute(delete(rule_trackers).where(rule_trackers.c.rule_id == rule_id))
    await write.connection.execute(delete(rules).where(rules.c.id == rule_id))


async def bind(write: Write, user_id: int, rule_id: int, tracker_ids: Sequence[int]) -> None:
    """Others than the account's own are passed over. Raises :class:`Refused` 201."""
    bound = await _own(write.connection, user_id, tracker_ids)
    await _lock(write.connection, user_id, rule_id)
    await _bind(write.connection, rule_id, bound)


async def unbind(write: Write, user_id: int, rule_id: int, tracker_ids: Sequence[int]) -> None:
    """Raises :class:`Refused` 201."""
    await _lock(write.connection, user_id, rule_id)
    await write.connection.execute(
        delete(rule_trackers).where(
            rule_trackers.c.rule_id == rule_id, rule_trackers.c.tracker_id.in_(tracker_ids)
        )
    )


async def list_rules(
    connection: AsyncConnection, user_id: int, seen: Mapping[int, Any] | None
) -> list[Rule]:
    """The rules of an account in the order of ids. ``seen``: the trackers that the caller sees,
    where it does not see all; rules without any of them are left out."""
    rows = (
        await connection.execute(
            select(rules).where(rules.c.user_id == user_id).order_by(rules.c.id)
        )
    ).all()
    bound: dict[int, list[int]] = {row.id: [] for row in rows}
    query = (
        select(rule_trackers.c.rule_id, rule_trackers.c.tracker_id)
        .join(rules, rules.c.id == rule_trackers.c.rule_id)
        .where(rules.c.user_id == user_id)
        .order_by(rule_trackers.c.tracker_id)
    )
    for rule_id, tracker_id in await connection.execute(query):
        if seen is None or tracker_id in seen:
            bound[rule_id].append(tracker_id)
    return [_rule(row, bound[row.id]) for row in rows if seen is None or bound[row.id]]


def _rule(row: Any, bound: list[int]) -> Rule:
    return Rule(
        id=row.id,
        name=row.name,
        type=row.type,
        description=row.description,
        zone_ids=row.zone_ids,
        trackers=bound,
        primary_text=row.primary_text,
        secondary_text=row.secondary_text,
        param=row.param,
        alerts=msgspec.convert(row.alerts, Alerts),
        suspended=row.suspended,
        schedule=msgspec.UNSET if row.schedule is None else row.schedule,
        extended_params=msgspec.UNSET if row.extended_params is None else row.extended_params,
        group_id=msgspec.UNSET if row.group_id is None else row.group_id,
    )


async def _lock(connection: AsyncConnection, user_id: int, rule_id: int) -> None:
    query = (
        select(rules.c.id)
        .where(rules.c.id == rule_id, rules.c.user_id == user_id)
        .with_for_update()
    )
    if await connection.scalar(query) is None:
        raise Refused(201)


async def _own(connection: AsyncConnection, user_id: int, tracker_ids: Iterable[int]) -> list[int]:
    """Those of ``tracker_ids`` that the account has, with their sources locked, so that none is
    taken away meanwhile."""
    query = (
        select(trackers.c.id, trackers.c.source_id)
        .join(sources, sources.c.id == trackers.c.source_id)
        .where(
            trackers.c.id.in_(list(tracker_ids)),
            trackers.c.user_id == user_id,
            not_(trackers.c.deleted),
            not_(sources.c.corrupted),
        )
        .order_by(trackers.c.id)
    )
    seen = (await connection.execute(query)).all()
    await lock_sources(connection, [row.source_id for row in seen])
    return [row.id for row in (await connection.execute(query)).all()]


async def _bind(connection: AsyncConnection, rule_id: int, tracker_ids: Sequence[int]) -> None:
    there = set(
        await connection.scalars(
            select(rule_trackers.c.tracker_id).where(rule_trackers.c.rule_id == rule_id)
        )
    )
    new = [one for one in tracker_ids if one not in there]
    if new:
        await connection.execute(
            insert(rule_trackers),
            [{"rule_id": rule_id, "tracker_id": one} for one in new],
        )
