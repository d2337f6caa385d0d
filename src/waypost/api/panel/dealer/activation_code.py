"""``dealer/activation_code/create``, ``list``, ``update``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from waypost.api.action import PanelCall, panel_action
from waypost.api.reply import Counted
from waypost.billing import codes
from waypost.billing.codes import Amount, Gives, Order
from waypost.text import PRINTABLE

Filter = Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Count = Annotated[int, msgspec.Meta(ge=0)]
HowMany = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
FreeDays = Annotated[int, msgspec.Meta(ge=0, le=36500)]
Codes = Annotated[
    list[Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=10_000)
]


class CodeObject(msgspec.Struct, kw_only=True):
    """An activation code; ``device_id`` is the tracker registered with it, 0: none yet."""

    tariff_id: int
    bonus_amount: int
    free_days: int
    money_amount: int
    device_type: str
    code: str
    activated: bool
    activation_date: str | None
    device_id: int
    tariff_name: str


class Changed(msgspec.Struct):
    """How many codes."""

    count: int


@panel_action(
    "dealer/activation_code/create",
    permissions=["activation_code:read", "activation_code:create"],
    errors=[201],
)
async def create(
    call: PanelCall,
    count: HowMany,
    tariff_id: int,
    bonus_amount: Amount,
    free_days: FreeDays,
    money_amount: Amount = 0,
) -> Changed:
    """Makes activation codes for devices of a tariff."""
    gives = Gives(tariff_id, bonus_amount, free_days, money_amount)
    async with call.services.database.begin() as connection:
        made = await codes.create_codes(connection, call.account.dealer_id, count, gives, call.now)
    return Changed(made)


@panel_action("dealer/activation_code/list", permissions=["activation_code:read"])
async def list_(
    call: PanelCall,
    filter: Filter | None = None,
    order_by: Order = "code",
    ascending: bool = True,
    offset: Count = 0,
    limit: Count | None = None,
) -> Counted[CodeObject]:
    """The dealer's codes; ``filter`` is looked for in code, tariff id, device id and device
    type."""
    async with call.services.database.read() as connection:
        rows, count = await codes.list_codes(
            connection,
            call.account.dealer_id,
            text=filter,
            order_by=order_by,
            ascending=ascending,
            offset=offset,
            limit=limit,
        )
    return Counted([_shown(call, row) for row in rows], count)


@panel_action("dealer/activation_code/update", permissions=["activation_code:update"], errors=[201])
async def update(
    call: PanelCall,
    codes_: Codes,
    tariff_id: int,
    bonus_amount: Amount,
    free_days: FreeDays,
    money_amount: Amount | None = None,
) -> Changed:
    """Changes those of the codes that are the dealer's, unused, and for the tariff's type of
    device."""
    gives = Gives(tariff_id, bonus_amount, free_days, money_amount)
    async with call.services.database.begin() as connection:
        return Changed(await codes.update_codes(connection, call.account.dealer_id, codes_, gives))


def _shown(call: PanelCall, row: Any) -> CodeObject:
    return CodeObject(
        tariff_id=row.tariff_id,
        bonus_amount=row.bonus_amount,
        free_days=row.free_days,
        money_amount=row.money_amount,
        device_type=row.device_type,
        code=row.code,
        activated=row.activated_at is not None,
        activation_date=call.time_or_none(row.activated_at),
        device_id=row.tracker_id or 0,
        tariff_name=row.tariff_name,
    )
