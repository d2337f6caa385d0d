"""The HTTP provider: what it is asked, what becomes of its answers, and of none."""

from __future__ import annotations

import asyncio
import email.utils
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from location_provider import Answer, Provider, error, found

from waypost.location.geolocate import Geolocate, NotNow, request
from waypost.location.position import Place
from waypost.location.surroundings import Surroundings, surroundings
from waypost.settings import Settings
from waypost.telemetry.message import Cell, Wifi

pytestmark = pytest.mark.anyio

KEY = "AIza-secret-1234"
BERLIN = Place(52.52, 13.405, 850)


def heard(cell_id: int = 301, *wifi: Wifi) -> Surroundings:
    around = surroundings([Cell(5001, cell_id, 262, 1, -70)], wifi)
    assert around is not None
    return around


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(lambda body: found(52.52, 13.405, 850)) as running:
        yield running


@pytest.fixture
async def geolocate(provider: Provider) -> AsyncIterator[Geolocate]:
    made = Geolocate(settings(provider))
    yield made
    await made.close()


def settings(provider: Provider, **values: Any) -> Settings:
    values = {"location_url": provider.url, "location_key": KEY, "location_rate": 0, **values}
    return Settings(**values)


async def test_a_position_by_cells(geolocate: Geolocate, provider: Provider) -> None:
    assert await geolocate.find(heard()) == BERLIN
    ((path, body),) = provider.asked
    assert path == f"/v1/geolocate?key={KEY}"
    tower = {
        "radioType": "gsm",
        "mobileCountryCode": 262,
        "mobileNetworkCode": 1,
        "locationAreaCode": 5001,
        "cellId": 301,
        "signalStrength": -70,
    }
    # Not where this server is.
    assert body == {"considerIp": False, "radioType": "gsm", "cellTowers": [tower]}


def test_what_is_asked_about_access_points_and_other_radio_networks() -> None:
    cells = [
        Cell(1, 59_999_999_999, 262, 1, None, "NR"),
        Cell(2, 70_000, 262, 1),
        Cell(3, 80_000, 262, 1, None, "WCDMA"),
        Cell(4, 8, 262, 1, None, "LTE"),
    ]
    wifi = [Wifi("00:11:22:33:44:55", -60, 11, 300), Wifi("00:11:22:33:44:56", None, 0, -1)]
    around = surroundings(cells, wifi)
    assert around is not None
    body = request(around)
    assert [tower["radioType"] for tower in body["cellTowers"]] == ["nr", "lte", "wcdma", "lte"]
    assert body["cellTowers"][0]["newRadioCellId"] == 59_999_999_999
    assert "cellId" not in body["cellTowers"][0]
    assert body["wifiAccessPoints"] == [
        {
            "macAddress": "00:11:22:33:44:55",
            "signalStrength": -60,
            "channel": 11,
            "age": 300,
        },
        {"macAddress": "00:11:22:33:44:56"},
    ]
    alone = surroundings(None, wifi)
    assert alone is not None
    assert set(request(alone)) == {"considerIp", "wifiAccessPoints"}


async def test_the_url_keeps_its_own_parameters(provider: Provider) -> None:
    geolocate = Geolocate(settings(provider, location_url=provider.url + "?x=1"))
    assert await geolocate.find(heard()) == BERLIN
    assert provider.asked[0][0] == f"/v1/geolocate?x=1&key={KEY}"
    await geolocate.close()
    geolocate = Geolocate(settings(provider, location_key=""))
    assert await geolocate.find(heard()) == BERLIN
    assert provider.asked[1][0] == "/v1/geolocate"
    await geolocate.close()


async def test_the_same_surroundings_are_asked_about_once(
    geolocate: Geolocate, provider: Provider
) -> None:
    every = await asyncio.gather(*(geolocate.find(heard()) for _ in range(20)))
    assert set(every) == {BERLIN}
    assert await geolocate.find(heard()) == BERLIN
    assert len(provider.asked) == 1
    await geolocate.find(heard(302))
    assert len(provider.asked) == 2


async def test_nobody_knows_is_an_answer_too(geolocate: Geolocate, provider: Provider) -> None:
    provider.answer = lambda body: error(404, "notFound")
    for _ in range(3):
        assert await geolocate.find(heard()) is None
    assert len(provider.asked) == 1
    assert geolocate.paused == 0


@pytest.mark.parametrize(
    "answer",
    [
        (200, b'{"location": {"lat": 1, "lng": 2}, "accuracy": 5, "fallback": "ipf"}'),
        (200, b'{"location": {"lat": 1, "lng": 2}, "accuracy": 1000000}'),
        error(400, "parseError"),
    ],
)
async def test_answers_that_are_no_position(
    geolocate: Geolocate, provider: Provider, answer: Answer
) -> None:
    provider.answer = lambda body: answer
    assert await geolocate.find(heard()) is None
    assert geolocate.paused == 0


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"[" * 100_000),
        (200, b"\xff" * 100),
        (200, b'{"location": {"lat": 91, "lng": 2}, "accuracy": 5}'),
        (200, b'{"location": {"lat": "a", "lng": 2}, "accuracy": 5}'),
        (200, b'{"location": {"lat": 1, "lng": 2}}'),
        (200, b'{"location": {"lat": 1, "lng": 2}, "accuracy": -1}'),
        (200, b'{"location": {"lat": NaN, "lng": 2}, "accuracy": 1}'),
        (200, b'{"location": {"lat": 1e999, "lng": 2}, "accuracy": 1}'),
        (200, b'{"location": null, "accuracy": 1}'),
        (200, b'{"a": "' + b"x" * 1_000_000 + b'"}'),
        (204, b""),
        (301, b"", {"Location": "http://127.0.0.1:1/"}),
        (404, b"<html>no such page"),
        (500, b"boom"),
        (503, b'{"error": 1}'),
    ],
)
async def test_a_provider_that_talks_nonsense_is_left_alone_for_a_while(
    geolocate: Geolocate, provider: Provider, answer: Answer
) -> None:
    provider.answer = lambda body: answer
    with pytest.raises(NotNow):
        await geolocate.find(heard())
    assert 0 < geolocate.paused <= 5
    with pytest.raises(NotNow):
        await geolocate.find(heard(302))
    assert len(provider.asked) == 1


async def test_pauses_grow_until_it_answers_again(geolocate: Geolocate, provider: Provider) -> None:
    provider.answer = lambda body: (500, b"")
    pauses = []
    for number in range(9):
        with pytest.raises(NotNow, match="it answers 500"):
            await geolocate.find(heard(400 + number))
        pauses.append(round(geolocate.paused))
        geolocate._paused_until = 0.0
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    provider.answer = lambda body: found(1, 2, 3)
    assert await geolocate.find(heard(500)) == Place(1, 2, 3)
    provider.answer = lambda body: (500, b"")
    with pytest.raises(NotNow):
        await geolocate.find(heard(501))
    assert round(geolocate.paused) == 5


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (error(403, "dailyLimitExceeded"), 300),
        (error(429, "userRateLimitExceeded"), 300),
        (error(400, "keyInvalid"), 300),
        ((429, b"", {"Retry-After": "17"}), 17),
        ((429, b"", {"Retry-After": "99999999999999999999"}), 86_400),
        ((403, b"", {"Retry-After": "in a minute"}), 60),
        ((401, b"", {"Retry-After": "soon"}), 300),
    ],
)
async def test_quotas_and_wrong_keys(
    geolocate: Geolocate, provider: Provider, answer: Answer, seconds: int
) -> None:
    if seconds == 60:
        date = email.utils.formatdate(time.time() + 60, usegmt=True)
        answer = (answer[0], answer[1], {"Retry-After": date})
    provider.answer = lambda body: answer
    with pytest.raises(NotNow, match="it refuses"):
        await geolocate.find(heard())
    assert geolocate.paused == pytest.approx(seconds, abs=2)


async def test_a_dead_provider(provider: Provider) -> None:
    with structlog.testing.capture_logs() as logs:
        for url in ("http://127.0.0.1:1/geolocate", "http://nowhere.invalid/geolocate"):
            geolocate = Geolocate(settings(provider, location_url=url))
            with pytest.raises(NotNow, match="no answer"):
                await geolocate.find(heard())
            assert geolocate.paused > 0
            await geolocate.close()

        def hang(body: dict[str, Any]) -> Answer:
            time.sleep(1.5)
            return found(1, 2, 3)

        provider.answer = hang
        geolocate = Geolocate(settings(provider, location_timeout=1))
        begun = time.monotonic()
        with pytest.raises(NotNow, match="no answer within 1 s"):
            await geolocate.find(heard())
        assert time.monotonic() - begun < 1.4
        await geolocate.close()
    assert [one["event"] for one in logs] == ["location_provider_paused"] * 3
    assert KEY not in json.dumps(logs)


async def test_the_key_never_stands_in_a_log(
    geolocate: Geolocate, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with structlog.testing.capture_logs() as logs:
        for number, status in enumerate((400, 403, 200)):
            answer: Any = error(status, f"the key {KEY} is wrong")
            provider.answer = lambda body, answer=answer: answer
            geolocate._paused_until = 0.0
            with pytest.raises(NotNow) as raised:
                await geolocate.find(heard(300 + number))
            assert KEY not in str(raised.value)
    assert len(logs) == 3
    assert KEY not in json.dumps(logs)
    assert KEY not in caplog.text


async def test_requests_keep_to_the_rate(provider: Provider) -> None:
    geolocate = Geolocate(settings(provider, location_rate=20, location_timeout=1))
    begun = time.monotonic()
    await asyncio.gather(*(geolocate.find(heard(300 + number)) for number in range(10)))
    assert time.monotonic() - begun > 0.44
    # More than can be asked in the time that one may take are not kept waiting.
    many = (geolocate.find(heard(400 + number)) for number in range(60))
    done = await asyncio.gather(*many, return_exceptions=True)
    refused = [one for one in done if isinstance(one, NotNow)]
    assert 30 < len(refused) < 60
    assert geolocate.paused == 0
    await geolocate.close()


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org/geolocate"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="location_url"):
        Settings(location_url=url)
