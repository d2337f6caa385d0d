"""``user/transaction/list`` and ``change_balance`` of the panel."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select

from waypost.accounts.users import within
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError, invalid
from waypost.api.params import Moment
from waypost.api.reply import Listed
from waypost.api.transactions import Transaction, transaction
from waypost.billing.charging import CENT, ZERO
from waypost.billing.fees import charge
from waypost.billing.ledger import PARTNER, Kind, list_transactions, open_purse, settle
from waypost.store.tables import users
from waypost.text import PRINTABLE

Count = Annotated[int, msgspec.Meta(ge=0)]
Amount = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
Reason = Annotated[str, msgspec.Meta(min_length=5, max_length=255, pattern=PRINTABLE)]


@panel_action(
    "user/transaction/list", permissions=["users:read", "transactions:read"], errors=[201]
)
async def list_(
    call: PanelCall, user_id: int, from_: Moment, to: Moment, limit: Count | None = None
) -> Listed[Transaction]:
    """What happened to a user's money in a period, the newest first."""
    if to < from_:
        raise invalid("to", "must be after from")
    own = select(users.c.id).where(
        users.c.id == user_id, within(call.account.dealer_id, sub_dealers=False)
    )
    async with call.services.database.read() as connection:
        if await connection.scalar(own) is None:
            raise ApiError(201)
        rows = await list_transactions(connection, user_id, from_, to, limit)
    return Listed([transaction(call, row) for row in rows])


@panel_action(
    "user/transaction/change_balance",
    permissions=["users:update", "transactions:create"],
    errors=[201, 251],
)
async def change_balance(
    call: PanelCall,
    user_id: int,
    amount: Amount,
    type: Literal["balance", "bonus"],
    text: Reason,
) -> None:
    """Adds money to a user's balance or bonus, or (negative) takes it away; neither can become
    negative. Fees that waited for the money are taken, and their devices let go on."""
    change = Decimal(str(amount))
    if change != change.quantize(CENT):
        raise invalid("amount", "must have at most two digits after the decimal mark")
    own = select(users.c.id).where(
        users.c.id == user_id, within(call.account.dealer_id, sub_dealers=False)
    )
    async with call.services.fleet.write() as write:
        if await write.connection.scalar(own) is None:
            raise ApiError(201)
        purse = await open_purse(write.connection, user_id)
        held = purse.balance if type == "balance" else purse.bonus
        if held + change < ZERO:
            raise ApiError(251)
        changes = (change, ZERO) if type == "balance" else (ZERO, change)
        purse.post(*changes, Kind(*PARTNER, text), None, call.now)
        await settle(write.connection, [purse])
        if change > ZERO:
            write.changes.sources |= await charge(write.connection, [user_id], call.now)
