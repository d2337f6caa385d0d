"""What dealers sell and who they are: SIM cards, orders, sub-dealers to be let in."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from waypost.admin.operations.base import Admin
from waypost.admin.operations.trackers import user_of
from waypost.admin.requests import (
    AdminError,
    DealerAdmit,
    DealerList,
    OrderCreate,
    Say,
    SimAdd,
    SimChange,
    SimList,
)
from waypost.billing.orders import NewOrder, create_order
from waypost.billing.sims import add_sim, change_sim, list_sims
from waypost.fleet.texts import normal_phone
from waypost.store.tables import dealers
from waypost.telemetry.message import iso_time

_ICCID = re.compile(r"[!-~]{3,20}")


async def dealer_list(admin: Admin, request: DealerList, say: Say) -> list[dict[str, Any]]:
    async with admin.database.read() as connection:
        rows = (await connection.execute(select(dealers).order_by(dealers.c.id))).all()
    return [
        {
            "id": row.id,
            "title": row.title,
            "parent": row.parent_id,
            "domain": row.domain,
            "block": row.block_status,
            "device_limit": row.device_limit,
            "created": iso_time(row.created_at),
        }
        for row in rows
    ]


async def dealer_admit(admin: Admin, request: DealerAdmit, say: Say) -> dict[str, Any]:
    async with admin.database.begin() as connection:
        changed = await connection.execute(
            update(dealers).where(dealers.c.id == request.dealer).values(block_status="NOT_BLOCKED")
        )
    if changed.rowcount != 1:
        raise AdminError(f"there is no dealer {request.dealer}")
    admin.accounts.sessions.forget_dealer(request.dealer)
    return {"id": request.dealer, "block": "NOT_BLOCKED"}


async def sim_add(admin: Admin, request: SimAdd, say: Say) -> dict[str, Any]:
    iccid, phone = request.iccid.strip(), normal_phone(request.phone)
    if _ICCID.fullmatch(iccid) is None:
        raise AdminError("an ICCID has 3 to 20 characters without spaces")
    if phone is None:
        raise AdminError(f"{request.phone!r} is no phone number in international format")
    async with admin.database.begin() as connection:
        first = select(dealers.c.id).order_by(dealers.c.id).limit(1)
        if request.dealer is not None:
            first = first.where(dealers.c.id == request.dealer)
        dealer_id = await connection.scalar(first)
        if dealer_id is None:
            raise AdminError(f"there is no dealer {request.dealer}")
        made = await add_sim(connection, dealer_id, iccid, phone, request.apn)
    return {"id": made, "iccid": iccid, "phone": phone}


async def sim_change(admin: Admin, request: SimChange, say: Say) -> dict[str, Any]:
    flags = {"blocked": request.blocked, "deleted": request.deleted}
    given = {name: flag for name, flag in flags.items() if flag is not None}
    if not given:
        raise AdminError("say what is to change: blocked or deleted")
    async with admin.database.begin() as connection:
        await change_sim(connection, request.iccid.strip(), **given)
    return {"iccid": request.iccid.strip(), **given}


async def sim_list(admin: Admin, request: SimList, say: Say) -> list[dict[str, Any]]:
    async with admin.database.read() as connection:
        rows = await list_sims(connection)
    return [
        {
            "iccid": row.iccid,
            "phone": row.phone,
            "apn": row.apn,
            "dealer": row.dealer_id,
            "bundle": row.imei,
            "blocked": row.blocked,
            "deleted": row.deleted,
        }
        for row in rows
    ]


async def order_create(admin: Admin, request: OrderCreate, say: Say) -> dict[str, Any]:
    new = NewOrder(
        user_id=await user_of(admin, request.user),
        amount=request.amount,
        sum=Decimal(str(request.sum)),
        payer=request.payer,
        recipient=request.recipient,
        contacts=request.contacts,
        place=request.place,
        comment=request.comment,
    )
    async with admin.database.begin() as connection:
        return {"id": await create_order(connection, new, time.time_ns() // 1_000_000)}
