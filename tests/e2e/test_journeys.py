"""The journeys of the platform, from outside: sockets, HTTP calls and the command line."""

from __future__ import annotations

import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from platform_process import WAYPOST, Platform, Tracker, environment, eventually, record

IMEI = "352093081452251"


@pytest.fixture
def platform(data_dir: Path, database_url: str) -> Platform:
    return Platform(data_dir, WAYPOST_DATABASE=database_url)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_new_user_registers_a_tracker_and_sees_where_it_is(platform: Platform) -> None:
    with platform:
        assert stat.S_IMODE((platform.data_dir / "first-login.json").stat().st_mode) == 0o600
        created = platform.call(
            "panel/user/create",
            hash=platform.panel_hash(),
            time_zone="Europe/Berlin",
            locale="en_US",
            password="Change-me-2026!",
            discount={"value": 0, "min_trackers": 0, "end_date": None, "strategy": "no_summing"},
            user={
                "activated": True,
                "login": "me@example.org",
                "first_name": "Ada",
                "middle_name": "",
                "last_name": "Lovelace",
                "legal_type": "individual",
                "phone": "491700000000",
                "post_country": "",
                "post_index": "",
                "post_region": "",
                "post_city": "",
                "post_street_address": "",
            },
        )
        assert created["success"], created
        session = platform.call("user/auth", login="me@example.org", password="Change-me-2026!")
        hash_ = session["hash"]
        tracker = platform.register(hash_, IMEI)
        state = platform.call("tracker/get_state", hash=hash_, tracker_id=tracker["id"])["state"]
        assert state["connection_status"] == "just_registered"

        now = now_ms()
        device = Tracker(IMEI, platform.port("teltonika"))
        track = [record(now - 60_000 + n * 1000, 52.5 + n / 1000, 13.4, 60) for n in range(60)]
        assert device.send(*track) == 60
        state = platform.call("tracker/get_state", hash=hash_, tracker_id=tracker["id"])["state"]
        assert state["connection_status"] == "active"
        assert state["movement_status"] == "moving"
        assert state["gps"]["speed"] == 60
        assert state["gps"]["location"]["lat"] == pytest.approx(52.559)

        answer = platform.call(
            "track/read",
            hash=hash_,
            tracker_id=tracker["id"],
            **{"from": "2020-01-01 00:00:00", "to": "2020-01-02 00:00:00"},
        )
        assert answer["list"] == []
        day = time.strftime("%Y-%m-%d", time.gmtime(now / 1000 - 86_400))
        after = time.strftime("%Y-%m-%d", time.gmtime(now / 1000 + 2 * 86_400))
        answer = platform.call(
            "track/read",
            hash=hash_,
            tracker_id=tracker["id"],
            simplify=False,
            **{"from": f"{day} 00:00:00", "to": f"{after} 00:00:00"},
        )
        assert len(answer["list"]) == 60, answer

        # Registered to somebody: to everybody else it does not exist.
        other = platform.user_hash()
        stranger = platform.call("tracker/get_state", hash=other, tracker_id=tracker["id"])
        assert stranger["status"]["code"] == 201
        assert platform.admin("points", "count", "--device", IMEI) == {"points": 60}
        device.close()
        assert platform.stop() == 0
    with platform:
        again = platform.call("user/auth", login="me@example.org", password="Change-me-2026!")
        state = platform.call("tracker/get_state", hash=again["hash"], tracker_id=tracker["id"])
        assert state["state"]["gps"]["location"]["lat"] == pytest.approx(52.559)


def test_a_command_reaches_the_device_now_or_when_it_connects(platform: Platform) -> None:
    with platform:
        hash_ = platform.user_hash()
        tracker = platform.register(hash_, IMEI)

        def send(text: str) -> None:
            answer = platform.call(
                "tracker/raw_command/send", hash=hash_, tracker_id=tracker["id"], command=text
            )
            assert answer == {"success": True}

        send("getinfo")
        device = Tracker(IMEI, platform.port("teltonika"))
        assert device.command() == "getinfo"
        send("getver")
        assert device.command() == "getver"
        commands = eventually(
            lambda: [
                item
                for item in platform.rows("command", "list", "--device", IMEI)
                if item["state"] == "acknowledged"
            ][1:]
        )
        assert commands
        device.close()


def test_nothing_acknowledged_is_lost_by_a_kill(platform: Platform) -> None:
    """Devices report as fast as they can; the server is killed in the middle, twice."""
    platform.start()
    hash_ = platform.user_hash()
    imeis = [str(int(IMEI) + n) for n in range(8)]
    for imei in imeis:
        platform.register(hash_, imei)
    base = now_ms() - 86_400_000
    acknowledged = dict.fromkeys(imeis, 0)
    stop = threading.Event()

    def drive(imei: str) -> None:
        # A device sends its oldest records again until they are acknowledged, in packets of 10.
        device = None
        while not stop.is_set():
            try:
                if device is None:
                    device = Tracker(imei, platform.port("teltonika"))
                first = acknowledged[imei]
                records = [
                    record(base + (first + n) * 1000, 50 + n / 1000, 10, 30) for n in range(10)
                ]
                assert device.send(*records) == 10
                acknowledged[imei] = first + 10
            except (OSError, AssertionError, KeyError):
                device = None
                time.sleep(0.02)

    threads = [threading.Thread(target=drive, args=(imei,)) for imei in imeis]
    for thread in threads:
        thread.start()
    for _ in range(2):
        before = sum(acknowledged.values())
        eventually(lambda before=before: sum(acknowledged.values()) > before + 300)
        platform.kill()
        platform.start()
    before = sum(acknowledged.values())
    eventually(lambda: sum(acknowledged.values()) > before + 300)
    stop.set()
    for thread in threads:
        thread.join()
    for imei in imeis:
        stored = platform.admin("points", "count", "--device", imei)["points"]
        # A packet that was committed and whose answer the kill took may be there too; sent again,
        # it is still there once.
        assert acknowledged[imei] <= stored <= acknowledged[imei] + 10
    platform.stop()


def test_an_orderly_stop_acknowledges_what_it_commits(platform: Platform) -> None:
    platform.start()
    platform.register(platform.user_hash(), IMEI)
    device = Tracker(IMEI, platform.port("teltonika"))
    acknowledged = [0]

    def drive() -> None:
        now = now_ms()
        try:
            while True:
                assert device.send(record(now + acknowledged[0], 50, 10, 30)) == 1
                acknowledged[0] += 1
        except OSError:
            pass

    thread = threading.Thread(target=drive)
    thread.start()
    eventually(lambda: acknowledged[0] > 50)
    assert platform.stop() == 0
    thread.join(20)
    assert platform.admin("points", "count") == {"points": acknowledged[0]}


def test_a_device_that_nobody_registered_waits_in_the_inbox(platform: Platform) -> None:
    with platform:
        device = Tracker(IMEI, platform.port("auto"))
        device.connection.settimeout(1)
        with pytest.raises(TimeoutError):
            device.send(record(now_ms(), 50, 10, 30))
        entry = eventually(lambda: platform.rows("inbox", "list"))[0]
        assert (entry["device_id"], entry["protocol"]) == (IMEI, "teltonika")
        assert platform.admin("points", "count") == {"points": 0}
        platform.register(platform.user_hash(), IMEI)
        device.connection.settimeout(15)
        assert int.from_bytes(device.read(4), "big") == 1, "taken up as soon as it is registered"
        assert platform.admin("points", "count") == {"points": 1}
        assert eventually(lambda: not platform.rows("inbox", "list"))
        device.close()


def test_two_servers_do_not_share_an_embedded_database(data_dir: Path) -> None:
    with Platform(data_dir):
        second = subprocess.run(
            [*WAYPOST, "serve", "--data-dir", str(data_dir), "--http", "127.0.0.1:0"],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=60,
        )
    assert second.returncode == 2
    assert "another Waypost is running" in second.stderr
    assert "Traceback" not in second.stderr


def test_roles_cannot_be_split_on_sqlite(data_dir: Path) -> None:
    done = subprocess.run(
        [*WAYPOST, "serve", "--data-dir", str(data_dir), "--role", "api"],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 2
    assert "PostgreSQL" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_named(data_dir: Path) -> None:
    with Platform(data_dir) as first:
        port = first.port("teltonika")
        second = subprocess.run(
            [
                *WAYPOST,
                "serve",
                "--data-dir",
                str(data_dir.parent / "other"),
                "--http",
                "127.0.0.1:0",
                "--device-port",
                "all=0",
                "--device-port",
                f"teltonika={port}",
            ],
            capture_output=True,
            text=True,
            env=environment(),
            timeout=60,
        )
    assert second.returncode == 2
    assert "teltonika" in second.stderr
    assert str(port) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_device_is_replaced_as_soon_as_it_was_there(tmp_path: Path) -> None:
    with Platform(tmp_path / "data") as platform:
        session = platform.user_hash()
        tracker = platform.register(session, "352093081452251")
        ids = {"hash": session, "tracker_id": tracker["id"]}
        new = {"device_id": "352093081452269", "model": "telfmb120", "plugin_id": 44}
        # The account's trackers are in memory from now on; the device is not there yet.
        assert platform.call("tracker/replace", **ids, **new)["status"]["code"] == 266
        device = Tracker("352093081452251", platform.port("teltonika"))
        assert device.send(record(time.time_ns() // 1_000_000, 50.1, 10, 30)) == 1
        eventually(lambda: platform.call("tracker/replace", **ids, **new)["success"], 5)
        state = platform.call("tracker/get_state", **ids)["state"]
        assert state["connection_status"] == "just_replaced"
        assert state["gps"]["location"] == {"lat": 50.1, "lng": 10.0}, "it keeps its history"
        device.close()
