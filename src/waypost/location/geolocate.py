"""An HTTP provider of positions by cells and access points, in the form that most of them have.

Sources: Google, "Geolocation API", requests and responses; Ichnaea (formerly the Mozilla Location
Service), "Geolocate", which has the same form and says by ``fallback`` what an answer is based on
where it is neither cells nor access points.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

import httpx
import msgspec
import structlog

from waypost import tasks
from waypost.http_answer import read_answer
from waypost.location.errors import NotNow
from waypost.location.position import Place
from waypost.location.surroundings import Surroundings
from waypost.location.table import RADIOS
from waypost.settings import Settings

log = structlog.get_logger()

#: Less certain than this (metres) is no position; nor is one by the address of this server.
LEAST_CERTAIN = 100_000
#: Answers remembered, and for how long (seconds): where somebody is, and that nobody knows.
KEPT = 50_000
KNOWN_FOR, UNKNOWN_FOR = 24 * 3600.0, 3600.0
#: Pauses, seconds, after answers that say nothing: twice as long each time.
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
#: The pause where there is no more to be had, or the key is no good, unless the provider says.
QUOTA_PAUSE, LONGEST_QUOTA_PAUSE = 300.0, 24 * 3600.0

#: Names of radio networks in requests, by our numbers.
_NAMES = {1: "gsm", 2: "wcdma", 3: "cdma", 4: "lte", 5: "nr"}
#: Numbers of GSM's cells have 16 bits; longer ones are guessed to be LTE's.
_LONGEST_GSM = 0xFFFF
_REFUSED = frozenset({401, 402, 403, 429})
_NOT_FOUND = 404
_WRONG = 400


class _Point(msgspec.Struct):
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class _Answer(msgspec.Struct):
    location: _Point
    accuracy: Annotated[float, msgspec.Meta(ge=0)]
    fallback: str | None = None


_decode = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class Geolocate:
    """The provider that the settings name. Answers are remembered, and requests of one moment
    about the same surroundings are one."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.location_key
        url = httpx.URL(settings.location_url)
        self._url = url.copy_merge_params({"key": self._key}) if self._key else url
        self._gap = 1 / settings.location_rate if settings.location_rate else 0.0
        self._timeout = settings.location_timeout
        self._client = httpx.AsyncClient(timeout=settings.location_timeout, follow_redirects=False)
        self._answers: OrderedDict[bytes, tuple[Place | None, float]] = OrderedDict()
        self._asked: dict[bytes, asyncio.Task[Place | None]] = {}
        self._next = 0.0
        self._pause = 0.0
        self._quota_pause = 0.0
        self._paused_until = 0.0
        #: Why it is paused.
        self.trouble: str | None = None

    @property
    def paused(self) -> float:
        """Seconds until it is asked again; 0: now."""
        return max(self._paused_until - time.monotonic(), 0.0)

    async def close(self) -> None:
        await tasks.end(self._asked.values())
        await self._client.aclose()

    async def find(self, around: Surroundings) -> Place | None:
        """Where that is; None: the provider does not know. Raises :class:`NotNow`."""
        key = around.key
        answer = self._answers.get(key)
        if answer is not None and answer[1] > time.monotonic():
            self._answers.move_to_end(key)
            return answer[0]
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._find(key, around))
            task.add_done_callback(lambda done: self._answered(key, done))
        # Shielded: another may wait for the same answer.
        return await asyncio.shield(task)

    def _answered(self, key: bytes, task: asyncio.Task[Place | None]) -> None:
        del self._asked[key]
        if not task.cancelled():
            task.exception()  # perhaps nobody waits any more

    async def _find(self, key: bytes, around: Surroundings) -> Place | None:
        await self._turn()
        found = await self._ask(around)
        life = KNOWN_FOR if found is not None else UNKNOWN_FOR
        self._answers[key] = found, time.monotonic() + life
        self._answers.move_to_end(key)
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        return found

    async def _turn(self) -> None:
        """Waits for the turn of a request, no longer than one may take. Raises :class:`NotNow`."""
        if self.paused:
            raise NotNow(self.trouble or "paused")
        now = time.monotonic()
        due = max(self._next, now)
        if due - now > self._timeout:
            raise NotNow("too many requests at once")
        self._next = due + self._gap
        await asyncio.sleep(due - now)
        if self.paused:
            raise NotNow(self.trouble or "paused")

    async def _ask(self, around: Surroundings) -> Place | None:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(
                    "POST",
                    self._url,
                    headers={"Content-Type": "application/json"},
                    content=_encode(request(around)),
                ) as response,
            ):
                body = await read_answer(response)
                status, headers = response.status_code, response.headers
        except TimeoutError:
            raise self._fail(f"no answer within {self._timeout} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # The text of some has the URL, with the key.
            raise self._fail(f"no answer: {type(error).__name__}") from None
        if status in _REFUSED:
            raise self._refused(status, body, headers.get("retry-after"))
        if status == _NOT_FOUND and _reason(body) is not None:
            self._well()
            return None
        if status == _WRONG:
            return self._wrong_request(body)
        if not 200 <= status < 300:
            raise self._fail(f"it answers {status}")
        try:
            answer = _decode(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self._fail(f"its answer cannot be read: {self._masked(str(error))}") from None
        self._well()
        if answer.fallback == "ipf" or not answer.accuracy <= LEAST_CERTAIN:
            return None
        precision = max(math.ceil(answer.accuracy), 1)
        return Place(answer.location.lat, answer.location.lng, precision)

    def _well(self) -> None:
        self._pause = self._quota_pause = 0.0
        self.trouble = None

    def _wrong_request(self, body: bytes) -> Place | None:
        """It says that the request is wrong. With a key that it does not know nobody is found;
        else these surroundings are what it does not like, and others may be fine."""
        reason = _reason(body) or "no reason given"
        if "key" in reason.lower():
            raise self._refused(_WRONG, body, None)
        log.warning("location_request_wrong", reason=self._masked(reason))
        return None

    def _fail(self, reason: str) -> NotNow:
        """It gave no answer, or none that means anything: it is left alone for a while."""
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        return self._halt(reason, self._pause)

    def _refused(self, status: int, body: bytes, retry_after: str | None) -> NotNow:
        """It does not want to be asked: too often, too much for a day, or with this key."""
        told = _seconds(retry_after)
        if told is None:
            self._quota_pause = min(max(self._quota_pause * 2, QUOTA_PAUSE), LONGEST_QUOTA_PAUSE)
            told = self._quota_pause
        reason = self._masked(_reason(body) or "no reason given")
        return self._halt(f"it refuses ({status}): {reason}", min(told, LONGEST_QUOTA_PAUSE))

    def _halt(self, reason: str, seconds: float) -> NotNow:
        # Once for all that were on their way.
        if not self.paused:
            self.trouble = reason
            self._paused_until = time.monotonic() + seconds
            log.warning("location_provider_paused", reason=reason, seconds=round(seconds))
        return NotNow(reason)

    def _masked(self, text: str) -> str:
        text = text[:200]
        return text.replace(self._key, "***") if self._key else text


def request(around: Surroundings) -> dict[str, Any]:
    """The body of a request. The server's own address must not stand for the device's."""
    body: dict[str, Any] = {"considerIp": False}
    towers = []
    for cell in around.cells:
        radio = _radio(cell.type, cell.cell_id)
        tower: dict[str, Any] = {
            "radioType": radio,
            "mobileCountryCode": cell.mcc,
            "mobileNetworkCode": cell.mnc,
            "locationAreaCode": cell.lac,
            "newRadioCellId" if radio == "nr" else "cellId": cell.cell_id,
        }
        if cell.rssi is not None:
            tower["signalStrength"] = cell.rssi
        towers.append(tower)
    if towers:
        body["radioType"] = towers[0]["radioType"]
        body["cellTowers"] = towers
    points = []
    for seen in around.wifi:
        point: dict[str, Any] = {"macAddress": seen.mac}
        if seen.rssi is not None:
            point["signalStrength"] = seen.rssi
        if seen.channel is not None and 0 < seen.channel < 256:
            point["channel"] = seen.channel
        if seen.age is not None and seen.age >= 0:
            point["age"] = seen.age
        points.append(point)
    if points:
        body["wifiAccessPoints"] = points
    return body


def _radio(told: str | None, cell_id: int) -> str:
    number = RADIOS.get(told.upper()) if told else None
    return _NAMES[number or (1 if cell_id <= _LONGEST_GSM else 4)]


class _Error(msgspec.Struct):
    message: str | None = None
    errors: list[dict[str, Any]] = []


class _Errors(msgspec.Struct):
    error: _Error


def _reason(body: bytes) -> str | None:
    """What an answer of the provider's own says went wrong; None: it is none."""
    try:
        error = msgspec.json.decode(body, type=_Errors).error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    reasons = [str(item["reason"]) for item in error.errors if item.get("reason")]
    return ": ".join([*reasons[:1], *([error.message] if error.message else [])])


def _seconds(retry_after: str | None) -> float | None:
    """``Retry-After``: seconds, or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time(), 1.0)
    except (ValueError, TypeError):
        return None
