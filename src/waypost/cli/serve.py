"""``waypost serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from waypost.cli._errors import CommandFailed
from waypost.settings import load, parse_ports

Several = Parameter(consume_multiple=True, negative=())


def serve(
    *,
    data_dir: Path | None = None,
    database: str | None = None,
    nats: str | None = None,
    http: str | None = None,
    device_host: str | None = None,
    device_port: Annotated[list[str] | None, Several] = None,
    role: Annotated[list[str] | None, Several] = None,
    demo: int | None = None,
) -> None:
    """Run the platform: API, device ports and background jobs, or some of them.

    What is not given here is taken from the environment (WAYPOST_...), then from waypost.toml.

    Parameters
    ----------
    data_dir
        Where the embedded databases, the first log-in and the admin socket live.
    database
        PostgreSQL address (postgresql://...). Without it: SQLite in the data directory.
    nats
        NATS address, where several processes share the work.
    http
        HOST:PORT of the API. Port 0: any free one.
    device_host
        Address that the device ports listen on.
    device_port
        PROTOCOL=PORT, repeatable. Port 0: any free one; all=PORT for every protocol not named.
    role
        What this process does: api, gateway, jobs. Repeatable; without it: all of them.
    demo
        Number of emulated vehicles that drive about and report to this server.
    """
    settings = load(
        {
            "data_dir": data_dir,
            "database": database,
            "nats": nats,
            "http": http,
            "device_host": device_host,
            "device_port": None if device_port is None else parse_ports(device_port),
            "roles": role,
            "demo": demo,
        }
    )
    from waypost import runtime
    from waypost.store.points import SchemaError

    try:
        runtime.serve(settings)
    except SchemaError as error:
        raise CommandFailed(str(error)) from None
