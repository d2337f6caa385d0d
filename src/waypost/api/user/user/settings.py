"""``user/settings/read``, ``user/settings/update``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select, update

from waypost.accounts.users import check_time_zone, normal_locale, settings_of
from waypost.api.action import UserCall, user_action
from waypost.api.errors import ApiError, invalid
from waypost.store.tables import users
from waypost.text import END, LOCALE

MeasurementSystem = Literal["metric", "imperial", "us", "metric_gal_us", "nautical"]
Geocoder = Literal["google", "yandex", "progorod", "osm", "locationiq"]
RouteProvider = Literal["google", "progorod", "osrm"]
DateFormat = Literal[
    "ddMMyyyy_dots",
    "ddMMyyyy_slashes",
    "MMddyyyy_hyphens",
    "yyyyMMdd_hyphens",
    "dMMMy",
    "dMMMMy",
]
HourMode = Literal["TWENTY_FOUR_HOURS", "TWELVE_HOURS"]
Email = Annotated[str, msgspec.Meta(max_length=255, pattern=r"^[^@\s]+@[^@\s]+" + END)]


Locale = Annotated[str, msgspec.Meta(pattern=LOCALE)]


class UserSettings(msgspec.Struct):
    time_zone: str
    locale: str
    measurement_system: MeasurementSystem
    date_format: DateFormat
    hour_mode: HourMode
    geocoder: Geocoder
    route_provider: RouteProvider
    translit: bool


class FileStorageSettings(msgspec.Struct):
    auto_overwrite: bool = False


class BalanceAlertSettings(msgspec.Struct):
    emails: Annotated[list[Email], msgspec.Meta(max_length=100)] = []


class AllSettings(msgspec.Struct, omit_defaults=True):
    settings: UserSettings
    #: Master users only, like ``balance_alert_settings``.
    file_storage_settings: FileStorageSettings | None = None
    balance_alert_settings: BalanceAlertSettings | None = None
    first_user_balance_warning_period: str = ""
    second_user_balance_warning_period: str = ""


@user_action("user/settings/read")
async def read(call: UserCall) -> AllSettings:
    """The caller's settings."""
    async with call.services.database.read() as connection:
        row: Any = (await connection.execute(select(users).where(users.c.id == call.user.id))).one()
    stored = settings_of(row)
    found = AllSettings(
        settings=UserSettings(
            time_zone=row.time_zone,
            locale=row.locale,
            measurement_system=row.measurement_system,
            date_format=stored["date_format"],
            hour_mode=stored["hour_mode"],
            geocoder=stored["geocoder"],
            route_provider=stored["route_provider"],
            translit=stored["translit"],
        ),
        first_user_balance_warning_period="7d",
        second_user_balance_warning_period="2d",
    )
    if call.user.is_master:
        found.file_storage_settings = FileStorageSettings(**stored["file_storage_settings"])
        found.balance_alert_settings = BalanceAlertSettings(**stored["balance_alert_settings"])
    return found


@user_action("user/settings/update", errors=[13])
async def change(
    call: UserCall,
    time_zone: str,
    locale: Locale,
    measurement_system: MeasurementSystem,
    geocoder: Geocoder,
    route_provider: RouteProvider,
    translit: bool,
    date_format: DateFormat | None = None,
    hour_mode: HourMode | None = None,
    balance_alert_settings: BalanceAlertSettings | None = None,
    file_storage_settings: FileStorageSettings | None = None,
) -> None:
    """Changes the caller's settings.

    ``balance_alert_settings`` and ``file_storage_settings`` are for master users, who must send
    them."""
    check_time_zone(time_zone)
    new: dict[str, Any] = {
        "geocoder": geocoder,
        "route_provider": route_provider,
        "translit": translit,
        "date_format": date_format,
        "hour_mode": hour_mode,
        "balance_alert_settings": balance_alert_settings,
        "file_storage_settings": file_storage_settings,
    }
    for name in ("balance_alert_settings", "file_storage_settings"):
        if call.user.is_master and new[name] is None:
            raise invalid(name, "is required")
        if not call.user.is_master and new[name] is not None:
            raise ApiError(13)
    given = {name: msgspec.to_builtins(one) for name, one in new.items() if one is not None}
    async with call.services.database.begin() as connection:
        row = (
            await connection.execute(
                select(users.c.settings).where(users.c.id == call.user.id).with_for_update()
            )
        ).one()
        await connection.execute(
            update(users)
            .where(users.c.id == call.user.id)
            .values(
                time_zone=time_zone,
                locale=normal_locale(locale),
                measurement_system=measurement_system,
                settings={**row.settings, **given},
            )
        )
    call.services.accounts.sessions.forget_user(call.user.id)
