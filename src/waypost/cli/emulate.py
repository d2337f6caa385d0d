"""``waypost emulate``."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from waypost.settings import SettingsError

if TYPE_CHECKING:
    from waypost.emulator.fleet import Fleet

#: Ids that ``--first-id`` need not give, by protocol.
FIRST_IDS = {"wondex": "2100000001", "ngp": "emulated-00001"}
FIRST_IMEI = "999100000000001"


def emulate(
    *,
    protocol: str,
    to: str,
    devices: int = 1,
    interval: float = 30.0,
    first_id: str | None = None,
    transport: str | None = None,
    reports: int | None = None,
    password: str = "",
) -> None:
    """Vehicles that drive about and report to a server as real trackers do.

    Each keeps its reports until the server has acknowledged them, connects again when the
    connection is lost, and obeys the protocol's commands. Rates go to standard error; at the end
    (SIGINT, SIGTERM, or all reports made and acknowledged) one JSON object on standard output says
    what was sent and acknowledged.

    Parameters
    ----------
    protocol
        Name of the protocol: teltonika, gl200, gl100, atrack, wondex, gt06, meitrack, ngp.
    to
        HOST:PORT of the server.
    devices
        Number of devices.
    interval
        Seconds between two reports of a device.
    first_id
        Id of the first device; the others count on from it.
    transport
        tcp, udp, http or mqtt, where the protocol has several.
    reports
        Reports that each device makes; then it ends.
    password
        The devices' password, where the protocol sends one (MQTT).
    """
    host, port = _address(to)
    if devices < 1 or (reports is not None and reports < 1):
        raise SettingsError("--devices and --reports must be at least 1")
    _allow_connections(devices)
    first = first_id or FIRST_IDS.get(protocol, FIRST_IMEI)

    import uvloop

    from waypost.emulator.fleet import EmulatorError, numbered_ids
    from waypost.protocols.base import Transport

    try:
        carried = None if transport is None else Transport(transport.lower())
    except ValueError:
        raise SettingsError(f"--transport {transport} is none of tcp, udp, http, mqtt") from None
    options = {
        "transport": carried,
        "interval": interval,
        "most": reports,
        "password": password,
    }
    try:
        uvloop.run(_run(protocol, numbered_ids(first, devices), host, port, options))
    except EmulatorError as error:
        raise SettingsError(str(error)) from None


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"--to {text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def _allow_connections(devices: int) -> None:
    """Lets this process have a connection for each device."""
    needed = devices + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise SettingsError(
            f"--devices {devices}: the system allows this process {hard} connections and files"
        )
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


async def _run(
    protocol: str, ids: list[str], host: str, port: int, options: dict[str, Any]
) -> None:
    """Drives the devices until they are done or somebody has had enough."""
    from waypost.emulator.fleet import Fleet

    fleet = Fleet()
    # Spread over one interval, as devices are that were switched on at different times.
    spread = min(options["interval"], 10.0) / len(ids)
    for number, device_id in enumerate(ids):
        fleet.add(protocol, device_id, host, port, spread=number * spread, **options)
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, enough.set)
    began = time.monotonic()
    fleet.start()
    try:
        await _watch(fleet, enough)
    finally:
        await fleet.close()
    summary: dict[str, Any] = {"protocol": protocol, "devices": len(ids)}
    count = fleet.count()
    summary |= {name: getattr(count, name) for name in count.__struct_fields__}
    summary |= {"waiting": fleet.waiting, "seconds": round(time.monotonic() - began, 3)}
    sys.stdout.write(json.dumps(summary) + "\n")


async def _watch(fleet: Fleet, enough: asyncio.Event) -> None:
    """Shows rates until the end."""
    shown_at, sent, acknowledged = time.monotonic(), 0, 0
    while not enough.is_set() and not fleet.done:
        try:
            async with asyncio.timeout(0.1):
                await enough.wait()
        except TimeoutError:
            now = time.monotonic()
            if now - shown_at < 2:
                continue
            count = fleet.count()
            sys.stderr.write(
                f"{fleet.online} of {len(fleet.devices)} online, "
                f"{(count.sent - sent) / (now - shown_at):.1f} sent/s, "
                f"{(count.acknowledged - acknowledged) / (now - shown_at):.1f} acknowledged/s, "
                f"{fleet.waiting} waiting, {count.repeated} repeated, {count.refused} refused\n"
            )
            shown_at, sent, acknowledged = now, count.sent, count.acknowledged
