"""What holds of every action there is, whoever wrote it."""

from __future__ import annotations

import msgspec
import pytest
from api_world import World
from openapi_spec_validator import validate

from waypost.accounts.model import User
from waypost.api.action import PANEL, USER, Own, load_actions, user_action
from waypost.api.openapi import codes_of, url_of
from waypost.api.params import Int, read_signature
from waypost.catalog import errors
from waypost.catalog.rights import PANEL_PERMISSION_NAMES, SUBUSER_RIGHTS

ACTIONS = load_actions()
CLOSED = sorted(key for key, action in ACTIONS.items() if not action.public)


def test_every_action_names_rights_and_codes_that_exist() -> None:
    for key, action in ACTIONS.items():
        assert action.summary, f"{key} has no docstring"
        assert set(codes_of(action)) <= set(errors.all_errors()), key
        assert set(action.rights) <= set(SUBUSER_RIGHTS), key
        for permission in action.permissions:
            assert set(permission.split("|")) <= PANEL_PERMISSION_NAMES, key


async def test_nobody_gets_past_a_closed_action_without_a_session_of_its_api(world: World) -> None:
    for api, path in CLOSED:
        url = f"panel/{path}" if api == PANEL else path
        other = world.hashes["user" if api == PANEL else "panel"]
        for hash_, code in ((None, 3), ("x", 3), ("0" * 32, 4), (other, 4)):
            assert await world.code(url, None, hash=hash_) == code, url


async def test_a_right_is_asked_for_before_parameters_are_looked_at(world: World) -> None:
    await world.grant()
    await world.add_panel("nobody", world.dealer_id, {})
    for (api, path), action in ACTIONS.items():
        if action.rights:
            assert await world.code(path, "sub", tracker_id="x") == 13, path
        if action.permissions:
            assert await world.code(f"panel/{path}", "nobody", tracker_id="x") == 13, path
        if action.login_only or action.session_only or action.second_factor:
            assert api == USER


async def test_one_right_is_not_another(world: World) -> None:
    for (_, path), action in ACTIONS.items():
        if not action.rights or "admin" in action.rights:
            continue
        for missing in action.rights:
            await world.grant(*(set(SUBUSER_RIGHTS) - {missing}))
            assert await world.code(path, "sub") == 13, path
        await world.grant(*action.rights)
        assert await world.code(path, "sub") != 13, path


async def test_a_tracker_of_nobody_is_refused_by_every_action_that_takes_one(world: World) -> None:
    """Without further parameters most answer 7 first; none goes further than that."""
    for (api, path), action in ACTIONS.items():
        if action.tracker is not None:
            url = f"panel/{path}" if api == PANEL else path
            named = {action.tracker.parameter: 10**12}
            assert await world.code(url, **named) in (7, action.tracker.missing), url


async def test_the_description_is_valid_openapi_and_complete(world: World) -> None:
    document = (await world.client.get("/openapi.json")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {url_of(action) for action in ACTIONS.values()}


async def test_the_docs_show_every_action_and_need_nothing_from_elsewhere(world: World) -> None:
    reply = await world.client.get("/docs")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    for action in ACTIONS.values():
        assert f"<code>{url_of(action)}</code>" in reply.text
    assert "http://" not in reply.text
    assert "https://" not in reply.text


class Tracker(msgspec.Struct):
    """What a check looks at."""

    clone: bool = False
    blocked: bool = False
    corrupted: bool = False
    connected_at: int | None = 1
    deleted: bool = False
    id: int = 1
    model: str = "m"


WORST = Tracker(clone=True, blocked=True, corrupted=True, connected_at=None)


def test_a_tracker_is_checked_in_the_documented_order() -> None:
    own = Own(live=True, clone=False, supports=lambda tracker: False, activated=True)
    heal = msgspec.structs.replace
    steps = [
        (None, 201),
        (WORST, 252),
        (heal(WORST, corrupted=False), 208),
        (heal(WORST, corrupted=False, blocked=False), 219),
        (heal(WORST, corrupted=False, blocked=False, clone=False), 214),
    ]
    for tracker, code in steps:
        assert _code(own, tracker, PANEL) == code
    assert _code(own, WORST, USER) == 201
    able = Own(activated=True)
    assert _code(able, Tracker(connected_at=None), USER) == 266
    able.check(Tracker(connected_at=None), USER)  # memory may not know yet
    assert _code(able, Tracker(), USER) == 0
    assert _code(Own(clone=True), Tracker(), USER) == 249
    assert _code(Own(missing=204), None, USER) == 204
    assert _code(Own(corrupted=252), WORST, USER) == 252
    assert _code(Own(corrupted=None), WORST, USER) == 0


def _code(own: Own, tracker: Tracker | None, api: str) -> int:
    from waypost.refusal import Refused

    try:
        own.check(tracker, api, locked=True)
    except Refused as error:
        return error.code
    return 0


def test_declarations_that_cannot_be_served_safely_are_found_at_the_start() -> None:
    class Loose(msgspec.Struct):
        number: int

    class Bounded(msgspec.Struct):
        number: Int

    async def loose(call: object, thing: Loose) -> None: ...
    async def bounded(call: object, thing: Bounded) -> None: ...
    async def untyped(call: object, thing) -> None: ...  # type: ignore[no-untyped-def]

    loose.__annotations__["thing"] = Loose
    bounded.__annotations__["thing"] = Bounded
    read_signature(bounded, injected=frozenset())
    for wrong in (loose, untyped):
        with pytest.raises(TypeError):
            read_signature(wrong, injected=frozenset())

    async def elsewhere(call: object) -> None: ...

    elsewhere.__module__ = "waypost.api.user.tag.elsewhere"
    with pytest.raises(TypeError, match="belongs into"):
        user_action("tracker/elsewhere")(elsewhere)
    elsewhere.__module__ = "waypost.api.user.user.elsewhere"
    with pytest.raises(TypeError, match="twice"):
        user_action("user/get_info")(elsewhere)


def test_a_sub_user_never_has_the_masters_right() -> None:
    from zoneinfo import ZoneInfo

    sub = User(
        id=2,
        dealer_id=1,
        master_id=1,
        login="",
        time_zone="UTC",
        zone=ZoneInfo("UTC"),
        locale="en",
        measurement_system="metric",
        rights=frozenset(("admin", "tag_update")),
    )
    assert not sub.may("admin")
    assert sub.may("tag_update")
    assert sub.account_id == 1
