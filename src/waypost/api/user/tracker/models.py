"""``tracker/list_models``: the devices that the platform knows."""

from __future__ import annotations

from functools import cache
from typing import Annotated

import msgspec

from waypost.api.action import UserCall, user_action
from waypost.api.reply import Encoded, Listed
from waypost.catalog import models
from waypost.catalog.models import ModelObject
from waypost.fleet.telling import can_tell
from waypost.protocols.instructions import KINDS

Codes = Annotated[list[Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=2000)]

_encode = msgspec.json.Encoder().encode


class CompactModel(msgspec.Struct, frozen=True, kw_only=True):
    """What choosing and registering a model takes."""

    id: int
    vendor: str
    code: str
    parent_code: str | None
    type: str
    name: str
    id_type: str
    has_phone: bool
    has_apn_settings: bool
    register: bool
    has_auto_registration: bool


class FullModel(ModelObject, frozen=True, kw_only=True):
    """The documented object, and ``instructions``: what the platform can tell such a device
    (registration, apn, tracking, special_settings, location_request, output, outputs, led ...).
    Settings of another kind are kept and not sent. ``protocol``: by which its reports are read;
    null where none is (its settings can be kept, and it cannot connect), and for apps."""

    instructions: tuple[str, ...] = ()
    protocol: str | None = None


@user_action("tracker/list_models")
async def list_models(
    call: UserCall,
    compact_view: bool = False,
    compact_index: bool = False,
    codes: Codes | None = None,
) -> Encoded[Listed[FullModel]]:
    """All device models, or those of ``codes``. ``compact_view``: only what choosing and
    registering takes. ``compact_index``: of inputs with an index only the highest."""
    known = models.all_models()
    wanted = known if codes is None else [code for code in dict.fromkeys(codes) if code in known]
    return Encoded.list_of(_encoded(code, compact_view, compact_index) for code in wanted)


@cache
def _encoded(code: str, compact_view: bool, compact_index: bool) -> bytes:
    model = models.all_models()[code]
    row = model.wire
    if compact_view:
        return _encode(msgspec.convert(row, CompactModel, from_attributes=True))
    if not compact_index:
        inputs = tuple(models.expand_inputs(row.inputs))
        row = msgspec.structs.replace(row, inputs=inputs)
    told = tuple(kind for kind in KINDS if can_tell(code, kind))
    full = msgspec.convert(row, FullModel, from_attributes=True)
    has_led = row.has_led_control or "led" in told
    return _encode(
        msgspec.structs.replace(
            full, instructions=told, protocol=model.protocol, has_led_control=has_led
        )
    )
