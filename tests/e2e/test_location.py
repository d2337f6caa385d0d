"""Devices without a fix that say which cells and access points they hear: from the socket to what
clients are shown."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastcrc import crc16
from location_provider import Provider, error, found
from platform_process import Platform, Tracker, eventually, record, without_fix

IMEI = "352093081452251"
HEADER = (
    "radio,mcc,net,area,cell,unit,lon,lat,range,samples,changeable,created,updated,averageSignal"
)
#: Two cells of Berlin, and one of the same numbers in another network.
TABLE = f"""{HEADER}
GSM,262,1,5001,301,0,13.40,52.52,1000,40,1,1282569574,1300155341,0
GSM,262,1,5001,302,0,13.41,52.52,1500,40,1,1282569574,1300155341,0
GSM,262,2,5001,301,0,11.58,48.14,900,40,1,1282569574,1300155341,0
"""


class Gt06:
    """A Concox device over TCP (GT06 protocol)."""

    def __init__(self, imei: str, port: int) -> None:
        self.connection = socket.create_connection(("127.0.0.1", port), 10)
        self.connection.settimeout(15)
        self.serial = 0
        self.send(0x01, bytes.fromhex(imei.zfill(16)))
        assert self.connection.recv(100)[3] == 0x01

    def send(self, kind: int, content: bytes) -> None:
        self.serial += 1
        body = bytes((len(content) + 5, kind)) + content + self.serial.to_bytes(2, "big")
        self.connection.sendall(b"xx" + body + crc16.ibm_sdlc(body).to_bytes(2, "big") + b"\r\n")

    def hear(self, time_ms: int, *cells: tuple[int, int, int], network: int = 1) -> None:
        """Up to seven cells (LAC, cell id, level): "LBS Multi-Base Extended Information"."""
        moment = datetime.fromtimestamp(time_ms / 1000, UTC)
        content = bytes((moment.year - 2000, moment.month, moment.day))
        content += bytes((moment.hour, moment.minute, moment.second))
        content += struct.pack(">HB", 262, network)
        for lac, cell, level in (*cells, *[(0, 0, 0)] * (7 - len(cells))):
            content += struct.pack(">H", lac) + cell.to_bytes(3, "big") + bytes((level,))
        self.send(0x28, content + bytes(3))


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "cells.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode()))
    return path


def gps(platform: Platform, session: str, tracker: dict[str, Any]) -> dict[str, Any]:
    reply = platform.call("tracker/get_state", hash=session, tracker_id=tracker["id"])
    state: dict[str, Any] = reply["state"]["gps"]
    return state


def located(platform: Platform, session: str, tracker: dict[str, Any]) -> dict[str, Any]:
    """Its position, once there is one by the network."""

    def there() -> dict[str, Any] | None:
        state = gps(platform, session, tracker)
        return state if state.get("gsm_lbs") else None

    state: dict[str, Any] = eventually(there)
    return state


def test_devices_without_a_fix_are_shown_where_their_cells_are(
    data_dir: Path, database_url: str, table: Path
) -> None:
    with Platform(data_dir, WAYPOST_DATABASE=database_url) as platform:
        session = platform.user_hash()
        concox = platform.register(session, IMEI, "concox_gt06")
        teltonika = platform.register(session, "352093081452269")
        device = Gt06(IMEI, platform.port("gt06"))
        device.hear(now_ms() - 300_000, (5001, 302, 80))
        other = Tracker("352093081452269", platform.port("teltonika"))
        # While there is no table nothing is looked up; the table is noticed without a restart.
        assert platform.admin("cells", "about")["cells"] == 0
        imported = platform.admin("cells", "import", str(table))
        assert (imported["read"], imported["cells"], imported["wrong"]) == (3, 3, 0)
        assert platform.admin("cells", "about")["cells"] == 3
        time.sleep(1.5)

        start = now_ms() - 200_000
        device.hear(start, (5001, 301, 70), (5001, 302, 70), (4711, 4711, 60))
        state = located(platform, session, concox)
        assert state["location"]["lat"] == pytest.approx(52.52)
        # Nearer to the cell that reaches less far.
        assert 13.40 < state["location"]["lng"] < 13.405
        assert 1000 < state["precision"] < 1700
        assert state["speed"] == 0
        assert state["signal_level"] is None

        assert other.send(without_fix(start, 5001, 301, 26202)) == 1
        state = located(platform, session, teltonika)
        assert state["location"] == {"lat": 48.14, "lng": 11.58}
        assert state["precision"] == 900

        # The device sends the same again, and again elsewhere.
        device.hear(start, (5001, 301, 70), (5001, 302, 70), (4711, 4711, 60))
        device.hear(start + 60_000, (5001, 301, 70), network=2)
        eventually(lambda: gps(platform, session, concox)["location"]["lat"] == 48.14)
        first = platform.call("tracker/get_last_gps_point", hash=session, tracker_id=concox["id"])
        assert first["value"] is None
        # Three reports, and two positions that were found.
        assert platform.admin("points", "count", "--device", IMEI) == {"points": 5}

        def moment(ms: int) -> str:
            return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")

        span = {"from": moment(start - 1000), "to": moment(start + 120_000)}
        track = platform.call("track/read", hash=session, tracker_id=concox["id"], **span)
        shown = [(point["lat"], point["gsm_lbs"], point["precision"]) for point in track["list"]]
        assert shown[0] == (pytest.approx(52.52), True, state_precision(shown[0]))
        assert shown[-1] == (48.14, True, 900)

        # A fix by satellites is worth more, and what is heard beside it is not looked up.
        assert other.send(record(start + 90_000, 50.0, 10.0, 40)) == 1
        assert other.send(without_fix(start + 95_000, 5001, 301, 26201)) == 1
        time.sleep(0.5)
        state = gps(platform, session, teltonika)
        assert state["location"] == {"lat": 50.0, "lng": 10.0}
        assert "gsm_lbs" not in state


def state_precision(shown: tuple[float, bool, int]) -> int:
    assert 1000 < shown[2] < 1700
    return shown[2]


def test_a_provider_is_asked_and_its_failures_harm_nothing(data_dir: Path, tmp_path: Path) -> None:
    key = "a-key-that-nobody-may-read"
    with Provider(lambda body: (500, b"")) as provider:
        settings = {
            "WAYPOST_LOCATION_URL": provider.url,
            "WAYPOST_LOCATION_KEY": key,
            "WAYPOST_LOG_LEVEL": "debug",
        }
        with Platform(data_dir, **settings) as platform:
            session = platform.user_hash()
            tracker = platform.register(session, IMEI, "concox_gt06")
            device = Gt06(IMEI, platform.port("gt06"))
            start = now_ms() - 200_000
            device.hear(start, (5001, 301, 70))
            eventually(lambda: provider.asked)
            # It fails, and devices go on to be stored and answered; it is asked again by itself.
            device.hear(start + 60_000, (5001, 302, 70))
            stored = {"points": 2}
            eventually(lambda: platform.admin("points", "count", "--device", IMEI) == stored)
            provider.answer = lambda body: found(52.5, 13.4, 41.3)
            state = located(platform, session, tracker)
            assert state["location"] == {"lat": 52.5, "lng": 13.4}
            assert state["precision"] == 42
            everything = {"points": 4}
            eventually(lambda: platform.admin("points", "count", "--device", IMEI) == everything)
            # What it has answered it is not asked again.
            asked = len(provider.asked)
            device.hear(start + 121_000, (5001, 302, 60))
            everything = {"points": 6}
            eventually(lambda: platform.admin("points", "count", "--device", IMEI) == everything)
            assert len(provider.asked) == asked
            # What it does not know has no position.
            provider.answer = lambda body: error(404, "notFound")
            device.hear(start + 181_000, (5001, 303, 60))
            eventually(lambda: len(provider.asked) > asked)
            request = {"hash": session, "tracker_id": tracker["id"], "type": "gsm"}
            reply = platform.call("tracker/location_request", **request)
            assert reply["status"]["code"] in (214, 256)
        logs = "".join(path.read_text() for path in tmp_path.glob("log-*"))
        assert "location_provider_paused" in logs
        assert key not in logs


def test_a_position_found_once_is_stored_once(data_dir: Path, table: Path) -> None:
    start = now_ms() - 200_000
    platform = Platform(data_dir)
    platform.admin("cells", "import", str(table))
    with platform:
        session = platform.user_hash()
        tracker = platform.register(session, IMEI, "concox_gt06")
        device = Gt06(IMEI, platform.port("gt06"))
        device.hear(start, (5001, 301, 70))
        located(platform, session, tracker)
        platform.kill()
        platform.start()
        # The device never heard that its report arrived, and sends it again.
        device = Gt06(IMEI, platform.port("gt06"))
        device.hear(start, (5001, 301, 70))
        device.hear(start + 61_000, (5001, 302, 70))
        eventually(lambda: gps(platform, session, tracker)["location"]["lng"] == 13.41)
        assert platform.admin("points", "count", "--device", IMEI) == {"points": 4}


def test_it_can_be_turned_off(data_dir: Path, table: Path) -> None:
    platform = Platform(data_dir, WAYPOST_LOCATION="false")
    platform.admin("cells", "import", str(table))
    with platform:
        session = platform.user_hash()
        tracker = platform.register(session, IMEI, "concox_gt06")
        device = Gt06(IMEI, platform.port("gt06"))
        device.hear(now_ms() - 200_000, (5001, 301, 70))
        eventually(lambda: platform.admin("points", "count", "--device", IMEI) == {"points": 1})
        time.sleep(0.5)
        assert gps(platform, session, tracker)["updated"] is None
        request = {"hash": session, "tracker_id": tracker["id"], "type": "gsm"}
        assert platform.call("tracker/location_request", **request)["status"]["code"] == 214
