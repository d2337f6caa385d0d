"""Who a user is: the fields that the panel and a master see and set, checked and stored in one
place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from waypost.refusal import invalid
from waypost.text import is_printable

LegalType = Literal["legal_entity", "individual", "sole_trader"]
Strategy = Literal["no_summing", "sum_with_progressive"]
Big = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, msgspec.Meta(max_length=255)]
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET

#: Kept in ``users.details``; every other field has its column.
DETAILS = (
    "post_country",
    "post_index",
    "post_region",
    "post_city",
    "post_street_address",
    "registered_country",
    "registered_index",
    "registered_region",
    "registered_city",
    "registered_street_address",
    "state_reg_num",
    "tin",
    "okpo_code",
    "iec",
)
NAMES = ("first_name", "middle_name", "last_name", "legal_name")

_EMAIL = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,190}")
_PHONE = re.compile(r"\d{10,15}")


class Person(msgspec.Struct, kw_only=True):
    """A user as a client sends it. A field left out is not changed (empty in a new user); null
    empties it. Further fields, read-only ones among them, are ignored."""

    login: Annotated[str, msgspec.Meta(max_length=255)] | Unset = UNSET
    activated: bool | Unset | None = UNSET
    verified: bool | Unset | None = UNSET
    first_name: Text | Unset | None = UNSET
    middle_name: Text | Unset | None = UNSET
    last_name: Text | Unset | None = UNSET
    legal_name: Text | Unset | None = UNSET
    legal_type: LegalType | Unset | None = UNSET
    phone: Annotated[str, msgspec.Meta(max_length=32)] | Unset | None = UNSET
    post_country: Text | Unset | None = UNSET
    post_index: Text | Unset | None = UNSET
    post_region: Text | Unset | None = UNSET
    post_city: Text | Unset | None = UNSET
    post_street_address: Text | Unset | None = UNSET
    registered_country: Text | Unset | None = UNSET
    registered_index: Text | Unset | None = UNSET
    registered_region: Text | Unset | None = UNSET
    registered_city: Text | Unset | None = UNSET
    registered_street_address: Text | Unset | None = UNSET
    state_reg_num: Annotated[str, msgspec.Meta(max_length=15)] | Unset | None = UNSET
    tin: Text | Unset | None = UNSET
    okpo_code: Text | Unset | None = UNSET
    iec: Text | Unset | None = UNSET


class PanelPerson(Person, kw_only=True):
    """A user as the panel sends it. The panel's own pages put the discount in here too."""

    id: Big | Unset | None = UNSET
    dealer_id: Big | Unset | None = UNSET
    discount: Annotated[float, msgspec.Meta(ge=0, le=100)] | Unset | None = UNSET
    discount_min_trackers: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | Unset | None = UNSET
    discount_end_date: date | Unset | None = UNSET
    discount_strategy: Strategy | Unset | None = UNSET


class Subuser(Person, kw_only=True):
    """A sub-user as its master sends it."""

    id: Big | Unset | None = UNSET
    security_group_id: Big | Unset | None = UNSET


class Discount(msgspec.Struct):
    """A personal discount: percent, from how many active trackers on, until when (null: open)."""

    value: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    min_trackers: Annotated[int, msgspec.Meta(ge=0, le=2**31)] | None = None
    end_date: date | None = None
    strategy: Strategy | None = None

    def stored(self) -> dict[str, Any]:
        return {
            "value": self.value or 0.0,
            "min_trackers": self.min_trackers or 0,
            "end_date": self.end_date and self.end_date.isoformat(),
            "strategy": self.strategy or "no_summing",
        }


NO_DISCOUNT: dict[str, Any] = Discount().stored()


def normal_login(login: str) -> str:
    """A log-in as it is kept and compared: e-mail addresses differ in case only by accident."""
    return login.strip().lower()


def login_of(person: Person, *, needed: bool) -> str | None:
    """The log-in sent, ready to store; None: none, where it is not ``needed``. Raises
    :class:`~waypost.refusal.Refused` with code 7."""
    if isinstance(person.login, Unset):
        if needed:
            raise invalid("user.login", "is required")
        return None
    login = normal_login(person.login)
    if _EMAIL.fullmatch(login) is None or not is_printable(login):
        raise invalid("user.login", "E-mail must be valid")
    return login


def columns_of(person: Person, stored_details: Mapping[str, Any]) -> dict[str, Any]:
    """What a person's fields set in the columns of ``users``, but for log-in and legal type.
    Raises :class:`~waypost.refusal.Refused` with code 7."""
    columns: dict[str, Any] = {}
    for name in NAMES:
        value = getattr(person, name)
        if value is not UNSET:
            columns[name] = _text(name, value)
    if person.phone is not UNSET:
        phone = (person.phone or "").strip().removeprefix("+")
        if phone and _PHONE.fullmatch(phone) is None:
            raise invalid("user.phone", "must have 10 to 15 digits")
        columns["phone"] = phone
    details = dict(stored_details)
    for name in DETAILS:
        value = getattr(person, name)
        if value is not UNSET:
            details[name] = _text(name, value)
    columns["details"] = details
    if isinstance(person.activated, bool):
        columns["activated"] = person.activated
        columns["verified"] = person.activated
    if isinstance(person.verified, bool):
        columns["verified"] = person.verified
    return columns


def _text(name: str, value: str | None) -> str:
    text = value or ""
    if not is_printable(text):
        raise invalid(f"user.{name}", "must have printable characters only")
    return text


def details_of(row: Any) -> dict[str, str]:
    """The stored details, every field there."""
    return {name: str(row.details.get(name, "")) for name in DETAILS}


def title_of(row: Any) -> str:
    """What a user is called: the organisation, else first and last name, else the log-in."""
    if row.legal_type == "legal_entity" and row.legal_name:
        return str(row.legal_name)
    return f"{row.first_name} {row.last_name}".strip() or str(row.login)
