"""What dealers sell and what it costs: tariffs, money, codes, SIM cards, devices."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    false,
    true,
)

from waypost.store.tables.base import Big, Money, id_, metadata, ref

tariffs = Table(
    "tariffs",
    metadata,
    id_(),
    ref("dealer_id", "dealers.id"),
    Column("name", Text, nullable=False),
    Column("group_id", Integer, nullable=False, server_default="0"),
    Column("active", Boolean, nullable=False, server_default=true()),
    Column("type", Text, nullable=False, server_default="monthly"),
    Column("price", Money, nullable=False, server_default="0"),
    Column("early_change_price", Money),
    Column("device_limit", Integer, nullable=False, server_default="1000000"),
    Column("has_reports", Boolean, nullable=False, server_default=true()),
    Column("store_period", Text, nullable=False, server_default="1y"),
    Column("device_type", Text, nullable=False, server_default="tracker"),
    Column("proportional_charge", Boolean, nullable=False, server_default=false()),
    Column("service_prices", JSON, nullable=False, server_default="{}"),
    #: 0 everybody, 1 individuals, 2 legal entities and sole traders, 3 paas.
    Column("doc_type", SmallInteger, nullable=False, server_default="0"),
    Column("features", JSON, nullable=False, server_default="[]"),
    Column("map_filter", JSON, nullable=False, server_default="{}"),
)

#: What happened to a user's money. Amounts are signed: negative ones left the account.
transactions = Table(
    "transactions",
    metadata,
    id_(),
    ref("user_id", "users.id", index=False),
    ref("dealer_id", "dealers.id"),
    ref("tracker_id", "trackers.id", nullable=True),
    Column("at", Big, nullable=False),
    Column("type", Text, nullable=False),
    Column("subtype", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("amount", Money, nullable=False),
    Column("old_balance", Money, nullable=False),
    Column("new_balance", Money, nullable=False),
    Column("bonus_amount", Money, nullable=False),
    Column("old_bonus", Money, nullable=False),
    Column("new_bonus", Money, nullable=False),
)

Index("ix_transactions_user_id_at", transactions.c.user_id, transactions.c.at)

#: Codes that a dealer sells: whoever registers a device with one gets its tariff and money.
activation_codes = Table(
    "activation_codes",
    metadata,
    Column("code", Text, primary_key=True),
    ref("dealer_id", "dealers.id"),
    ref("tariff_id", "tariffs.id"),
    Column("bonus_amount", Integer, nullable=False),
    Column("money_amount", Integer, nullable=False, server_default="0"),
    Column("free_days", Integer, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("activated_at", Big),
    #: What was registered with it.
    ref("tracker_id", "trackers.id", nullable=True),
)

#: SIM cards that a dealer puts into devices.
sim_cards = Table(
    "sim_cards",
    metadata,
    id_(),
    ref("dealer_id", "dealers.id"),
    Column("iccid", Text, nullable=False, unique=True),
    #: Digits, with the country's code.
    Column("phone", Text, nullable=False, unique=True),
    #: Name of its access point.
    Column("apn", Text, nullable=False, server_default=""),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("deleted", Boolean, nullable=False, server_default=false()),
)

#: What users have ordered from their dealer.
orders = Table(
    "orders",
    metadata,
    id_(),
    ref("dealer_id", "dealers.id"),
    ref("user_id", "users.id"),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("sum", Money, nullable=False),
    Column("payer", Text, nullable=False, server_default=""),
    Column("recipient", Text, nullable=False, server_default=""),
    Column("contacts", Text, nullable=False, server_default=""),
    Column("place", Text, nullable=False, server_default=""),
    Column("comment", Text, nullable=False, server_default=""),
    Column("created_at", Big, nullable=False),
)

#: Devices that a dealer sells ready to be registered by their IMEI.
bundles = Table(
    "bundles",
    metadata,
    id_(),
    ref("dealer_id", "dealers.id"),
    Column("imei", Text, nullable=False, unique=True),
    #: The device's model, whose number in the catalog is the number of the equipment.
    Column("equip_id", Integer, nullable=False),
    Column("model_code", Text, nullable=False),
    #: Set up at the factory: it needs no commands when it is registered.
    Column("factory_preset", Boolean, nullable=False),
    Column("sim_card_id", Big, ForeignKey("sim_cards.id"), unique=True),
    #: When it got its SIM card.
    Column("assigned_at", Big),
    ref("order_id", "orders.id", nullable=True),
    Column("created_at", Big, nullable=False),
)

#: Days (UTC) on which a device connected.
active_days = Table(
    "active_days",
    metadata,
    Column("source_id", Big, ForeignKey("sources.id"), primary_key=True),
    Column("day", Date, primary_key=True, index=True),
)
