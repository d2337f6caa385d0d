"""``user/auth/code/*``: the second half of a log-in that asks for a code."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.reply import Hashed


@user_action("user/auth/code/resend", second_factor=True, errors=[15])
async def resend(call: UserCall) -> None:
    """Sends another code by e-mail, in place of the one before; once in five minutes (15)."""
    await call.services.accounts.second_factors.resend(call.session, call.now)


@user_action("user/auth/code/verify", second_factor=True, errors=[104, 282])
async def verify(
    call: UserCall, code: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
) -> Hashed:
    """Takes the code from the e-mail: the hash of an ordinary session, while that of ``user/auth``
    is over. So it is after five wrong codes (4): the log-in begins again."""
    factors = call.services.accounts.second_factors
    return Hashed(await factors.verify(call.session, code, call.now))
