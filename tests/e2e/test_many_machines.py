"""The large size: an API process, two gateways, PostgreSQL and NATS."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_process import Platform, Tracker, eventually, record, without_fix

IMEI = "352093081452251"


@pytest.fixture(scope="module")
def nats_url() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).parent / "nats-server"
    found = str(program) if program.exists() else shutil.which("nats-server")
    assert found
    process = subprocess.Popen(
        [found, "-a", "127.0.0.1", "-p", str(port)], stderr=subprocess.DEVNULL
    )

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    eventually(answers)
    yield f"nats://127.0.0.1:{port}"
    process.terminate()
    process.wait(10)


def test_a_device_moves_from_one_gateway_to_another(
    postgres: str, nats_url: str, tmp_path: Path
) -> None:
    def role(name: str, folder: str) -> Platform:
        return Platform(
            tmp_path / folder, "--role", name, WAYPOST_DATABASE=postgres, WAYPOST_NATS=nats_url
        )

    with role("api", "a") as api, role("gateway", "b") as one, role("gateway", "c") as two:
        hash_ = api.user_hash()
        tracker = api.register(hash_, IMEI)

        def state() -> dict[str, object]:
            answer = api.call("tracker/get_state", hash=hash_, tracker_id=tracker["id"])
            found: dict[str, object] = answer["state"]
            return found

        def latitude() -> float:
            return float(state()["gps"]["location"]["lat"])  # type: ignore[index]

        def command(text: str) -> None:
            answer = api.call(
                "tracker/raw_command/send", hash=hash_, tracker_id=tracker["id"], command=text
            )
            assert answer == {"success": True}

        now = time.time_ns() // 1_000_000
        device = Tracker(IMEI, one.port("teltonika"))
        assert device.send(record(now - 5000, 50.1, 10, 30)) == 1
        eventually(lambda: latitude() == pytest.approx(50.1))
        command("one")
        assert device.command() == "one"

        # It turns up at the other gateway while the first still thinks it is there.
        again = Tracker(IMEI, two.port("teltonika"))
        assert again.send(record(now - 4000, 50.2, 10, 30)) == 1
        eventually(lambda: latitude() == pytest.approx(50.2))
        command("two")
        assert again.command() == "two"

        # What the old connection still brings is stored and does not undo the newer state.
        assert device.send(record(now - 4500, 50.15, 10, 30)) == 1
        assert again.send(record(now - 3000, 50.3, 10, 30)) == 1
        eventually(lambda: latitude() == pytest.approx(50.3))
        device.close()
        two.kill()
        command("three")
        last = Tracker(IMEI, one.port("teltonika"))
        assert last.command() == "three"
        assert last.send(record(now - 2000, 50.4, 10, 30)) == 1
        eventually(lambda: latitude() == pytest.approx(50.4))
        assert one.admin("points", "count", "--device", IMEI) == {"points": 5}
        last.close()


def test_gateways_on_one_machine_share_its_ports(
    postgres: str, nats_url: str, tmp_path: Path
) -> None:
    shared = {"WAYPOST_DATABASE": postgres, "WAYPOST_NATS": nats_url}

    def gateway(folder: str, *arguments: str) -> Platform:
        return Platform(
            tmp_path / folder, "--role", "gateway", *arguments, WAYPOST_SHARE_PORTS="true", **shared
        )

    with Platform(tmp_path / "a", "--role", "api", **shared) as api, gateway("b") as one:
        hash_ = api.user_hash()
        numbers = [str(int(IMEI) + 1000 * number) for number in range(40)]
        for number in numbers:
            api.register(hash_, number)
        ports = [f"{name}={one.port(name)}" for name in ("teltonika", "gl200")]
        same = [word for port in ports for word in ("--device-port", port)]
        with gateway("c", *same) as two:
            now = time.time_ns() // 1_000_000
            devices = [Tracker(number, one.port("teltonika")) for number in numbers]
            for device in devices:
                assert device.send(record(now - 5000, 50.1, 10, 30)) == 1
            # Each has some of them; those of one that dies come to the other.
            two.kill()
            gone = [device for device in devices if device.ended()]
            assert 0 < len(gone) < len(devices)
            for device in gone:
                again = Tracker(device.imei, one.port("teltonika"))
                assert again.send(record(now - 4000, 50.2, 10, 30)) == 1
                again.close()
            assert api.admin("points", "count") == {"points": len(devices) + len(gone)}
            for device in devices:
                device.close()


def test_a_position_that_is_asked_for_where_no_device_connects(
    postgres: str, nats_url: str, tmp_path: Path
) -> None:
    shared = {"WAYPOST_DATABASE": postgres, "WAYPOST_NATS": nats_url}
    cells = tmp_path / "cells.csv"
    cells.write_text("GSM,262,1,5001,301,0,13.40,52.52,1000,40,1,1282569574,1300155341,0\n")
    api = Platform(tmp_path / "a", "--role", "api", **shared)
    api.admin("cells", "import", str(cells))
    with api, Platform(tmp_path / "b", "--role", "gateway", **shared) as gateway:
        hash_ = api.user_hash()
        tracker = api.register(hash_, IMEI)
        ids = {"hash": hash_, "tracker_id": tracker["id"]}

        def gps() -> dict[str, object]:
            found: dict[str, object] = api.call("tracker/get_state", **ids)["state"]["gps"]
            return found

        now = time.time_ns() // 1_000_000
        device = Tracker(IMEI, gateway.port("teltonika"))
        assert device.send(without_fix(now - 200_000, 5001, 301, 26201)) == 1
        # The gateway has no table; the API process has one, and the device's source for a moment.
        eventually(lambda: api.call("tracker/location_request", **ids, type="gsm")["success"])
        assert gps()["precision"] == 1000
        assert device.send(record(now - 100_000, 50.1, 10, 30)) == 1
        eventually(lambda: gps()["location"] == {"lat": 50.1, "lng": 10.0})
        assert device.send(without_fix(now, 5001, 301, 26201)) == 1
        eventually(lambda: api.call("tracker/location_request", **ids, type="gsm")["success"])
        assert gps()["gsm_lbs"] is True
        assert gateway.admin("points", "count", "--device", IMEI) == {"points": 5}
