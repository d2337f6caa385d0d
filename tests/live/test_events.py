"""Live events as a client of the platform sees them."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from live_world import LiveWorld, all_of, some_of
from sqlalchemy import update

from waypost.store.tables import users

pytestmark = pytest.mark.anyio

STATE = {"type": "state"}


async def test_a_report_becomes_an_event(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    client, answer = await live.subscribe({**STATE, "trackers": [tracker["id"]]})
    assert answer == {
        "type": "response",
        "action": "subscription/subscribe",
        "events": ["state"],
        "data": {"state": {"success": True, "value": {str(tracker["id"]): "normal"}}},
    }
    first = await client.event("state")
    assert first["data"]["source_id"] == tracker["source"]["id"]
    assert first["data"]["connection_status"] == "just_registered"
    await live.report(tracker, latitude=41.5)
    found = await client.event("state")
    reply = await live.world.call("tracker/get_state", tracker_id=tracker["id"])
    assert found["data"] == reply["state"], "the same object as the API's"
    assert found["data"]["gps"]["location"]["lat"] == 41.5
    assert abs(len(found["user_time"]) - len("2018-10-17 12:51:55")) == 0
    assert found["user_time"][:15] == reply["user_time"][:15], "in the user's time zone"


async def test_forms_of_a_state(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    await live.report(tracker, values={"ignition": True})
    compact, _ = await live.subscribe(all_of("state", format="compact"))
    data = (await compact.event("state"))["data"]
    assert list(data) == [
        "source_id",
        "gps",
        "connection_status",
        "movement_status",
        "movement_status_update",
        "ignition",
        "ignition_update",
        "last_update",
    ]
    iso, _ = await live.subscribe(all_of("state"), iso_datetime=True)
    event = await iso.event("state")
    reply = await live.world.call("tracker/get_state", tracker_id=tracker["id"], iso_datetime=True)
    assert event["data"] == reply["state"]
    assert event["user_time"][-6] in "+-"


async def test_batches_go_out_at_their_pace(live: LiveWorld) -> None:
    one, two = [await live.world.register(label) for label in ("One", "Two")]
    client, answer = await live.subscribe(all_of("state_batch", rate_limit="2s"))
    statuses = answer["data"]["state_batch"]["value"]
    assert statuses == {str(one["id"]): "normal", str(two["id"]): "normal"}
    first = await client.event("state_batch")
    sources = {one["source"]["id"], two["source"]["id"]}
    assert {state["source_id"] for state in first["data"]} == sources
    began = asyncio.get_running_loop().time()
    for speed in range(20):
        await live.report(one, speed=float(speed))
    await live.report(two, speed=7.0)
    second = await client.event("state_batch")
    assert asyncio.get_running_loop().time() - began > 0.5, "not before its time"
    speeds = {state["source_id"]: state["gps"]["speed"] for state in second["data"]}
    assert speeds == {one["source"]["id"]: 19, two["source"]["id"]: 7}, "the newest of each, once"
    await client.silent(2.2)


async def test_newer_clients_get_each_state_wrapped(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    client = await live.connect("/api-v2/wse/subscription")
    await client.send(live.wish(all_of("state_batch")))
    await client.next()
    event = await client.event("state_batch")
    assert [one["type"] for one in event["data"]] == ["source_state_event"]
    assert event["data"][0]["state"]["source_id"] == tracker["source"]["id"]


async def test_the_older_form_of_subscribing(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    client = await live.connect("/v2/event/subscription/")
    wish = {"action": "subscribe", "hash": live.world.hashes["user"]}
    await client.send({**wish, "events": ["state"], "trackers": [tracker["id"]]})
    assert (await client.next())["events"] == ["state"]
    await client.event("state")


async def test_the_atmosphere_protocol(live: LiveWorld) -> None:
    tracker = await live.world.register("Año ☀")
    client = await live.connect(
        "/event/subscription?X-Atmosphere-tracking-id=0&X-Atmosphere-Framework=2.3.6-javascript"
        "&X-Atmosphere-Transport=websocket&Content-Type=application/json&X-atmo-protocol=true"
    )
    tracking, interval, padding, rest = (await client.text()).split("|")
    assert str(uuid.UUID(tracking)) == tracking
    assert (interval, padding, rest) == ("30000", "X", "")
    await client.send("X")  # the client's heartbeat
    await client.send(live.wish(some_of("state", tracker)))
    assert (await client.next())["type"] == "response"
    await client.event("state")

    known = str(uuid.uuid4())
    tracked = await live.connect(
        f"/event/subscription?X-Atmosphere-tracking-id={known}&X-atmo-protocol=true"
        "&X-Atmosphere-TrackMessageSize=true"
    )
    size, text = (await tracked.text()).split("|", 1)
    assert (int(size), text) == (len(text), f"{known}|30000|X|")
    await tracked.send(live.wish(some_of("state", tracker)))
    for _ in range(2):
        size, text = (await tracked.text()).split("|", 1)
        assert int(size) == len(text)
        json.loads(text)


async def test_trackers_that_cannot_be_followed(live: LiveWorld) -> None:
    world = live.world
    mine = await world.register("Mine")
    theirs = await world.register("Theirs", who="stranger")
    blocked = await world.register("Blocked")
    await world.call("panel/tracker/source/update", tracker_id=blocked["id"], blocked=True)
    client, answer = await live.subscribe(some_of("state", mine, theirs, blocked, {"id": 999999}))
    assert answer["data"]["state"]["value"] == {
        str(mine["id"]): "normal",
        str(theirs["id"]): "unknown",
        str(blocked["id"]): "blocked",
        "999999": "unknown",
    }
    assert (await client.event("state"))["data"]["source_id"] == mine["source"]["id"]
    await live.report(theirs)
    await live.report(blocked)
    await client.silent()


async def test_what_happens_to_a_tracker(live: LiveWorld) -> None:
    world = live.world
    tracker = await world.register("One")
    source_id = tracker["source"]["id"]
    client, _ = await live.subscribe(all_of("state"))
    await client.event("state")

    async def lifecycle() -> str:
        event = await client.event("lifecycle")
        assert event["data"]["source_id"] == source_id
        return str(event["data"]["lifecycle_event"])

    block = {"path": "panel/tracker/source/update", "tracker_id": tracker["id"]}
    await world.call(**block, blocked=True)
    assert await lifecycle() == "block"
    await live.report(tracker)
    await client.silent()
    await world.call(**block, blocked=False)
    assert await lifecycle() == "unblock"
    assert (await client.event("state"))["data"]["connection_status"] == "active"
    assert (await world.call("panel/tracker/corrupt", tracker_id=tracker["id"]))["success"]
    assert await lifecycle() == "corrupt"
    other = await world.register("Two")
    assert (await client.event("state"))["data"]["source_id"] == other["source"]["id"], "joins"


async def test_rights_change_under_a_subscription(live: LiveWorld) -> None:
    world = live.world
    one, two = [await world.register(label) for label in ("One", "Two")]
    bind = {"path": "subuser/tracker/bind", "subuser_id": world.ids["sub"]}
    unbind = {**bind, "path": "subuser/tracker/unbind"}
    assert (await world.call(**bind, trackers=[one["id"]]))["success"]
    client, answer = await live.subscribe(some_of("state", one, two), who="sub")
    assert answer["data"]["state"]["value"] == {
        str(one["id"]): "normal",
        str(two["id"]): "disallowed",
    }
    assert (await client.event("state"))["data"]["source_id"] == one["source"]["id"]
    await world.call(**bind, trackers=[two["id"]])
    assert (await client.event("state"))["data"]["source_id"] == two["source"]["id"]
    await world.call(**unbind, trackers=[one["id"]])
    await asyncio.sleep(0.2)
    await live.report(one)
    await live.report(two)
    assert (await client.event("state"))["data"]["source_id"] == two["source"]["id"]
    await client.silent()


async def test_a_subscription_ends_with_its_session(live: LiveWorld) -> None:
    world = live.world
    tracker = await world.register("One")
    client, _ = await live.subscribe(all_of("state_batch", rate_limit="100ms"))
    await client.event("state_batch")
    assert (await world.call("user/logout"))["success"]
    found = await client.next()
    assert found == {"type": "event", "event": "logout", "data": "session closed"}
    await live.report(tracker)
    await client.silent()
    await client.send(live.wish(all_of("state")))
    assert (await client.next())["status"]["code"] == 4


async def test_sessions_that_end_otherwise(live: LiveWorld) -> None:
    world = live.world
    await world.register("One")
    sub, _ = await live.subscribe(all_of("state"), who="sub")
    expiring, _ = await live.subscribe(all_of("state"))
    await expiring.event("state")
    async with world.services.database.begin() as connection:
        await connection.execute(
            update(users).where(users.c.id == world.ids["sub"]).values(blocked=True)
        )
    world.services.accounts.sessions.forget_user(world.ids["sub"])
    await sub.event("logout")
    world.clock.pass_(31 * 86_400)
    await expiring.event("logout", 5)


async def test_unsubscribing(live: LiveWorld) -> None:
    one, two = [await live.world.register(label) for label in ("One", "Two")]
    client, _ = await live.subscribe(all_of("state"))
    for _ in range(2):
        await client.event("state")
    await client.send(live.wish(some_of("state", one), action="unsubscribe"))
    answer = await client.next()
    assert answer["action"] == "subscription/unsubscribe"
    assert answer["data"] == {"state": {"success": True, "value": {str(one["id"]): "normal"}}}
    await live.report(one)
    await live.report(two)
    assert (await client.event("state"))["data"]["source_id"] == two["source"]["id"]
    await client.send(live.wish(all_of("state"), action="unsubscribe"))
    await client.next()
    await live.report(two)
    await client.silent()
    await client.send(live.wish(some_of("state", two)))
    await client.next()
    await client.event("state")


async def test_tags_choose_trackers(live: LiveWorld) -> None:
    world = live.world
    one, two = [await world.register(label) for label in ("One", "Two")]
    tag = await world.call("tag/create", tag={"name": "Vans", "color": "000000"})
    bindings = [{"tag_id": tag["id"], "ordinal": 1}]
    tags = {"path": "tracker/tags/set", "tag_bindings": bindings}
    assert (await world.call(**tags, tracker_id=one["id"]))["success"]
    target = {"type": "tags", "tag_ids": [tag["id"]]}
    client, answer = await live.subscribe({**STATE, "target": target})
    assert answer["data"]["state"]["value"] == {str(one["id"]): "normal"}
    assert (await client.event("state"))["data"]["source_id"] == one["source"]["id"]
    assert (await world.call(**tags, tracker_id=two["id"]))["success"]
    assert (await client.event("state"))["data"]["source_id"] == two["source"]["id"], "joins"


async def test_time_alone_changes_a_status(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    now = live.world.clock.now
    await live.report(tracker, time=now - 5 * 60_000 + 900)
    client, _ = await live.subscribe(all_of("state", format="compact"))
    assert (await client.event("state"))["data"]["connection_status"] == "active"
    assert (await client.event("state"))["data"]["connection_status"] == "idle"
    await client.silent()


async def test_readings(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    values: dict[str, Any] = {"board_voltage": 12.5, "input_status": 1}
    await live.report(tracker, values=values)
    client, answer = await live.subscribe(all_of("readings_batch", rate_limit="100ms"))
    assert answer["data"]["readings_batch"]["success"] is True
    (first,) = (await client.event("readings_batch"))["data"]
    assert first["tracker_id"] == tracker["id"]
    reply = await live.world.call("tracker/readings/list", tracker_id=tracker["id"])
    for name in ("inputs", "states", "virtual_sensors", "counters"):
        assert first[name] == reply[name], name
    assert [one["name"] for one in first["inputs"]] == ["board_voltage"]
    await asyncio.sleep(1.1)  # times are written in seconds
    await live.report(tracker, values={"board_voltage": 13.0})
    (second,) = (await client.event("readings_batch"))["data"]
    assert [(one["name"], one["value"]) for one in second["inputs"]] == [("board_voltage", 13.0)]
    assert second["states"] == [], "only what is new"
    await live.report(tracker)
    await client.silent()

    fuel = all_of("readings_batch", sensor_type="fuel")
    narrow, _ = await live.subscribe(fuel)
    (only,) = (await narrow.event("readings_batch"))["data"]
    assert (only["inputs"], only["states"]) == ([], [])
    _, refused = await live.subscribe(all_of("readings_batch", sensor_type="mood"))
    assert refused["status"]["code"] == 7

    single, _ = await live.subscribe(some_of("readings", tracker))
    assert (await single.event("readings"))["data"]["tracker_id"] == tracker["id"]


async def test_a_new_sensor_is_read_at_once(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    await live.report(tracker, values={"analog_1": 2.5})
    client, _ = await live.subscribe(all_of("readings_batch", rate_limit="100ms"))
    await client.event("readings_batch")
    sensor = {
        "type": "metering",
        "sensor_type": "fuel",
        "name": "Tank",
        "input_name": "analog_1",
        "divider": 1.0,
        "accuracy": 0.0,
        "units": "",
        "units_type": "litre",
    }
    reply = await live.world.call("tracker/sensor/create", tracker_id=tracker["id"], sensor=sensor)
    assert reply["success"], reply
    await live.report(tracker, values={"analog_1": 3.5})
    (news,) = (await client.event("readings_batch"))["data"]
    assert [(one["label"], one["value"]) for one in news["inputs"]] == [("Tank", 3.5)]


async def test_the_monitor_shows_messages_as_they_came(live: LiveWorld) -> None:
    tracker = await live.world.register("One")
    now = live.world.clock.now
    for at in range(15):
        values = {"board_voltage": 12.0 + at / 10} if at % 2 else {}
        await live.report(tracker, time=now - 60_000 + at * 1000, speed=float(at), values=values)
    client, answer = await live.subscribe(some_of("iot_monitor", tracker, rate_limit="1s"))
    assert answer["events"] == ["iot_monitor"]
    event = await client.event("iot_monitor")
    (found,) = event["data"]["iot_last_values"]
    assert found["tracker_id"] == tracker["id"]
    every, present = found["all_fields"], found["nonnull_fields"]
    assert [one["value"] for one in every["board_voltage"]][:3] == [None, "13.3", None]
    assert [one["value"] for one in present["board_voltage"]][:2] == ["13.3", "13.1"]
    assert len(every["board_voltage"]) == 12
    assert set(every["speed"][0]) == {"msg_time", "srv_time", "value"}
    await live.report(tracker, speed=99.0)
    (found,) = (await client.event("iot_monitor"))["data"]["iot_last_values"]
    assert found["all_fields"]["speed"][0]["value"] == "99.0"
    many = {"type": "selected", "tracker_ids": list(range(11))}
    await client.send(live.wish({"type": "iot_monitor", "target": many}))
    assert (await client.next())["status"]["code"] == 7


async def test_what_is_read_again_is_not_told_again(
    live: LiveWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where other processes write, states are read again in case a word was lost: only what is
    new then is told."""
    sources = live.live.events.sources
    await sources.close()
    monkeypatch.setattr("waypost.live.sources.AGAIN", 0.4)
    monkeypatch.setattr(sources, "_shared", True)
    sources.start()
    tracker = await live.world.register("Car")
    await live.report(tracker, speed=10.0)
    client, _ = await live.subscribe(all_of("state"))
    assert (await client.event("state"))["data"]["gps"]["speed"] == 10
    await client.silent(1.0)
    await live.report(tracker, speed=20.0)
    assert (await client.event("state"))["data"]["gps"]["speed"] == 20
    await client.silent()
