"""The HTTP edge: rate, origins, compression, addresses, pages."""

from __future__ import annotations

import gzip
import json

import pytest
from api_world import NOON, World

from waypost.address import Addresses
from waypost.settings import Settings


class TestRate:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.api_rate = 10
        settings.trusted_proxies = ["127.0.0.1"]
        return settings

    async def get(self, world: World, address: str, hash_: str) -> tuple[int, int]:
        reply = await world.client.get(
            "/v2/user/get_info", params={"hash": hash_}, headers={"x-forwarded-for": address}
        )
        return reply.status_code, int(world.checked(reply).get("status", {}).get("code", 0))

    async def test_an_address_and_a_user_have_so_many_requests_a_second(self, world: World) -> None:
        user, stranger = world.hashes["user"], world.hashes["stranger"]
        assert [await self.get(world, "10.0.0.1", user) for _ in range(12)] == (
            [(200, 0)] * 10 + [(429, 15)] * 2
        )
        assert await self.get(world, "10.0.0.1", stranger) == (429, 15)
        assert await self.get(world, "10.0.0.2", user) == (429, 15)
        assert await self.get(world, "10.0.0.2", stranger) == (200, 0)
        world.clock.pass_(0.5)
        assert await self.get(world, "10.0.0.3", user) == (429, 15)
        world.clock.pass_(0.5)
        assert await self.get(world, "10.0.0.1", user) == (200, 0)

    async def test_a_key_has_its_own_measure(self, world: World) -> None:
        key = (await world.call("api/key/create", title="x"))["value"]["hash"]
        codes = [(await self.get(world, f"10.0.1.{n}", key))[1] for n in range(11)]
        assert codes == [0] * 10 + [15]
        assert await self.get(world, "10.0.0.9", world.hashes["user"]) == (200, 0)

    async def test_calls_without_a_session_count_by_address(self, world: World) -> None:
        reply = [
            await world.client.post("/v2/nothing", headers={"x-forwarded-for": "10.0.0.7"})
            for _ in range(11)
        ]
        assert [one.json()["status"]["code"] for one in reply] == [111] * 10 + [15]


async def test_no_rate_where_it_is_off(world: World) -> None:
    assert {await world.code("panel/account/get_permissions") for _ in range(100)} == {0}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
        ("127.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("127.0.0.1", "6.6.6.6, 1.2.3.4, 10.1.2.3", "1.2.3.4"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "1.2.3.4, evil", "127.0.0.1"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("", "1.2.3.4", "1.2.3.4"),
    ],
)
def test_only_trusted_proxies_say_who_calls(peer: str, forwarded: str, client: str) -> None:
    addresses = Addresses(["127.0.0.1", "::1", "10.0.0.0/8"])
    assert addresses.client(peer, forwarded) == client


async def test_browsers_from_anywhere_may_call_by_default(world: World) -> None:
    reply = await world.client.options(
        "/v2/user/auth",
        headers={"origin": "https://app.example.org", "access-control-request-method": "POST"},
    )
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert "authorization" in reply.headers["access-control-allow-headers"]
    for wanted, allowed in (
        ("x-requested-with,content-type", "x-requested-with,content-type"),
        ("x\x01", "authorization, content-type, nvx-iso-datetime"),
    ):
        headers = {"origin": "https://a.example", "access-control-request-headers": wanted}
        reply = await world.client.options("/v2/user/auth", headers=headers)
        assert reply.headers["access-control-allow-headers"] == allowed
    failed = await world.client.post("/v2/user/auth", headers={"origin": "https://x.example"})
    assert failed.headers["access-control-allow-origin"] == "*"


class TestOrigins:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        settings.api_origins = ["https://app.example.org"]
        return settings

    async def test_only_configured_origins_may_call(self, world: World) -> None:
        for origin, allowed in (
            ("https://app.example.org", "https://app.example.org"),
            ("https://evil.example", None),
        ):
            reply = await world.client.options("/v2/user/auth", headers={"origin": origin})
            assert reply.headers.get("access-control-allow-origin") == allowed


async def test_large_replies_are_packed_where_asked_for(world: World) -> None:
    async def fetch(encoding: str) -> tuple[str | None, int, bytes]:
        request = world.client.build_request(
            "POST",
            "/v2/timezone/list",
            json={"locale": "en"},
            headers={"accept-encoding": encoding},
        )
        reply = await world.client.send(request, stream=True)
        raw = b"".join([chunk async for chunk in reply.aiter_raw()])
        assert reply.headers["content-length"] == str(len(raw))
        return reply.headers.get("content-encoding"), len(raw), raw

    import waypost.api.http as edge

    plain = await fetch("identity")
    assert plain[0] is None
    edge_from = edge.GZIP_FROM
    edge.GZIP_FROM = 1000
    try:
        packed = await fetch("gzip, deflate")
    finally:
        edge.GZIP_FROM = edge_from
    assert packed[0] == "gzip"
    assert packed[1] < plain[1] / 3
    assert json.loads(gzip.decompress(packed[2])) == json.loads(plain[2])


async def test_replies_are_not_kept_by_anybody(world: World) -> None:
    reply = await world.client.get("/v2/user/get_info", params={"hash": world.hashes["user"]})
    assert reply.headers["cache-control"] == "no-store"


async def test_health_metrics_and_the_way_in(world: World) -> None:
    assert (await world.client.get("/healthz")).json() == {"healthy": True}
    ready = await world.client.get("/readyz")
    assert ready.json() == {"ready": True, "checks": {"database": True}}
    world.services.health["ingest"] = lambda: False
    ready = await world.client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["ingest"]) == (503, False)
    assert (await world.client.get("/")).headers["location"] == "/docs"
    assert (await world.client.get("/docs/")).status_code == 200
    await world.call("user/get_info")
    metrics = (await world.client.get("/metrics")).text
    assert 'waypost_api_requests_total{action="user/get_info",api="user",code="0"}' in metrics
    await world.client.get("/v2/made/up/by/a/scanner")
    assert "scanner" not in (await world.client.get("/metrics")).text
    head = await world.client.head("/healthz")
    assert (head.status_code, head.content) == (200, b"")


async def test_time_zones_are_listed_without_a_session(world: World) -> None:
    for path in ("timezone/list", "panel/timezone/list"):
        zones = (await world.call(path, None, locale="En-en"))["list"]
        sydney = next(zone for zone in zones if zone["zone_id"] == "Australia/Sydney")
        assert sydney["description"] == "Sydney"
        assert (sydney["base_offset"], sydney["dst_offset"], sydney["country_code"]) == (
            10,
            1,
            "AU",
        )
        assert "Australia/NSW" in sydney["alt_ids"]
        kathmandu = next(zone for zone in zones if zone["zone_id"] == "Asia/Kathmandu")
        assert (kathmandu["base_offset"], kathmandu["dst_offset"]) == (5.75, 0)
        assert len({zone["zone_id"] for zone in zones}) == len(zones) > 400
    assert await world.code("timezone/list", None) == 7


def test_noon_is_noon() -> None:
    assert NOON % 86_400_000 == 12 * 3_600_000
