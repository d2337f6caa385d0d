"""The first start: a dealer, its panel account, a default tariff and a user, with random
passwords that stand in one file only."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from sqlalchemy import insert, select, text

from waypost.accounts.dealers import open_dealer
from waypost.accounts.passwords import Passwords, random_password
from waypost.catalog.rights import PANEL_PERMISSIONS
from waypost.settings import Settings
from waypost.store.engine import Database
from waypost.store.tables import dealers, users

FILE = "first-login.json"
USER_LOGIN = "user@example.org"

#: Any number: processes that start for the first time together queue up behind it.
_LOCK = 7_270_001


class Login(msgspec.Struct, frozen=True):
    login: str
    password: str


class FirstLogin(msgspec.Struct, frozen=True):
    """What ``first-login.json`` holds."""

    http: str
    panel: Login
    user: Login


async def first_start(
    database: Database, settings: Settings, now: int, passwords: Passwords | None = None
) -> FirstLogin | None:
    """Fills an empty database, and writes the log-ins to ``first-login.json`` in the data directory
    before it commits: nobody can be locked out by a crash in between. None: not empty. ``now`` is
    milliseconds."""
    async with database.read() as connection:
        if await connection.scalar(select(dealers.c.id).limit(1)) is not None:
            return None
    panel_password, user_password = random_password(), random_password()
    hasher = passwords or Passwords()
    panel_hash = await hasher.hash(panel_password)
    user_hash = await hasher.hash(user_password)
    if passwords is None:
        hasher.close()
    async with database.begin() as connection:
        if not database.sqlite:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        if await connection.scalar(select(dealers.c.id).limit(1)) is not None:
            return None
        dealer_id, tariff_id = await open_dealer(
            connection,
            title="Waypost",
            password_hash=panel_hash,
            permissions={name: list(able) for name, able in PANEL_PERMISSIONS.items()},
            now=now,
        )
        await connection.execute(
            insert(users).values(
                dealer_id=dealer_id,
                login=USER_LOGIN,
                password_hash=user_hash,
                first_name="First",
                last_name="User",
                default_tariff_id=tariff_id,
                created_at=now,
            )
        )
        logins = FirstLogin(
            http="",
            panel=Login(str(dealer_id), panel_password),
            user=Login(USER_LOGIN, user_password),
        )
        write_first_login(settings.data_dir, logins)
    return logins


def write_first_login(data_dir: Path, logins: FirstLogin) -> None:
    """Writes the file as a whole, for its owner's eyes only."""
    data_dir.mkdir(parents=True, exist_ok=True)
    target = data_dir / FILE
    draft = data_dir / f".{FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(logins)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(target)


def renew_first_login(data_dir: Path, http: str) -> bool:
    """Writes the address at which the API listens now into the file; False: somebody has removed
    it, as they should once they know the passwords."""
    try:
        logins = msgspec.json.decode((data_dir / FILE).read_bytes(), type=FirstLogin)
    except (FileNotFoundError, msgspec.DecodeError):
        return False
    if logins.http != http:
        write_first_login(data_dir, msgspec.structs.replace(logins, http=http))
    return True
