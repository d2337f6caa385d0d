"""Which roles run here, in which order they start, and an orderly stop."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import structlog
import uvloop

from waypost import logs
from waypost.settings import Settings, SettingsError

if TYPE_CHECKING:
    from waypost.api.services import Services
    from waypost.gateway.gateway import Gateway
    from waypost.ingest import Ingest
    from waypost.location.locator import Locator
    from waypost.parts import Parts

log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Runs the platform until SIGTERM or SIGINT. Raises :class:`SettingsError` or
    :class:`waypost.store.points.SchemaError` where it cannot start."""
    logs.configure(settings.log_level, settings.log_format)
    # Few of our objects form cycles; looking for them often only costs.
    gc.set_threshold(50_000, 50, 50)
    # SQLite's threads and the event loop take turns; at Python's 5 ms each would wait too long.
    sys.setswitchinterval(0.0005)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        starting = asyncio.create_task(start(settings, stack))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            log.info("stopped_while_starting")
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting
            return
        ready = starting.result()
        gc.freeze()
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopping
        log.info("stopping")


async def start(settings: Settings, stack: AsyncExitStack) -> dict[str, Any]:
    """Starts the roles; ``stack`` ends them in the opposite order: sockets first, then commits,
    then the stores. Returns what ``serve`` prints once connections are accepted."""
    from waypost.accounts.first_start import first_start, renew_first_login
    from waypost.api.server import ApiServer, address
    from waypost.api.services import Services
    from waypost.clock import now_ms
    from waypost.commands.queue import CommandQueue
    from waypost.parts import open_parts
    from waypost.sms.inbound import Inbound

    ready: dict[str, Any] = {"ready": True, "http": None, "ports": {}}
    listening = _listen(settings) if "api" in settings.roles else None
    if listening is not None:
        stack.callback(listening.close)
    parts = await open_parts(settings, stack)
    if listening is not None:
        await first_start(parts.database, settings, now_ms(), parts.accounts.passwords)
    services = Services(
        settings=settings,
        database=parts.database,
        bus=parts.bus,
        accounts=parts.accounts,
        points=parts.points,
        fleet=parts.fleet,
        commands=CommandQueue(parts.database, parts.bus, settings),
        sms=Inbound(parts.database, settings),
    )
    gateway = None
    if "gateway" in settings.roles:
        ingest = await _start_ingest(settings, parts, stack)
        services.locator = await _start_location(settings, parts, ingest, stack)
        gateway = await _start_gateway(settings, parts, services, ingest, stack)
        ready["ports"] = gateway.ports
        parts.fleet.addresses.opened(gateway.ports)
    if listening is not None:
        if gateway is None and settings.location:
            # A position that is asked for is stored where it was asked for.
            ingest = await _start_ingest(settings, parts, stack)
            services.locator = await _start_location(settings, parts, ingest, stack)
        from prometheus_client import REGISTRY

        from waypost.api.http import HttpApi
        from waypost.live import Live

        live = Live(
            settings, parts.bus, parts.accounts, parts.fleet, services.commands, registry=REGISTRY
        )
        await live.start()
        stack.push_async_callback(live.close)
        server = ApiServer(HttpApi(services), listening, settings, live.accept)
        await server.start()
        stack.push_async_callback(server.close)
        ready["http"] = address(settings, listening)
        renew_first_login(settings.data_dir, ready["http"])
    if "jobs" in settings.roles:
        await _start_jobs(settings, parts, services, stack)
        await _start_sms(settings, parts, services, stack)
        await _start_mail(settings, parts, stack)
    await _start_admin(settings, parts, gateway, stack)
    if settings.demo and gateway is not None:
        await _start_demo(settings, parts, gateway, stack)
    return ready


def _listen(settings: Settings) -> socket.socket:
    """The API's socket. Raises :class:`SettingsError`."""
    from waypost.api.server import listen
    from waypost.store.lock import lock_data

    try:
        return listen(settings)
    except SettingsError:
        # Most often the port is held by another Waypost on the same data, which says more.
        if settings.sqlite and settings.data_dir.is_dir():
            lock_data(settings.data_dir).close()
        raise


async def _start_ingest(settings: Settings, parts: Parts, stack: AsyncExitStack) -> Ingest:
    from waypost.ingest import Foldings, Ingest

    identity = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    ingest: Ingest = Ingest(
        parts.points,
        parts.bus,
        owner=identity,
        queue=settings.ingest_queue,
        batch=settings.ingest_batch,
    )
    ingest.start()
    stack.push_async_callback(ingest.close)
    foldings = await Foldings.open(parts.database, parts.bus, settings, ingest)
    stack.push_async_callback(foldings.close)
    return ingest


async def _start_location(
    settings: Settings, parts: Parts, ingest: Ingest, stack: AsyncExitStack
) -> Locator | None:
    if not settings.location:
        return None
    from waypost.location.locator import Locator
    from waypost.location.resolver import Resolver

    resolver = Resolver(settings)
    stack.push_async_callback(resolver.close)
    locator = Locator(resolver, ingest, parts.points)
    locator.start()
    stack.push_async_callback(locator.close)
    return locator


async def _start_gateway(
    settings: Settings, parts: Parts, services: Services, ingest: Ingest, stack: AsyncExitStack
) -> Gateway:
    from prometheus_client import REGISTRY

    from waypost.fleet.directory import Directory
    from waypost.gateway.gateway import Gateway

    directory = await Directory.open(parts.database, parts.bus, settings)
    stack.push_async_callback(directory.close)
    gateway = await Gateway.start(
        settings,
        parts.database,
        parts.bus,
        directory,
        ingest,
        services.commands,
        registry=REGISTRY,
    )
    stack.push_async_callback(gateway.stop)
    return gateway


async def _start_jobs(
    settings: Settings, parts: Parts, services: Services, stack: AsyncExitStack
) -> None:
    from waypost.jobs.billing import billing
    from waypost.jobs.counters import counting
    from waypost.jobs.housekeeping import housekeeping
    from waypost.jobs.leader import Alone, Leader, PostgresLeader
    from waypost.jobs.scheduler import Scheduler
    from waypost.store.engine import asyncpg_dsn

    leader: Leader = Alone()
    if not settings.sqlite:
        leader = PostgresLeader(asyncpg_dsn(settings.database))
    jobs = housekeeping(parts.database, parts.points, services.commands)
    scheduler = Scheduler(leader, [*jobs, *billing(parts.fleet), *counting(parts.fleet)])
    scheduler.start()
    stack.push_async_callback(scheduler.close)


async def _start_sms(
    settings: Settings, parts: Parts, services: Services, stack: AsyncExitStack
) -> None:
    from waypost.clock import now_ms
    from waypost.jobs.leader import SMS_LOCK, Alone, Leader, PostgresLeader
    from waypost.sms.queue import SmsQueue
    from waypost.sms.sender import Sender
    from waypost.sms.service import provider_maker
    from waypost.store.engine import asyncpg_dsn

    make = provider_maker(settings)
    if make is None or services.sms is None:
        # What a provider was to send that is set up no more.
        reason = "no SMS provider is set up"
        await SmsQueue(parts.database, settings).fail_open(reason, now=now_ms())
        return
    leader: Leader = Alone()
    if not settings.sqlite:
        leader = PostgresLeader(asyncpg_dsn(settings.database), SMS_LOCK)
    stack.push_async_callback(leader.close)
    sender = Sender(parts.database, parts.bus, settings, make, leader.leads, services.sms)
    await sender.start()
    stack.push_async_callback(sender.close)


async def _start_mail(settings: Settings, parts: Parts, stack: AsyncExitStack) -> None:
    from waypost.clock import now_ms
    from waypost.mail.queue import MailQueue
    from waypost.mail.sender import MailSender
    from waypost.mail.service import transport_of

    transport = transport_of(settings)
    if transport is None:
        # What was to go out through a mail server that is set up no more.
        reason = "no mail server is set up"
        await MailQueue(parts.database, settings).fail_open(reason, now=now_ms())
        return
    sender = MailSender(parts.database, parts.bus, settings, transport)
    await sender.start()
    stack.push_async_callback(sender.close)


async def _start_admin(
    settings: Settings, parts: Parts, gateway: Gateway | None, stack: AsyncExitStack
) -> None:
    from waypost.admin.operations.base import Admin
    from waypost.admin.server import AdminServer

    admin = Admin(
        settings,
        parts.database,
        parts.bus,
        parts.points,
        parts.accounts,
        parts.fleet,
        tap=gateway.tap if gateway is not None else None,
    )
    server = AdminServer(admin)
    await server.start()
    stack.push_async_callback(server.close)


async def _start_demo(
    settings: Settings, parts: Parts, gateway: Gateway, stack: AsyncExitStack
) -> None:
    """Registers the demo's vehicles for the first user, and lets them drive."""
    from waypost.demo import register_demo
    from waypost.emulator.fleet import Fleet as EmulatedFleet
    from waypost.emulator.fleet import demo_devices

    devices = demo_devices(settings.demo)
    await register_demo(parts, devices)
    vehicles = EmulatedFleet()
    vehicles.add_demo(devices, "127.0.0.1", gateway.ports)
    vehicles.start()
    stack.push_async_callback(vehicles.close)
