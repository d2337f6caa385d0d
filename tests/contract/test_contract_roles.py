"""Every action as every role: who gets in, who is sent away with which code, in which order."""

from __future__ import annotations

from typing import Any

import pytest
from contract_samples import File, sample
from contract_stage import NOTHING, Stage
from specification import name_of

from waypost.accounts.model import SessionKind
from waypost.api.action import PANEL, USER, Action, load_actions
from waypost.catalog.rights import ASSIGNABLE_RIGHTS, PANEL_PERMISSIONS, permissions_for, rights_for

ACTIONS = load_actions()
EVERY = sorted(ACTIONS)
CLOSED = [key for key in EVERY if not ACTIONS[key].public]
OPEN = [key for key in EVERY if ACTIONS[key].public]
OF_TRACKERS = [key for key in EVERY if ACTIONS[key].tracker is not None]
DAY = 86_400

#: What says that a caller was not let in.
SENT_AWAY = {3, 4, 13}


def title(key: tuple[str, str]) -> str:
    return name_of(*key)


def first_path(action: Action) -> str:
    """The path that is documented, where an action has several."""
    return next(
        path
        for (api, path), other in ACTIONS.items()
        if api == action.api and other.function is action.function
    )


async def code(stage: Stage, action: Action, hash_: Any, **params: Any) -> int:
    """What an action answers to a hash; parameters are wrong or missing."""
    name = name_of(action.api, action.path)
    return await stage.code(name, None, **({} if hash_ is None else {"hash": hash_}), **params)


@pytest.mark.parametrize("key", CLOSED, ids=title)
async def test_nobody_comes_in(stage: Stage, key: tuple[str, str]) -> None:
    action = ACTIONS[key]
    panel = action.api == PANEL
    who, other = ("panel", "user") if panel else ("user", "panel")
    good = stage.hashes[who]
    for hash_ in (None, "", "null", "x", good[:-1], good + "0", "g" * 32, 5):
        assert await code(stage, action, hash_, tracker_id="x") == 3, hash_
    for hash_ in ("0" * 32, stage.hashes[other]):
        assert await code(stage, action, hash_, tracker_id="x") == 4
    ended = await stage.session(who)
    await stage.done("panel/account/logout" if panel else "user/logout", None, hash=ended)
    assert await code(stage, action, ended, tracker_id="x") == 4
    expired = await stage.session(who)
    stage.clock.pass_(DAY if panel else 30 * DAY)
    assert await code(stage, action, expired, tracker_id="x") == 4


@pytest.mark.parametrize("key", OPEN, ids=title)
async def test_what_is_open_asks_for_no_session(stage: Stage, key: tuple[str, str]) -> None:
    assert await code(stage, ACTIONS[key], None) not in (3, 4)


@pytest.mark.parametrize("key", [key for key in CLOSED if key[0] == USER], ids=title)
async def test_users_and_sub_users_come_in_with_the_right(
    stage: Stage, key: tuple[str, str]
) -> None:
    """The right is asked for before any parameter is looked at."""
    action = ACTIONS[key]
    needed = set(action.rights)
    assert needed == set(rights_for(first_path(action))), "the catalog says otherwise"

    usual = SessionKind.SECOND_FACTOR if action.second_factor else SessionKind.LOGIN

    async def answer(who: str, kind: SessionKind = usual) -> int:
        return await code(stage, action, await stage.session(who, kind), tracker_id="x")

    assert await answer("user") not in SENT_AWAY
    for missing in needed & ASSIGNABLE_RIGHTS or needed:
        await stage.grant(*(ASSIGNABLE_RIGHTS - {missing}))
        assert await answer("sub") == 13, missing
    await stage.grant()
    assert (await answer("sub") == 13) is bool(needed)
    await stage.grant(*needed)
    assert (await answer("sub") == 13) is ("admin" in needed)
    granted = await answer("user", SessionKind.GRANTED)
    assert (granted in SENT_AWAY) is (action.login_only or action.second_factor)
    made = await stage.done("api/key/create", title="Ours")
    by_key = await code(stage, action, made["value"]["hash"], tracker_id="x")
    login = action.session_only or action.login_only or action.second_factor
    assert (by_key in SENT_AWAY) is login
    other = SessionKind.LOGIN if action.second_factor else SessionKind.SECOND_FACTOR
    assert await answer("user", other) == 4


@pytest.mark.parametrize("key", [key for key in CLOSED if key[0] == PANEL], ids=title)
async def test_panel_accounts_come_in_with_the_permissions(
    stage: Stage, key: tuple[str, str]
) -> None:
    action = ACTIONS[key]
    needed = [permission.split("|") for permission in action.permissions]
    documented = sorted(sorted(one) for one in permissions_for(action.path))
    assert sorted(sorted(one) for one in needed) == documented, "the catalog says otherwise"
    everything = [
        f"{category}:{operation}"
        for category, operations in PANEL_PERMISSIONS.items()
        for operation in operations
    ]

    async def answer(*permissions: str) -> int:
        stage.made = getattr(stage, "made", 0) + 1
        who = f"staff {stage.made} panel"
        grouped: dict[str, list[str]] = {}
        for permission in permissions:
            category, _, operation = permission.partition(":")
            grouped.setdefault(category, []).append(operation)
        await stage.add_panel(who, stage.dealer_id, grouped)
        return await code(stage, action, stage.hashes[who], tracker_id="x")

    assert await answer(*everything) not in SENT_AWAY
    assert (await answer() == 13) is bool(needed)
    for group in needed:
        assert await answer(*(set(everything) - set(group))) == 13, group
        others = [one[0] for one in needed if one is not group]
        for alternative in group:
            assert await answer(alternative, *others) not in SENT_AWAY, alternative


@pytest.mark.parametrize("key", OF_TRACKERS, ids=title)
async def test_only_those_who_have_a_tracker_reach_it(stage: Stage, key: tuple[str, str]) -> None:
    """A tracker of another account answers exactly like one that is not there; then come what holds
    of the device, in the documented order."""
    action = ACTIONS[key]
    own = action.tracker
    assert own is not None
    name = name_of(*key)
    await stage.grant(*action.rights)
    mine = await stage.device()
    theirs = await stage.device("stranger")
    clone = await stage.clone(theirs)
    arguments = {key: value for key, value in sample(name).items() if not isinstance(value, File)}

    async def about(tracker_id: int, who: str = "user") -> dict[str, Any]:
        return await stage.call(name, who, **{**arguments, own.parameter: tracker_id})

    nothing = await about(NOTHING)
    assert nothing["status"]["code"] == own.missing
    if action.api == PANEL:
        assert await about(mine["id"], "other_panel") == nothing
    else:
        assert await about(theirs["id"]) == nothing
        assert await about(mine["id"], "foreigner") == nothing
        if "admin" not in action.rights:
            assert await about(mine["id"], "sub") == nothing
    fits = clone if own.clone is True else mine["id"]
    if own.clone is not None:
        other = mine["id"] if own.clone is True else clone
        assert (await about(other))["status"]["code"] == (249 if own.clone else 219)
    if own.live:
        await stage.block(fits)
        assert (await about(fits))["status"]["code"] == 208
        if own.clone is False:  # blocked comes before the clone
            await stage.block(clone)
            assert (await about(clone))["status"]["code"] == 208
    if own.clone is not True:
        await stage.corrupt(mine["id"])
        corrupted = own.corrupted
        if corrupted == -1:
            corrupted = own.missing if action.api == USER else 252
        if corrupted is not None:
            assert (await about(mine["id"]))["status"]["code"] == corrupted
