"""What e-mails say. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

import msgspec

from waypost.accounts.second_factor import CODE_LIFE
from waypost.fleet.registration import Invitation


class MailError(Exception):
    """There is no e-mail that says it."""


class Sender(msgspec.Struct, frozen=True):
    """Who e-mails come from, in the name of one dealer."""

    #: An address, or a name and <an address>.
    address: str
    #: Below every text.
    footer: str = ""


class _Code(msgspec.Struct):
    code: str


def compose(
    kind: str, payload: bytes, *, recipient: str, sender: Sender, reference: str, now: int
) -> EmailMessage:
    """The e-mail that says what a command has for a person. ``reference`` is its own for ever, so
    that a mail program which gets it twice can tell. Raises :class:`MailError`."""
    subject, text = _say(kind, payload)
    if sender.footer:
        text += f"\n-- \n{sender.footer}\n"
    message = EmailMessage()
    try:
        origin = _address(sender.address)
        message["From"] = origin
        message["To"] = _address(recipient)
        message["Subject"] = subject
    except (ValueError, IndexError) as error:
        raise MailError(f"not an address: {error}") from None
    message["Date"] = format_datetime(datetime.fromtimestamp(now // 1000, UTC))
    message["Message-ID"] = f"<{reference}@{origin.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def bare_address(text: str) -> str:
    """The address in ``Name <address>``; empty: there is none."""
    return parseaddr(text)[1]


def _address(text: str) -> Address:
    name, bare = parseaddr(text)
    address = Address(display_name=name, addr_spec=bare)
    if not address.username or not address.domain:
        raise ValueError(text)
    return address


def _say(kind: str, payload: bytes) -> tuple[str, str]:
    """Subject and text."""
    try:
        if kind == "code":
            code = msgspec.json.decode(payload, type=_Code).code
            return (
                "Your code to log in",
                f"Your code to log in is\n\n    {code}\n\n"
                f"It is good for {CODE_LIFE // 60_000} minutes. If you did not try to log in, "
                "somebody else knows your\npassword: change it.\n",
            )
        if kind == "invitation":
            told = msgspec.json.decode(payload, type=Invitation)
            return (
                "Your tracking app",
                f"{told.label}: install the tracking app on your phone, and log in to it with the "
                f"id\n\n    {told.device_id}\n",
            )
    except msgspec.MsgspecError as error:
        raise MailError(f"not what {kind} has: {error}") from None
    raise MailError(f"there is no e-mail that says {kind}")
