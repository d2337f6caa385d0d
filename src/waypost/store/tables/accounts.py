"""Dealers, their staff, users, and how they log in."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, Table, Text, false, true

from waypost.store.tables.base import Big, Money, id_, metadata, ref

dealers = Table(
    "dealers",
    metadata,
    id_(),
    ref("parent_id", "dealers.id", nullable=True),
    Column("title", Text, nullable=False, server_default=""),
    Column("legal_name", Text, nullable=False, server_default=""),
    #: NOT_BLOCKED; INITIAL_BLOCK: a new sub-dealer that the operator has not let in yet;
    #: BLOCK_LOGIN: its panel is closed; CLIENTS_BLOCKED: its users are shut out too.
    Column("block_status", Text, nullable=False, server_default="NOT_BLOCKED"),
    #: Where its users' interface is served; lower case.
    Column("domain", Text, unique=True),
    #: Most devices that all users of this dealer may have; null: no limit.
    Column("device_limit", Integer),
    #: ``ui``, ``notification``, ``contact``, ``tariff_defaults``, ``menu``, ``features`` ...
    Column("settings", JSON, nullable=False, server_default="{}"),
    Column("created_at", Big, nullable=False),
)

#: Who may log in to the panel: the dealer itself (login is its number) and its staff.
panel_accounts = Table(
    "panel_accounts",
    metadata,
    id_(),
    ref("dealer_id", "dealers.id"),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    #: category -> operations, as ``account/get_permissions`` shows them.
    Column("permissions", JSON, nullable=False),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("created_at", Big, nullable=False),
)

users = Table(
    "users",
    metadata,
    id_(),
    ref("dealer_id", "dealers.id"),
    #: Set for a sub-user: the account it belongs to.
    ref("master_id", "users.id", nullable=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("activated", Boolean, nullable=False, server_default=true()),
    Column("verified", Boolean, nullable=False, server_default=true()),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("first_name", Text, nullable=False, server_default=""),
    Column("middle_name", Text, nullable=False, server_default=""),
    Column("last_name", Text, nullable=False, server_default=""),
    Column("legal_name", Text, nullable=False, server_default=""),
    Column("legal_type", Text, nullable=False, server_default="individual"),
    Column("phone", Text, nullable=False, server_default=""),
    #: Addresses and registration numbers, by their names in the panel API.
    Column("details", JSON, nullable=False, server_default="{}"),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("locale", Text, nullable=False, server_default="en_US"),
    Column("measurement_system", Text, nullable=False, server_default="metric"),
    #: geocoder, route_provider, translit, balance_alert_settings, file_storage_settings ...
    Column("settings", JSON, nullable=False, server_default="{}"),
    Column("balance", Money, nullable=False, server_default="0"),
    Column("bonus", Money, nullable=False, server_default="0"),
    Column("discount", JSON, nullable=False, server_default="{}"),
    ref("default_tariff_id", "tariffs.id", nullable=True, index=False),
    Column("security_group_id", Big, index=True),
    Column("comment", Text, nullable=False, server_default=""),
    Column("created_at", Big, nullable=False),
)

security_groups = Table(
    "security_groups",
    metadata,
    id_(),
    ref("user_id", "users.id"),
    Column("label", Text, nullable=False),
    Column("rights", JSON, nullable=False, server_default="[]"),
    Column("store_period", Text),
)

sessions = Table(
    "sessions",
    metadata,
    #: SHA-256 of the hash that the client holds.
    Column("key", LargeBinary(32), primary_key=True),
    ref("user_id", "users.id", nullable=True),
    ref("panel_account_id", "panel_accounts.id", nullable=True),
    #: ``login``, ``panel`` where the panel made a user session, or ``second_factor`` where the user
    #: has yet to bring a code (``accounts.second_factor``).
    Column("kind", Text, nullable=False, server_default="login"),
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False, index=True),
    #: Digest of the code that is asked for, wrong ones so far, and when another was sent last.
    Column("code", LargeBinary(32)),
    Column("code_failures", Integer, nullable=False, server_default="0"),
    Column("code_resent_at", Big),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("hash", Text, primary_key=True),
    ref("user_id", "users.id"),
    Column("title", Text, nullable=False),
    Column("created_at", Big, nullable=False),
)

#: Passwords that somebody had before, so that they are not taken again.
former_passwords = Table(
    "former_passwords",
    metadata,
    id_(),
    ref("user_id", "users.id", nullable=True),
    ref("panel_account_id", "panel_accounts.id", nullable=True),
    Column("password_hash", Text, nullable=False),
    Column("replaced_at", Big, nullable=False),
)
