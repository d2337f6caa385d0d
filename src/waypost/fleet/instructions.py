"""What people ask of a device that is connected: where it is, and to switch its outputs."""

from __future__ import annotations

from typing import Literal

from waypost.catalog import models
from waypost.catalog.models import Model
from waypost.fleet.outgoing import Outbox, unreachable
from waypost.fleet.rows import TrackerRow
from waypost.fleet.state_view import connection_of
from waypost.fleet.telling import can_tell
from waypost.refusal import Refused
from waypost.settings import Settings
from waypost.telemetry.state import State

Request = Literal["sms", "gsm", "gprs"]

#: A fix this young (ms) needs no request.
FRESH = 60_000


def _model(row: TrackerRow) -> Model:
    """Raises :class:`Refused` 214 for a model that nobody knows."""
    model = models.model(row.model)
    if model is None:
        raise Refused(214)
    return model


def _online(row: TrackerRow, state: State | None, now: int) -> bool:
    return connection_of(row, state, now)[0] in ("active", "idle")


def check_location_request(
    settings: Settings,
    row: TrackerRow,
    request: Request,
    state: State | None,
    now: int,
    *,
    heard: bool = False,
) -> None:
    """Can the device of ``row`` be asked where it is? ``heard``: the platform itself can find that
    out by the mobile network, because the device has told what it hears. Raises :class:`Refused`:
    214 where it cannot, or nothing can be sent; 213 where it is not connected; 256 where it has
    just said."""
    model = _model(row)
    told = {
        "sms": model.has_location_request and unreachable(settings, "sms") is None,
        "gsm": model.has_gsm_lbs_location_request,
        "gprs": model.has_gprs_location_request,
    }
    able = told[request] and can_tell(row.model, "location_request")
    if not able and not (request == "gsm" and heard):
        raise Refused(214)
    if request != "sms" and not _online(row, state, now):
        raise Refused(213)
    fix = state.gps if state is not None else None
    if fix is not None and fix.valid and now - fix.time < FRESH:
        raise Refused(256)


def asks_by_network(row: TrackerRow) -> bool:
    """Can the device of ``row`` itself be asked for a position by the mobile network?"""
    return _model(row).has_gsm_lbs_location_request and can_tell(row.model, "location_request")


async def request_location(outbox: Outbox, row: TrackerRow, request: Request) -> None:
    """Asks the device of ``row`` where it is: by SMS, or over its connection by satellites or by
    the mobile network. Nothing is told a device that cannot be asked by the mobile network: there
    the platform has found it."""
    if request == "gsm" and not asks_by_network(row):
        return
    channel: Literal["sms", "gprs"] = "sms" if request == "sms" else "gprs"
    await outbox.tell(row, "location_request", {"type": request}, channel=channel, soon=True)


async def set_output(
    outbox: Outbox, row: TrackerRow, output: int, enable: bool, state: State | None
) -> None:
    """Switches one output (from 1) of the device of ``row``. Raises :class:`Refused`: 214 where it
    has none such, all can only be set together, or the platform cannot tell it; 213 where it is
    not connected."""
    model = _model(row)
    if model.output_control.startswith("batch"):
        raise Refused(214)
    fits = 1 <= output <= model.digital_outputs and can_tell(row.model, "output")
    _need_outputs(row, model, state, outbox.now, fits)
    await outbox.tell(row, "output", {"output": output, "enable": enable}, soon=True)


async def set_outputs(
    outbox: Outbox, row: TrackerRow, outputs: list[bool], state: State | None
) -> None:
    """Switches all outputs of the device of ``row``. Raises :class:`Refused`: 214 where it has
    none, not so many, or the platform cannot tell it; 213 where it is not connected."""
    model = _model(row)
    fits = len(outputs) == model.digital_outputs and can_tell(row.model, "outputs")
    _need_outputs(row, model, state, outbox.now, fits)
    await outbox.tell(row, "outputs", {"outputs": outputs}, soon=True)


def _need_outputs(row: TrackerRow, model: Model, state: State | None, now: int, fits: bool) -> None:
    if model.output_control == "none" or not fits:
        raise Refused(214)
    if model.output_control != "async_offline" and not _online(row, state, now):
        raise Refused(213)
