"""``dealer/settings/notification/read`` and ``update``: who messages to users come from."""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from waypost.accounts.dealers import change_dealer, load_dealer, lock_dealer
from waypost.api.action import PanelCall, panel_action
from waypost.api.errors import invalid
from waypost.api.params import EmptyText
from waypost.api.reply import Value
from waypost.text import PRINTABLE

Address = Annotated[EmptyText, msgspec.Meta(max_length=255, pattern=PRINTABLE)]
Footer = Annotated[EmptyText, msgspec.Meta(max_length=600)]
Originator = Annotated[EmptyText, msgspec.Meta(max_length=20, pattern=PRINTABLE)]

_EMAIL = r"[^@\s<>]{1,64}@[^@\s<>]{1,190}"
#: ``no-reply@example.org``, or with a name: ``Example <no-reply@example.org>``.
_FROM = re.compile(rf"(?:{_EMAIL}|[^<>]*<{_EMAIL}>)?")
#: Letters of any alphabet, digits, and a few marks.
_ORIGINATOR = re.compile(r"""(?:[^\W_]|[-'" .,:/])*""")


class Notification(msgspec.Struct, kw_only=True):
    """Senders of notifications."""

    email_from: str = ""
    email_footer: str = ""
    email_special: str = ""
    sms_originator: str = ""
    caller_id: str = ""


@panel_action("dealer/settings/notification/read", permissions=["notification_settings:read"])
async def read(call: PanelCall) -> Value[Notification]:
    """The senders of notifications."""
    async with call.services.database.read() as connection:
        row = await load_dealer(connection, call.account.dealer_id)
    return Value(msgspec.convert(row.settings.get("notification", {}), Notification))


@panel_action("dealer/settings/notification/update", permissions=["notification_settings:update"])
async def update(
    call: PanelCall,
    email_from: Address,
    email_footer: Footer,
    sms_originator: Originator,
    caller_id: Originator,
    email_special: Address | None = None,
) -> None:
    """Changes them."""
    for name, address in (("email_from", email_from), ("email_special", email_special or "")):
        if _FROM.fullmatch(address) is None:
            raise invalid(name, "must be an e-mail address, or a name and <an address>")
    for name, originator in (("sms_originator", sms_originator), ("caller_id", caller_id)):
        if _ORIGINATOR.fullmatch(originator) is None:
            raise invalid(name, "must have letters, digits, spaces and -'\".,:/ only")
    changed = Notification(
        email_from=email_from,
        email_footer=email_footer,
        email_special=email_special or "",
        sms_originator=sms_originator,
        caller_id=caller_id,
    )
    async with call.services.database.begin() as connection:
        row = await lock_dealer(connection, call.account.dealer_id)
        if email_special is None:
            changed.email_special = row.settings.get("notification", {}).get("email_special", "")
        settings = {**row.settings, "notification": msgspec.to_builtins(changed)}
        await change_dealer(connection, row.id, settings=settings)
