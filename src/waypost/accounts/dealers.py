"""Dealers: opening one, its settings, what its clients are shown."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.refusal import Refused
from waypost.store.tables import dealers, panel_accounts, tariffs

#: ``dealers.block_status``: whom a block shuts out is said by the two functions below.
BlockStatus = Literal["NOT_BLOCKED", "INITIAL_BLOCK", "BLOCK_LOGIN", "CLIENTS_BLOCKED"]


def panel_shut_out() -> ColumnElement[bool]:
    """The dealer and its staff cannot use the panel."""
    return dealers.c.block_status != "NOT_BLOCKED"


def users_shut_out() -> ColumnElement[bool]:
    """The dealer's users cannot log in."""
    return dealers.c.block_status.in_(("INITIAL_BLOCK", "CLIENTS_BLOCKED"))


#: Features of a tariff, by the names that the API has for them.
TARIFF_FEATURES = (
    "app_fleet",
    "app_reports",
    "batch_operations",
    "chat",
    "custom_maps",
    "event_notification",
    "geocoding",
    "lbs",
    "map_layers",
    "multilevel_access",
    "report_scheduled",
    "report_xls",
    "retranslation",
    "routing",
    "statuses",
    "weblocator",
)


async def open_dealer(
    connection: AsyncConnection,
    *,
    password_hash: str,
    permissions: dict[str, list[str]],
    now: int,
    **columns: Any,
) -> tuple[int, int]:
    """A new dealer with its panel account, whose log-in is the dealer's number, and a first tariff:
    their ids, the dealer's and the tariff's. Raises :class:`Refused` 247 for a domain that another
    dealer has."""
    dealer_id = await _unique_domain(
        connection, insert(dealers).values(created_at=now, **columns).returning(dealers.c.id)
    )
    await connection.execute(
        insert(panel_accounts).values(
            dealer_id=dealer_id,
            login=str(dealer_id),
            password_hash=password_hash,
            permissions=permissions,
            created_at=now,
        )
    )
    made = await connection.execute(
        insert(tariffs)
        .values(dealer_id=dealer_id, name="Default", features=list(TARIFF_FEATURES))
        .returning(tariffs.c.id)
    )
    return dealer_id, int(made.scalar_one())


async def load_dealer(connection: AsyncConnection, dealer_id: int) -> Any:
    """The row of a dealer that is there."""
    return (await connection.execute(select(dealers).where(dealers.c.id == dealer_id))).one()


async def lock_dealer(connection: AsyncConnection, dealer_id: int) -> Any:
    """The same, and nobody else can change it before the end of the transaction."""
    query = select(dealers).where(dealers.c.id == dealer_id).with_for_update()
    return (await connection.execute(query)).one()


async def change_dealer(connection: AsyncConnection, dealer_id: int, **columns: Any) -> None:
    """Changes columns of a dealer. Raises :class:`Refused` 247 for a domain that another has."""
    statement = update(dealers).where(dealers.c.id == dealer_id).values(**columns)
    await _unique_domain(connection, statement.returning(dealers.c.id))


async def _unique_domain(connection: AsyncConnection, statement: Any) -> int:
    try:
        return int((await connection.execute(statement)).scalar_one())
    except IntegrityError as error:
        if "domain" in str(error.orig):
            raise Refused(247) from None
        raise


#: Settings of the interface until the dealer changes them. Objects in it are never null: clients
#: read their fields without looking.
UI_SETTINGS: dict[str, Any] = {
    "service_title": "Waypost",
    "locale": "en_US",
    "demo_login": "",
    "demo_password": "",
    "maps": ["osm"],
    "default_map": {"type": "osm", "location": {"lat": 48.0, "lng": 10.0}, "zoom": 4},
    "currency": "EUR",
    "payment_link": None,
    "promo_url": "",
    "google_client_id": None,
    "favicon": None,
    "logo": None,
    "app_logo": None,
    "login_wallpaper": None,
    "desktop_wallpaper": None,
    "monitoring_logo": None,
    "login_footer": "",
    "allow_registration": False,
    "show_mobile_apps": False,
    "show_call_notifications": False,
    "default_user_settings": {
        "geocoder": "osm",
        "route_provider": "osrm",
        "measurement_system": "metric",
        "translit": False,
    },
    "display_model_features_link": False,
    "color_theme": "",
    "app_color_theme": "",
    "privacy_policy_link": "",
    "tos": "",
    "tracker_model_filter": {"exclusion": True, "values": []},
    "information_center": {},
    "internal": {"light_registration": False},
    "no_register_commands": False,
}

#: Further settings that only the dealer sees.
SERVICE_SETTINGS: dict[str, Any] = {
    "document_logo": None,
    "limited_domain": False,
    "allowed_maps": ["osm", "osmmapnik", "wikimapia", "roadmap", "satellite", "hybrid"],
    "default_user_time_zone": "UTC",
}


#: What a dealer may use unless its settings say otherwise. ``subpaas`` is for dealers that have
#: none above them.
DEALER_FEATURES = ("branding_web", "branding_mobile", "subpaas")


def features_of(row: Any) -> list[str]:
    """The features of a dealer's row."""
    given: list[str] | None = row.settings.get("features")
    if given is not None:
        return given
    return [one for one in DEALER_FEATURES if one != "subpaas" or row.parent_id is None]


#: Log-in with a second factor, until a dealer says otherwise.
NO_MFA: dict[str, Any] = {"type": "disallowed"}


def mfa_default(row: Any) -> dict[str, Any]:
    """What a dealer's new users have of log-in with a second factor."""
    return dict(row.settings.get("mfa", NO_MFA))


def ui_settings(row: Any) -> dict[str, Any]:
    """The interface settings of a dealer's row, every one there."""
    return {
        name: value for name, value in service_settings(row).items() if name not in SERVICE_SETTINGS
    }


def service_settings(row: Any) -> dict[str, Any]:
    """The same and what only the dealer itself sees."""
    stored = row.settings.get("ui", {})
    settings = {
        "domain": row.domain or "",
        **UI_SETTINGS,
        **SERVICE_SETTINGS,
        "service_title": row.title or UI_SETTINGS["service_title"],
    }
    for name, value in stored.items():
        if value is None and isinstance(settings.get(name), dict):
            continue
        settings[name] = value
    return settings


#: Groups of the menu: (icon, title, tabs); a tab is (destination, title).
_MENU: tuple[tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...], ...] = (
    (("map", "tracking", (("tracking", "tracking"),)),),
    (("assessment", "reports", (("reports", "reports"), ("report_schedules", "schedule"))),),
    (("directions_car", "fleet", (("fleet", "vehicles"), ("drivers", "drivers"))),),
)
_FOOTER = (
    ("custom-icon-add_device", "device_activation", (("device_activation", "device_activation"),)),
    ("settings", "device_settings", (("device_settings", "device_settings"),)),
)


def _item(icon: str, title: str, tabs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return {
        "icon": icon,
        "title": f"common.menu.{title}",
        "tabs": [
            {"destination": destination, "title": f"common.menu.{name}"}
            for destination, name in tabs
        ],
    }


#: The menu of a user without a preset of its own.
USER_MENU: dict[str, Any] = {
    "title": "menu-editor.default-preset",
    "account": [],
    "main": [{"title": None, "items": [_item(*one) for one in group]} for group in _MENU],
    "applications": [],
    "footer": {"title": None, "items": [_item(*one) for one in _FOOTER]},
}
