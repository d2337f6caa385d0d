"""``transaction/list``."""

from __future__ import annotations

from typing import Annotated

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.params import Moment
from waypost.api.platform import REPORT_DAYS
from waypost.api.reply import Listed
from waypost.api.transactions import Transaction, transaction
from waypost.billing.ledger import list_transactions

Count = Annotated[int, msgspec.Meta(ge=0)]


@user_action("transaction/list", right="payment_create", errors=[211])
async def list_(
    call: UserCall, from_: Moment, to: Moment, limit: Count | None = None
) -> Listed[Transaction]:
    """What happened to the account's money in a period of up to 90 days, the newest first."""
    if to < from_:
        raise invalid("to", "must be after from")
    if to - from_ > REPORT_DAYS * 86_400_000:
        raise ApiError(211)
    async with call.services.database.read() as connection:
        rows = await list_transactions(connection, call.user.account_id, from_, to, limit)
    return Listed([transaction(call, row) for row in rows])
