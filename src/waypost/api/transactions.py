"""A transaction of a user's money, as both APIs show it."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.api.action import PanelCall, UserCall


class Transaction(msgspec.Struct, kw_only=True):
    """Negative amounts left the account; ``tracker_id`` 0: it concerns no tracker."""

    description: str
    type: str
    subtype: str
    timestamp: str
    user_id: int
    dealer_id: int
    tracker_id: int
    amount: float
    new_balance: float
    old_balance: float
    bonus_amount: float
    new_bonus: float
    old_bonus: float


def transaction(call: PanelCall | UserCall, row: Any) -> Transaction:
    """A row of ``transactions``."""
    return Transaction(
        description=row.description,
        type=row.type,
        subtype=row.subtype,
        timestamp=call.time(row.at),
        user_id=row.user_id,
        dealer_id=row.dealer_id,
        tracker_id=row.tracker_id or 0,
        amount=float(row.amount),
        new_balance=float(row.new_balance),
        old_balance=float(row.old_balance),
        bonus_amount=float(row.bonus_amount),
        new_bonus=float(row.new_bonus),
        old_bonus=float(row.old_bonus),
    )
