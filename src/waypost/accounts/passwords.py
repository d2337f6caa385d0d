"""Passwords: rules, and slow hashes computed beside the event loop.

Rules for new passwords are those the panel's pages print (12 to 20 characters with an upper and a
lower case letter, a digit and one of ``!@#$%^&*``); sub-users' pages print 6 to 20.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from waypost.text import is_printable

SPECIAL = "!@#$%^&*"

T = TypeVar("T")


class Passwords:
    """Argon2id in at most ``threads`` threads, so that a burst of log-ins takes neither all memory
    nor all cores."""

    def __init__(self, hasher: PasswordHasher | None = None, threads: int = 2) -> None:
        # OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="password")
        #: What an unknown log-in is compared with: it must take as long as a known one.
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        return await self._run(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Is ``password`` the one that ``stored`` was made of? False for None, after equal time."""
        right = await self._run(self._check, stored or self._nobody, password)
        return right and stored is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, function: Callable[..., T], *arguments: str) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *arguments)


def password_fault(password: str) -> str | None:
    """What is wrong with a new password of a user; None: nothing."""
    if not 12 <= len(password) <= 20:
        return "must have 12 to 20 characters"
    if not is_printable(password):
        return "must have printable characters only"
    for needed, name in (
        (str.isupper, "an upper case letter"),
        (str.islower, "a lower case letter"),
        (str.isdigit, "a digit"),
        (SPECIAL.__contains__, f"one of {SPECIAL}"),
    ):
        if not any(needed(character) for character in password):
            return f"must have {name}"
    return None


def subuser_password_fault(password: str) -> str | None:
    """The same for a sub-user, whose pages ask for less."""
    if not 6 <= len(password) <= 20:
        return "must have 6 to 20 characters"
    return None if is_printable(password) else "must have printable characters only"


def random_password() -> str:
    """A password that satisfies every rule; about 90 bits. Its special character is the one that
    neither a shell nor a form takes for something else."""
    letters = string.ascii_letters + string.digits
    while True:
        password = "".join(secrets.choice(letters) for _ in range(15)) + "@"
        if password_fault(password) is None:
            return password
