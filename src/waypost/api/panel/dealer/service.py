"""``dealer/settings/service/read`` and ``update``: what the dealer's users are shown."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from waypost.accounts.dealers import change_dealer, load_dealer, lock_dealer, service_settings
from waypost.accounts.subdealers import normal_domain
from waypost.accounts.users import normal_locale, time_zones
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import invalid
from waypost.api.params import EmptyText
from waypost.api.reply import Value
from waypost.text import END, LOCALE, PRINTABLE

Line = Annotated[EmptyText, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Link = Annotated[EmptyText, msgspec.Meta(max_length=2000, pattern=PRINTABLE)]
Theme = Annotated[EmptyText, msgspec.Meta(max_length=128, pattern=PRINTABLE)]
Prose = Annotated[EmptyText, msgspec.Meta(max_length=65535)]
Domain = Annotated[EmptyText, msgspec.Meta(max_length=255, pattern=r"^[A-Za-z0-9:/._-]*" + END)]
Maps = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=PRINTABLE)]],
    msgspec.Meta(max_length=100),
]
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET
MeasurementSystem = Literal["metric", "imperial", "us", "metric_gal_us", "nautical"]


class Location(msgspec.Struct):
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class DefaultMap(msgspec.Struct):
    """What the map shows at first."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
    location: Location
    zoom: Annotated[int, msgspec.Meta(ge=0, le=30)]


class DefaultUserSettings(msgspec.Struct, omit_defaults=True):
    """Settings of new users."""

    geocoder: Literal["google", "yandex", "progorod", "osm", "locationiq"] | Unset = UNSET
    route_provider: Literal["google", "progorod", "osrm"] | Unset = UNSET
    measurement_system: MeasurementSystem | Unset = UNSET
    date_format: Annotated[str, msgspec.Meta(max_length=64, pattern=PRINTABLE)] | Unset = UNSET
    hour_mode: Literal["TWENTY_FOUR_HOURS", "TWELVE_HOURS"] | Unset = UNSET
    translit: bool | Unset = UNSET


class ServiceSettings(msgspec.Struct, kw_only=True):
    """Settings of the users' interface. Images are paths below ``/static``."""

    service_title: str
    locale: str
    demo_login: str
    demo_password: str
    maps: list[str]
    default_map: DefaultMap
    currency: str
    payment_link: str | None
    promo_url: str | None
    google_client_id: str | None
    domain: str
    favicon: str | None
    app_logo: str | None
    logo: str | None
    document_logo: str | None
    login_wallpaper: str | None
    desktop_wallpaper: str | None
    login_footer: str | None
    allow_registration: bool
    show_mobile_apps: bool
    default_user_settings: DefaultUserSettings
    display_model_features_link: bool
    limited_domain: bool
    allowed_maps: list[str]
    color_theme: str
    app_color_theme: str
    privacy_policy_link: str | None
    tos: str | None
    no_register_commands: bool
    default_user_time_zone: str
    information_center: dict[str, Any]
    #: Plugin 37 asks for an activation code.
    activation_code_required: bool


@panel_action("dealer/settings/service/read", permissions=["service_settings:read"])
async def read(call: PanelCall) -> Value[ServiceSettings]:
    """The settings of the users' interface."""
    async with call.services.database.read() as connection:
        row = await load_dealer(connection, call.account.dealer_id)
    settings = {
        **service_settings(row),
        "activation_code_required": bool(row.settings.get("activation_code_required")),
    }
    return Value(msgspec.convert(settings, ServiceSettings))


@panel_action(
    "dealer/settings/service/update", permissions=["service_settings:update"], errors=[247]
)
async def update(
    call: PanelCall,
    service_title: Line | None = None,
    locale: Annotated[str, msgspec.Meta(pattern=LOCALE)] | None = None,
    demo_login: Line | None = None,
    demo_password: Line | None = None,
    maps: Maps | None = None,
    default_map: DefaultMap | None = None,
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}" + END)] | None = None,
    payment_link: Link | None = None,
    promo_url: Link | None = None,
    google_client_id: Line | None = None,
    domain: Domain | None = None,
    login_footer: Prose | None = None,
    allow_registration: bool | None = None,
    show_mobile_apps: bool | None = None,
    default_user_settings: DefaultUserSettings | None = None,
    display_model_features_link: bool | None = None,
    limited_domain: bool | None = None,
    allowed_maps: Maps | None = None,
    color_theme: Theme | None = None,
    app_color_theme: Theme | None = None,
    privacy_policy_link: Link | None = None,
    tos: Prose | None = None,
    no_register_commands: bool | None = None,
    default_user_time_zone: Line | None = None,
    activation_code_required: bool | None = None,
) -> None:
    """Changes settings of the users' interface; what is left out or null stays, an empty text
    empties. Images are changed by dealer/settings/image."""
    if default_user_time_zone is not None and default_user_time_zone not in time_zones():
        raise invalid("default_user_time_zone", "is no known time zone")
    given = {
        "service_title": service_title,
        "locale": locale and normal_locale(locale),
        "demo_login": demo_login,
        "demo_password": demo_password,
        "maps": maps,
        "default_map": default_map,
        "currency": currency,
        "payment_link": payment_link,
        "promo_url": promo_url,
        "google_client_id": google_client_id,
        "login_footer": login_footer,
        "allow_registration": allow_registration,
        "show_mobile_apps": show_mobile_apps,
        "display_model_features_link": display_model_features_link,
        "limited_domain": limited_domain,
        "allowed_maps": allowed_maps,
        "color_theme": color_theme,
        "app_color_theme": app_color_theme,
        "privacy_policy_link": privacy_policy_link,
        "tos": tos,
        "no_register_commands": no_register_commands,
        "default_user_time_zone": default_user_time_zone,
    }
    changed = {
        name: msgspec.to_builtins(value) for name, value in given.items() if value is not None
    }
    async with call.services.database.begin() as connection:
        row = await lock_dealer(connection, call.account.dealer_id)
        if default_user_settings is not None:
            changed["default_user_settings"] = {
                **service_settings(row)["default_user_settings"],
                **msgspec.to_builtins(default_user_settings),
            }
        settings = {**row.settings, "ui": {**row.settings.get("ui", {}), **changed}}
        if activation_code_required is not None:
            settings["activation_code_required"] = activation_code_required
        columns: dict[str, Any] = {"settings": settings}
        if domain is not None:
            columns["domain"] = normal_domain(domain)
        await change_dealer(connection, row.id, **columns)
