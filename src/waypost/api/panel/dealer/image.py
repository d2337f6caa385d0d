"""``dealer/settings/image/upload`` and ``delete``: logos and wallpapers of the interface."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.accounts.dealers import change_dealer, features_of, lock_dealer
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import ApiError
from waypost.api.images import read_image
from waypost.api.params import RedirectTarget
from waypost.api.wire import Upload
from waypost.store.files import delete_file, save_file

Kind = Literal["logo", "favicon", "login_wallpaper", "desktop_wallpaper", "document_logo"]


@panel_action(
    "dealer/settings/image/upload",
    permissions=["service_settings:update"],
    errors=[233, 234, 236, 271],
)
async def upload(
    call: PanelCall,
    type: Kind,
    file: Upload | None = None,
    redirect_target: RedirectTarget | None = None,
) -> None:
    """Sets an image: PNG, JPEG or GIF of up to 4 MB, or ICO for the favicon. The form is multipart.
    With ``redirect_target`` the browser is sent there, the reply in its parameter response."""
    image = read_image(file, icon=type == "favicon")
    async with call.services.database.begin() as connection:
        row = await lock_dealer(connection, call.account.dealer_id)
        if "branding_web" not in features_of(row):
            raise ApiError(236)
        await _drop(connection, row, type)
        name = await save_file(
            connection, f"paas/{row.id}/{type}", image.suffix, image.file, call.now
        )
        await _set(connection, row, type, name)


@panel_action("dealer/settings/image/delete", permissions=["service_settings:update"])
async def delete(call: PanelCall, type: Kind) -> None:
    """Takes an image away; it does not matter whether there was one."""
    async with call.services.database.begin() as connection:
        row = await lock_dealer(connection, call.account.dealer_id)
        await _drop(connection, row, type)
        await _set(connection, row, type, None)


async def _drop(connection: AsyncConnection, row: Any, kind: Kind) -> None:
    former = row.settings.get("ui", {}).get(kind)
    if former:
        await delete_file(connection, former)


async def _set(connection: AsyncConnection, row: Any, kind: Kind, name: str | None) -> None:
    settings = {**row.settings, "ui": {**row.settings.get("ui", {}), kind: name}}
    await change_dealer(connection, row.id, settings=settings)
