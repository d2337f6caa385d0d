"""Every operation: what is done for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from waypost.admin import requests
from waypost.admin.operations import devices, sales, trackers, users
from waypost.admin.operations.base import Admin
from waypost.admin.requests import Request, Say

_OPERATIONS: dict[type[Request], Callable[[Admin, Any, Say], Awaitable[Any]]] = {
    requests.CommandList: devices.command_list,
    requests.DealerAdmit: sales.dealer_admit,
    requests.DealerList: sales.dealer_list,
    requests.InboxList: devices.inbox_list,
    requests.OrderCreate: sales.order_create,
    requests.PasswordReset: users.password_reset,
    requests.PointsCount: devices.points_count,
    requests.SimAdd: sales.sim_add,
    requests.SimChange: sales.sim_change,
    requests.SimList: sales.sim_list,
    requests.SmsList: devices.sms_list,
    requests.TapDevice: devices.tap_device,
    requests.TrackerImport: trackers.tracker_import,
    requests.TrackerList: trackers.tracker_list,
    requests.UserCreate: users.user_create,
    requests.UserList: users.user_list,
}


async def perform(admin: Admin, request: Request, say: Say) -> Any:
    """Does what is asked for; the result is plain JSON values. Raises
    :class:`~waypost.admin.requests.AdminError`, or :class:`~waypost.refusal.Refused` with a code
    of the catalog."""
    return await _OPERATIONS[type(request)](admin, request, say)
