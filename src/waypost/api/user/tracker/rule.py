"""``tracker/rule/*``: what an account wants to hear of its trackers.

The documents list a rule's fields as parameters, and send them in an object ``rule``: both are
taken.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.params import explain
from waypost.api.reply import Identified, Listed
from waypost.fleet import rules
from waypost.fleet.rules import Rule, RuleFields

Ids = Annotated[list[int], msgspec.Meta(max_length=10_000)]
Object = dict[str, Any]
Intervals = list[Object] | Object
_UNSET: Object = {"param": 0, "suspended": False}


@user_action("tracker/rule/list")
async def list_(call: UserCall, tracker_id: int | None = None) -> Listed[Rule]:
    """All rules of the account, or those of one tracker."""
    seen = await _seen(call)
    async with call.services.database.read() as connection:
        found = await rules.list_rules(connection, call.user.account_id, seen)
    if tracker_id is not None:
        found = [rule for rule in found if tracker_id in rule.trackers]
    return Listed(found)


@user_action("tracker/rule/create", right="tracker_rule_update", errors=[204])
async def create(
    call: UserCall,
    rule: Object | None = None,
    name: str | None = None,
    description: str | None = None,
    trackers: Ids | None = None,
    zone_ids: Ids | None = None,
    type: str | None = None,
    param: int | None = None,
    alerts: Object | None = None,
    suspended: bool | None = None,
    schedule: Intervals | None = None,
    extended_params: Object | None = None,
    primary_text: str | None = None,
    secondary_text: str | None = None,
    group_id: int | None = None,
) -> Identified:
    """Makes a rule."""
    fields, parameter = _read(
        rule,
        name=name,
        description=description,
        trackers=trackers,
        zone_ids=zone_ids,
        type=type,
        param=param,
        alerts=alerts,
        suspended=suspended,
        schedule=schedule,
        extended_params=extended_params,
        primary_text=primary_text,
        secondary_text=secondary_text,
        group_id=group_id,
    )
    rules.check(fields, parameter)
    await _keep_seen(call, fields)
    async with call.services.fleet.write() as write:
        return Identified(await rules.create_rule(write, call.user.account_id, fields))


@user_action("tracker/rule/update", right="tracker_rule_update", errors=[201, 204])
async def update(
    call: UserCall,
    rule: Object | None = None,
    id: int | None = None,
    name: str | None = None,
    description: str | None = None,
    trackers: Ids | None = None,
    zone_ids: Ids | None = None,
    type: str | None = None,
    param: int | None = None,
    alerts: Object | None = None,
    suspended: bool | None = None,
    schedule: Intervals | None = None,
    extended_params: Object | None = None,
    primary_text: str | None = None,
    secondary_text: str | None = None,
    group_id: int | None = None,
) -> None:
    """Changes a rule."""
    fields, parameter = _read(
        rule,
        id=id,
        name=name,
        description=description,
        trackers=trackers,
        zone_ids=zone_ids,
        type=type,
        param=param,
        alerts=alerts,
        suspended=suspended,
        schedule=schedule,
        extended_params=extended_params,
        primary_text=primary_text,
        secondary_text=secondary_text,
        group_id=group_id,
    )
    if fields.id is None:
        raise invalid(f"{parameter}id", "is required")
    rules.check(fields, parameter)
    seen = await _keep_seen(call, fields)
    async with call.services.fleet.write() as write:
        await rules.update_rule(write, call.user.account_id, fields.id, fields, seen)


@user_action("tracker/rule/delete", right="tracker_rule_update", errors=[201])
async def delete(call: UserCall, rule_id: int) -> None:
    """Deletes a rule."""
    await _need(call, rule_id)
    async with call.services.fleet.write() as write:
        await rules.delete_rule(write, call.user.account_id, rule_id)


@user_action("tracker/rule/bind", right="tracker_rule_update", errors=[201])
async def bind(call: UserCall, rule_id: int, trackers: Ids) -> None:
    """Lets a rule hold for further trackers; those that the user does not have are passed over."""
    seen = await _seen(call)
    async with call.services.fleet.write() as write:
        wanted = trackers if seen is None else [one for one in trackers if one in seen]
        await rules.bind(write, call.user.account_id, rule_id, wanted)


@user_action("tracker/rule/unbind", right="tracker_rule_update", errors=[201])
async def unbind(call: UserCall, rule_id: int, trackers: Ids) -> None:
    """Lets a rule no longer hold for these trackers."""
    seen = await _seen(call)
    async with call.services.fleet.write() as write:
        wanted = trackers if seen is None else [one for one in trackers if one in seen]
        await rules.unbind(write, call.user.account_id, rule_id, wanted)


async def _seen(call: UserCall) -> dict[int, Any] | None:
    """The trackers that a sub-user sees; None: a master, who sees all."""
    if call.user.is_master:
        return None
    return (await call.services.fleet.trackers.of_user(call.user)).by_id


async def _keep_seen(call: UserCall, fields: RuleFields) -> dict[int, Any] | None:
    """Leaves out trackers that the caller does not see."""
    seen = await _seen(call)
    if seen is not None:
        fields.trackers = [one for one in fields.trackers if one in seen]
    return seen


async def _need(call: UserCall, rule_id: int) -> None:
    """Raises :class:`ApiError` 201 for a rule that a sub-user does not see."""
    seen = await _seen(call)
    if seen is not None:
        async with call.services.database.read() as connection:
            found = await rules.list_rules(connection, call.user.account_id, seen)
        if all(rule.id != rule_id for rule in found):
            raise ApiError(201)


def _read(rule: Object | None, **given: Any) -> tuple[RuleFields, str]:
    """The rule sent, and what stands before its fields' names. Raises :class:`ApiError` 7."""
    parameter = "" if rule is None else "rule."
    fields = given if rule is None else rule
    # The documents' own example sends empty texts for what is not set.
    fields = {
        name: _UNSET[name] if value in ("", None) and name in _UNSET else value
        for name, value in fields.items()
        if value is not None or (rule is not None and name in _UNSET)
    }
    if isinstance(fields.get("schedule"), dict):
        fields["schedule"] = [fields["schedule"]]
    try:
        return msgspec.convert(fields, RuleFields, strict=False), parameter
    except msgspec.ValidationError as error:
        found = explain(parameter.rstrip("."), str(error))
        raise invalid(found["parameter"].lstrip("."), found["error"]) from None
