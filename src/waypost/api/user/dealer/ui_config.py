"""``dealer/get_ui_config``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from sqlalchemy import select

from waypost.accounts.dealers import features_of, ui_settings
from waypost.accounts.model import User
from waypost.accounts.subdealers import normal_domain
from waypost.api.action import PublicCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.api.platform import platform_limits
from waypost.store.tables import dealers
from waypost.text import PRINTABLE


class UiDealer(msgspec.Struct):
    id: int
    ui_domain: str
    company_url: str


class UiConfig(msgspec.Struct, kw_only=True):
    """What an interface needs before anybody has logged in. ``platform``: limits by name."""

    dealer: UiDealer
    settings: dict[str, Any]
    demo_ends: str | None
    premium_gis: bool
    features: list[str]
    platform: dict[str, Any]


@user_action("dealer/get_ui_config", public=True, errors=[3, 4, 12])
async def get_ui_config(
    call: PublicCall,
    domain: Annotated[str, msgspec.Meta(max_length=255, pattern=PRINTABLE)] | None = None,
) -> UiConfig:
    """The dealer whose interface is served at ``domain``, else the caller's. While the first dealer
    of the server has no domain of its own, every domain that is nobody's is its."""
    services = call.services
    if domain is not None:
        wanted = normal_domain(domain)
        query = select(dealers).where(dealers.c.domain == wanted)
    elif call.hash is not None:
        session = await services.accounts.sessions.find(call.hash, call.now, panel=False)
        assert isinstance(session.caller, User)  # noqa: S101 - no panel session was asked for
        query = select(dealers).where(dealers.c.id == session.caller.dealer_id)
    else:
        raise invalid("domain", "is required without a session")
    async with services.database.read() as connection:
        row: Any = (await connection.execute(query)).first()
        if row is None:
            first = select(dealers).order_by(dealers.c.id).limit(1)
            row = (await connection.execute(first)).first()
            if row is None or row.domain is not None:
                raise ApiError(12)
    settings = ui_settings(row)
    return UiConfig(
        dealer=UiDealer(row.id, settings["domain"], settings["promo_url"] or ""),
        settings=settings,
        demo_ends=None,
        premium_gis=False,
        features=features_of(row),
        platform=platform_limits(services.settings),
    )
