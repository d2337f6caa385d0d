"""``user/get_info``, ``user/get_tariff_restrictions``."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select

from waypost.accounts.dealers import USER_MENU, features_of, ui_settings
from waypost.accounts.person import details_of, title_of
from waypost.accounts.users import settings_of
from waypost.api.action import UserCall, user_action
from waypost.api.reply import Value
from waypost.billing.tariffs import allowed_maps
from waypost.store.tables import dealers, users


class UserInfo(msgspec.Struct, kw_only=True):
    """A user as it sees itself."""

    id: int
    login: str
    title: str
    phone: str
    creation_date: str
    balance: float
    bonus: float
    locale: str
    demo: bool
    verified: bool
    legal_type: str
    default_geocoder: str
    route_provider: str
    time_zone: str
    measurement_system: str
    date_format: str
    hour_mode: str
    tin: str
    iec: str
    post_country: str
    post_region: str
    post_index: str
    post_city: str
    post_street_address: str
    registered_country: str
    registered_region: str
    registered_index: str
    registered_city: str
    registered_street_address: str
    first_name: str
    middle_name: str
    last_name: str
    legal_name: str


class MasterInfo(msgspec.Struct, kw_only=True):
    """The account that a sub-user belongs to."""

    id: int
    demo: bool
    legal_type: str
    first_name: str
    middle_name: str
    last_name: str
    legal_name: str
    title: str
    balance: float
    bonus: float


class TariffRestrictions(msgspec.Struct):
    allowed_maps: list[str]


class Privileges(msgspec.Struct, omit_defaults=True):
    rights: list[str]
    store_period: str | None = None


class Info(msgspec.Struct, kw_only=True, omit_defaults=True):
    paas_id: int
    paas_settings: dict[str, Any]
    user_info: UserInfo
    #: Sub-users only, like ``privileges``.
    master: MasterInfo | None = None
    tariff_restrictions: TariffRestrictions
    premium_gis: bool
    features: list[str]
    privileges: Privileges | None = None
    user_menu: dict[str, Any]


@user_action("user/get_info")
async def get_info(call: UserCall, application: str | None = None) -> Info:
    """Who the caller is, with the settings of its dealer."""
    async with call.services.database.read() as connection:
        row: Any = (await connection.execute(select(users).where(users.c.id == call.user.id))).one()
        dealer: Any = (
            await connection.execute(select(dealers).where(dealers.c.id == row.dealer_id))
        ).one()
        master: Any = None
        if row.master_id is not None:
            master = (
                await connection.execute(select(users).where(users.c.id == row.master_id))
            ).one()
        paas_settings = ui_settings(dealer)
        maps = await allowed_maps(connection, call.user.account_id, paas_settings["maps"])
    info = Info(
        paas_id=dealer.id,
        paas_settings=paas_settings,
        user_info=_user_info(call, row),
        tariff_restrictions=TariffRestrictions(maps),
        premium_gis=False,
        features=features_of(dealer),
        user_menu=USER_MENU,
    )
    if master is not None:
        info.master = MasterInfo(
            id=master.id,
            demo=False,
            legal_type=master.legal_type,
            first_name=master.first_name,
            middle_name=master.middle_name,
            last_name=master.last_name,
            legal_name=master.legal_name,
            title=title_of(master),
            balance=float(master.balance),
            bonus=float(master.bonus),
        )
        info.privileges = Privileges(sorted(call.user.rights))
    return info


def _user_info(call: UserCall, row: Any) -> UserInfo:
    details = details_of(row)
    for name in ("state_reg_num", "okpo_code"):
        del details[name]
    settings = settings_of(row)
    return UserInfo(
        id=row.id,
        login=row.login,
        title=title_of(row),
        phone=row.phone,
        creation_date=call.time(row.created_at),
        balance=round(float(row.balance), 2),
        bonus=round(float(row.bonus), 2),
        locale=row.locale,
        demo=False,
        verified=row.verified,
        legal_type=row.legal_type,
        default_geocoder=settings["geocoder"],
        route_provider=settings["route_provider"],
        time_zone=row.time_zone,
        measurement_system=row.measurement_system,
        date_format=settings["date_format"],
        hour_mode=settings["hour_mode"],
        first_name=row.first_name,
        middle_name=row.middle_name,
        last_name=row.last_name,
        legal_name=row.legal_name,
        **details,
    )


@user_action("user/get_tariff_restrictions")
async def get_tariff_restrictions(call: UserCall) -> Value[TariffRestrictions]:
    """Which of the dealer's maps the tariffs of the account's trackers allow."""
    async with call.services.database.read() as connection:
        dealer = (
            await connection.execute(select(dealers).where(dealers.c.id == call.user.dealer_id))
        ).one()
        maps = await allowed_maps(connection, call.user.account_id, ui_settings(dealer)["maps"])
    return Value(TariffRestrictions(maps))
