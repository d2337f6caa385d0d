"""What holds of trackers and rights everywhere, for every action of the specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contract_stage import NO_GSM, NOTHING, Stage
from specification import SPECIFIED, documented, documented_codes, split

from scenarios import SCENARIOS, Play, Reply, scenario

#: What each action needs beside its tracker.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "tracker/change_phone": {"phone": "6156680000"},
    "tracker/tags/set": {"tag_bindings": []},
    "tracker/register_retry": {"apn_name": "a", "apn_user": "", "apn_password": ""},
    "tracker/replace": {"model": "telfmb920", "plugin_id": 44, "device_id": "355085050027285"},
    "tracker/replace_quick": {"imei": "355085050027285"},
    "tracker/replace_retry": {"apn_name": "a", "apn_user": "", "apn_password": ""},
    "tracker/send_command": {
        "command": {"name": "set_special_settings_command", "special_settings": {"type": "none"}}
    },
    "tracker/raw_command/send": {"command": "getver"},
    "tracker/settings/tracking/update": {"tracking_settings": {}},
    "panel/tracker/clone": {"label": "Copy", "user_id": 0},
    "panel/tracker/move": {"user_id": 0},
    "panel/tracker/settings/update": {"label": "Van", "deleted": False, "comment": ""},
    "panel/tracker/source/update": {"blocked": True},
    "panel/tracker/tariff/change": {"tariff_id": 1, "repay": False, "charge": False},
}


def takes_tracker(action: str) -> bool:
    """Is it about one tracker?"""
    return any(param.name == "tracker_id" for param in documented(action).params)


async def about(stage: Stage, action: str, tracker_id: int, who: str = "user") -> Reply:
    """The reply of an action about a tracker."""
    arguments = dict(ARGUMENTS.get(action, {}))
    if "user_id" in arguments:
        arguments["user_id"] = stage.ids["stranger"]
    return await stage.call(action, who, tracker_id=tracker_id, **arguments)


def missing(action: str) -> Play:
    async def a_tracker_of_nobody_and_one_of_another_are_the_same(stage: Stage) -> Reply:
        other = await stage.device("foreigner")
        reply = await about(stage, action, other["id"])
        assert await about(stage, action, NOTHING) == reply
        return reply

    return a_tracker_of_nobody_and_one_of_another_are_the_same


def blocked(action: str) -> Play:
    async def the_device_is_blocked(stage: Stage) -> Reply:
        tracker = await stage.device()
        await stage.block(tracker["id"])
        return await about(stage, action, tracker["id"])

    return the_device_is_blocked


def clone(action: str) -> Play:
    async def the_tracker_is_a_clone(stage: Stage) -> Reply:
        return await about(stage, action, await stage.clone())

    return the_tracker_is_a_clone


def no_clone(action: str) -> Play:
    async def the_tracker_is_no_clone(stage: Stage) -> Reply:
        tracker = await stage.device()
        return await about(stage, action, tracker["id"])

    return the_tracker_is_no_clone


def corrupted(action: str) -> Play:
    async def the_device_was_given_up(stage: Stage) -> Reply:
        tracker = await stage.device()
        await stage.corrupt(tracker["id"])
        return await about(stage, action, tracker["id"])

    return the_device_was_given_up


def unable(action: str) -> Play:
    async def the_device_cannot_do_it(stage: Stage) -> Reply:
        tracker = await stage.device(model=NO_GSM, device_id="ngp-0001")
        return await about(stage, action, tracker["id"])

    return the_device_cannot_do_it


def forbidden(action: str) -> Play:
    async def a_sub_user_without_the_right(stage: Stage) -> Reply:
        await stage.grant()
        return await stage.call(action, "sub")

    return a_sub_user_without_the_right


_PLAYS: dict[int, Callable[[str], Play]] = {
    201: missing,
    204: missing,
    208: blocked,
    219: clone,
    249: no_clone,
    252: corrupted,
    214: unable,
}

for _action in SPECIFIED:
    for _code in documented_codes(_action):
        if (_action, _code) in SCENARIOS:
            continue
        if _code == 13 and split(_action)[0] == "user":
            scenario(_action, _code)(forbidden(_action))
        elif _code in _PLAYS and takes_tracker(_action):
            scenario(_action, _code)(_PLAYS[_code](_action))
