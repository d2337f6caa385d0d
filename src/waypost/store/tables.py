"""The relational tables, one schema for SQLite and PostgreSQL.

Moments are whole milliseconds since 1970 UTC (``*_at``), dates are dates (``*_date``), money is
a decimal with four places. Points and states are not here: see ``points_sqlite`` and
``points_postgres``.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Big = BigInteger().with_variant(Integer, "sqlite")
Money = Numeric(14, 4, asdecimal=True)


def _id() -> Column[int]:
    return Column("id", Big, primary_key=True, autoincrement=True)


def _ref(name: str, target: str, *, nullable: bool = False, index: bool = True) -> Column[int]:
    return Column(name, Big, ForeignKey(target), nullable=nullable, index=index)


dealers = Table(
    "dealers",
    metadata,
    _id(),
    _ref("parent_id", "dealers.id", nullable=True),
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
    _id(),
    _ref("dealer_id", "dealers.id"),
    Column("login", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    #: category -> operations, as ``account/get_permissions`` shows them.
    Column("permissions", JSON, nullable=False),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("created_at", Big, nullable=False),
)

tariffs = Table(
    "tariffs",
    metadata,
    _id(),
    _ref("dealer_id", "dealers.id"),
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

users = Table(
    "users",
    metadata,
    _id(),
    _ref("dealer_id", "dealers.id"),
    #: Set for a sub-user: the account it belongs to.
    _ref("master_id", "users.id", nullable=True),
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
    _ref("default_tariff_id", "tariffs.id", nullable=True, index=False),
    Column("security_group_id", Big, index=True),
    Column("comment", Text, nullable=False, server_default=""),
    Column("created_at", Big, nullable=False),
)

security_groups = Table(
    "security_groups",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("label", Text, nullable=False),
    Column("rights", JSON, nullable=False, server_default="[]"),
    Column("store_period", Text),
)

sessions = Table(
    "sessions",
    metadata,
    #: SHA-256 of the hash that the client holds.
    Column("key", LargeBinary(32), primary_key=True),
    _ref("user_id", "users.id", nullable=True),
    _ref("panel_account_id", "panel_accounts.id", nullable=True),
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
    _ref("user_id", "users.id"),
    Column("title", Text, nullable=False),
    Column("created_at", Big, nullable=False),
)

groups = Table(
    "groups",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("title", Text, nullable=False),
    Column("color", Text, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    _id(),
    #: What the device says it is; unique over the whole server. A corrupted source gives its
    #: device id and phone up.
    Column("device_id", Text, nullable=False, unique=True),
    #: The device id that a corrupted source gave up.
    Column("former_device_id", Text, index=True),
    Column("model", Text, nullable=False),
    #: Digits, with the country's code.
    Column("phone", Text, unique=True),
    _ref("dealer_id", "dealers.id"),
    Column("blocked", Boolean, nullable=False, server_default=false()),
    Column("corrupted", Boolean, nullable=False, server_default=false()),
    _ref("tariff_id", "tariffs.id", nullable=True),
    #: The first day that is not paid; null: none, as with tariffs that charge active days.
    Column("tariff_end_date", Date, index=True),
    #: The tariff ended without being paid further.
    Column("tariff_ended", Boolean, nullable=False, server_default=false()),
    #: The end of the tariff is why it is blocked: paying lifts the block.
    Column("blocked_by_tariff", Boolean, nullable=False, server_default=false()),
    #: When the tariff was changed last.
    Column("tariff_change_date", Date),
    #: The last day that was charged for.
    Column("last_charged_date", Date),
    #: Days without a fee after the registration.
    Column("free_days", Integer, nullable=False, server_default="0"),
    #: The SIM card of its bundle, whose number its users do not see.
    _ref("sim_card_id", "sim_cards.id", nullable=True),
    Column("creation_date", Date, nullable=False),
    Column("registered_at", Big, nullable=False),
    #: First and last time the device itself connected since it was registered or replaced.
    Column("connected_at", Big),
    Column("last_connection_at", Big),
    #: When another device took this source over.
    Column("replaced_at", Big),
    #: When its registration commands were asked for again.
    Column("register_retried_at", Big),
    Column("status_listing_id", Big),
    #: Days that points are kept; 0: for ever.
    Column("retention_days", Integer, nullable=False, server_default="366"),
    #: The device's own password, for protocols that have one.
    Column("password", Text),
    #: What is configured on the device and decides how its data reads.
    Column("setup", JSON, nullable=False, server_default="{}"),
    #: Platform-side settings (trip detection, LBS ...), by name.
    Column("settings", JSON, nullable=False, server_default="{}"),
)

trackers = Table(
    "trackers",
    metadata,
    _id(),
    _ref("source_id", "sources.id"),
    _ref("user_id", "users.id"),
    Column("label", Text, nullable=False),
    Column("clone", Boolean, nullable=False, server_default=false()),
    _ref("group_id", "groups.id", nullable=True),
    Column("avatar_file_name", Text),
    Column("comment", Text, nullable=False, server_default=""),
    Column("deleted", Boolean, nullable=False, server_default=false()),
    Column("creation_date", Date, nullable=False),
)
#: One account has a device once; a deleted clone no longer counts.
Index(
    "uq_trackers_source_user",
    trackers.c.source_id,
    trackers.c.user_id,
    unique=True,
    sqlite_where=text("NOT deleted"),
    postgresql_where=text("NOT deleted"),
)

#: Trackers that a sub-user sees.
user_trackers = Table(
    "user_trackers",
    metadata,
    Column("user_id", Big, ForeignKey("users.id"), primary_key=True),
    Column("tracker_id", Big, ForeignKey("trackers.id"), primary_key=True, index=True),
)

tags = Table(
    "tags",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("color", Text, nullable=False),
    Column("avatar_file_name", Text),
)

tag_bindings = Table(
    "tag_bindings",
    metadata,
    Column("tracker_id", Big, ForeignKey("trackers.id"), primary_key=True),
    Column("tag_id", Big, ForeignKey("tags.id"), primary_key=True, index=True),
    #: 1 to 5.
    Column("ordinal", SmallInteger, nullable=False),
    UniqueConstraint("tracker_id", "ordinal"),
)

commands = Table(
    "commands",
    metadata,
    _id(),
    #: Null: it has to do with no device (an e-mail to a user).
    _ref("source_id", "sources.id", nullable=True),
    _ref("tracker_id", "trackers.id", nullable=True, index=False),
    #: Who asked: a user, or a panel account.
    Column("user_id", Big),
    Column("panel_account_id", Big),
    #: ``gprs``: over the device's connection; ``sms``, ``email``, ``http``.
    Column("channel", Text, nullable=False, server_default="gprs"),
    #: Phone number, e-mail address or URL of whoever it is for; null: the device.
    Column("recipient", Text),
    #: ``text`` or ``hex``: how the payload was given. Any other says what is to be told
    #: (``tracking``, ``registration`` ...), and the payload is JSON.
    Column("kind", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("reliable", Boolean, nullable=False, server_default=true()),
    #: queued, sent, acknowledged, expired, failed, cancelled.
    Column("state", Text, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
    Column("sent_at", Big),
    Column("finished_at", Big),
    Column("attempts", Integer, nullable=False, server_default="0"),
    #: Not to be tried (again) before; null: at once.
    Column("due_at", Big),
    #: What went out as people may see it, where it held secrets; null: as it is.
    Column("shown", Text),
    Column("answer", Text),
    #: Why it failed; while it is tried again: why the last attempt did.
    Column("error", Text),
)
Index("ix_commands_source_id_state_id", commands.c.source_id, commands.c.state, commands.c.id)
#: What is still to go out by SMS, or on its way.
Index(
    "ix_commands_open_sms",
    commands.c.state,
    commands.c.id,
    sqlite_where=text("channel = 'sms' AND finished_at IS NULL"),
    postgresql_where=text("channel = 'sms' AND finished_at IS NULL"),
)

#: E-mails that are still to go out.
Index(
    "ix_commands_open_mail",
    commands.c.id,
    sqlite_where=text("channel = 'email' AND finished_at IS NULL"),
    postgresql_where=text("channel = 'email' AND finished_at IS NULL"),
)

command_attempts = Table(
    "command_attempts",
    metadata,
    Column("command_id", Big, ForeignKey("commands.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    #: The gateway process that claimed this attempt.
    Column("gateway", Text, nullable=False),
    #: What the device's answer will repeat.
    Column("key", Text),
    Column("sent_at", Big, nullable=False),
    Column("finished_at", Big),
    #: answered, timeout, disconnected, gateway_lost, refused; by SMS also accepted, delivered,
    #: undelivered.
    Column("outcome", Text),
)

#: Short messages that a provider has or had, by its ids.
sms_parts = Table(
    "sms_parts",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    #: What it is part of; null: a report came on something that we do not know (yet).
    _ref("command_id", "commands.id", nullable=True),
    #: Of the attempt.
    Column("number", Integer),
    #: accepted, delivered, failed.
    Column("state", Text, nullable=False),
    #: Why it failed.
    Column("reason", Text),
    #: When it was accepted, or its report came where that was first.
    Column("at", Big, nullable=False, index=True),
)

#: Messages from outside.
sms_incoming = Table(
    "sms_incoming",
    metadata,
    _id(),
    Column("at", Big, nullable=False, index=True),
    Column("provider", Text, nullable=False),
    #: The provider's id of it, where it has one.
    Column("message_id", Text),
    #: As the provider says; of a forged one the address that it came from.
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("text", Text, nullable=False),
    #: answer, unprompted (a device's, to nothing), unknown (no device's number), forged.
    Column("kind", Text, nullable=False),
    _ref("source_id", "sources.id", nullable=True),
    #: What it answers.
    _ref("command_id", "commands.id", nullable=True, index=False),
)
Index("ix_sms_incoming_message", sms_incoming.c.provider, sms_incoming.c.message_id)

#: Devices that connect and that nobody registered.
inbox = Table(
    "inbox",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("protocol", Text, primary_key=True),
    Column("model", Text),
    Column("address", Text, nullable=False),
    Column("first_seen_at", Big, nullable=False),
    Column("last_seen_at", Big, nullable=False, index=True),
    Column("count", Big, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("position_at", Big),
)

#: What happened to a device that people should see (a second connection with its id ...).
device_events = Table(
    "device_events",
    metadata,
    _id(),
    _ref("source_id", "sources.id"),
    Column("at", Big, nullable=False),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
)

#: What happened to a user's money. Amounts are signed: negative ones left the account.
transactions = Table(
    "transactions",
    metadata,
    _id(),
    _ref("user_id", "users.id", index=False),
    _ref("dealer_id", "dealers.id"),
    _ref("tracker_id", "trackers.id", nullable=True),
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
    _ref("dealer_id", "dealers.id"),
    _ref("tariff_id", "tariffs.id"),
    Column("bonus_amount", Integer, nullable=False),
    Column("money_amount", Integer, nullable=False, server_default="0"),
    Column("free_days", Integer, nullable=False),
    Column("created_at", Big, nullable=False),
    Column("activated_at", Big),
    #: What was registered with it.
    _ref("tracker_id", "trackers.id", nullable=True),
)

#: SIM cards that a dealer puts into devices.
sim_cards = Table(
    "sim_cards",
    metadata,
    _id(),
    _ref("dealer_id", "dealers.id"),
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
    _id(),
    _ref("dealer_id", "dealers.id"),
    _ref("user_id", "users.id"),
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
    _id(),
    _ref("dealer_id", "dealers.id"),
    Column("imei", Text, nullable=False, unique=True),
    #: The device's model, whose number in the catalog is the number of the equipment.
    Column("equip_id", Integer, nullable=False),
    Column("model_code", Text, nullable=False),
    #: Set up at the factory: it needs no commands when it is registered.
    Column("factory_preset", Boolean, nullable=False),
    Column("sim_card_id", Big, ForeignKey("sim_cards.id"), unique=True),
    #: When it got its SIM card.
    Column("assigned_at", Big),
    _ref("order_id", "orders.id", nullable=True),
    Column("created_at", Big, nullable=False),
)

#: Days (UTC) on which a device connected.
active_days = Table(
    "active_days",
    metadata,
    Column("source_id", Big, ForeignKey("sources.id"), primary_key=True),
    Column("day", Date, primary_key=True, index=True),
)

#: What is configured on a device: its tracking mode (``tracking``), or a type of special settings.
device_settings = Table(
    "device_settings",
    metadata,
    Column("source_id", Big, ForeignKey("sources.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("changed_at", Big, nullable=False),
    #: What carries it to the device; its state says whether the device knows. Null: there are no
    #: instructions of this kind for its model, so nothing was sent.
    _ref("command_id", "commands.id", nullable=True, index=False),
    #: What the device acknowledged last, and when; null: nothing.
    Column("confirmed", JSON(none_as_null=True)),
    Column("confirmed_at", Big),
)

#: What an account wants to hear of its trackers.
rules = Table(
    "rules",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("primary_text", Text, nullable=False),
    Column("secondary_text", Text, nullable=False),
    Column("param", Big, nullable=False),
    Column("zone_ids", JSON, nullable=False),
    Column("alerts", JSON, nullable=False),
    Column("suspended", Boolean, nullable=False),
    Column("schedule", JSON(none_as_null=True)),
    Column("extended_params", JSON(none_as_null=True)),
    Column("group_id", Big),
)

rule_trackers = Table(
    "rule_trackers",
    metadata,
    Column("rule_id", Big, ForeignKey("rules.id"), primary_key=True),
    Column("tracker_id", Big, ForeignKey("trackers.id"), primary_key=True, index=True),
)

vehicles = Table(
    "vehicles",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    #: One vehicle at most has a tracker.
    Column("tracker_id", Big, ForeignKey("trackers.id"), unique=True),
    Column("label", Text, nullable=False),
    Column("reg_number", Text, nullable=False),
    Column("vin", Text, nullable=False),
    #: All further fields, as the API names them.
    Column("details", JSON, nullable=False),
)

vehicle_tags = Table(
    "vehicle_tags",
    metadata,
    Column("vehicle_id", Big, ForeignKey("vehicles.id"), primary_key=True),
    Column("tag_id", Big, ForeignKey("tags.id"), primary_key=True, index=True),
)

#: Lists of working statuses (busy, free ...) that an account gives to its trackers.
status_listings = Table(
    "status_listings",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("label", Text, nullable=False),
    Column("employee_controlled", Boolean, nullable=False),
    Column("supervisor_controlled", Boolean, nullable=False),
)

statuses = Table(
    "statuses",
    metadata,
    _id(),
    _ref("listing_id", "status_listings.id"),
    Column("label", Text, nullable=False),
    Column("color", Text, nullable=False),
    #: Its place in the list.
    Column("ordinal", Integer, nullable=False),
)

#: Who set which working status when and where; a device's newest says what it has now. Statuses
#: may be gone by now.
status_changes = Table(
    "status_changes",
    metadata,
    _id(),
    _ref("source_id", "sources.id"),
    Column("old_status_id", Big),
    Column("new_status_id", Big),
    Column("at", Big, nullable=False),
    #: ``supervisor`` or ``employee``.
    Column("origin", Text, nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
)

#: Commands that people keep to send them again.
saved_commands = Table(
    "saved_commands",
    metadata,
    _id(),
    _ref("tracker_id", "trackers.id"),
    Column("name", Text, nullable=False),
    #: ``hardware``: ``command`` and ``reliable``; ``http``: ``url``, ``headers``, ``body``.
    Column("type", Text, nullable=False),
    Column("config", JSON, nullable=False),
)

#: Who may open a device console.
console_keys = Table(
    "console_keys",
    metadata,
    #: SHA-256 of the key that the client holds.
    Column("key", LargeBinary(32), primary_key=True),
    _ref("tracker_id", "trackers.id"),
    _ref("panel_account_id", "panel_accounts.id", index=False),
    #: Seconds since 1970, as the client was told.
    Column("timestamp", Big, nullable=False),
    Column("expires_at", Big, nullable=False, index=True),
)

#: What people did to devices by hand, for whoever has to answer for it; it is never changed.
audit_log = Table(
    "audit_log",
    metadata,
    _id(),
    Column("at", Big, nullable=False, index=True),
    #: What was done: ``console/command``.
    Column("action", Text, nullable=False),
    #: Who did it; accounts and trackers may be gone by now.
    Column("dealer_id", Big, nullable=False),
    Column("panel_account_id", Big),
    Column("tracker_id", Big, index=True),
    #: Where the request came from.
    Column("address", Text, nullable=False),
    #: What exactly, by the action's own names.
    Column("details", JSON, nullable=False),
)

#: What is connected to a device's inputs, what it measures and in which units.
sensors = Table(
    "sensors",
    metadata,
    _id(),
    _ref("source_id", "sources.id"),
    #: ``metering``, ``discrete`` or ``virtual``.
    Column("kind", Text, nullable=False),
    Column("sensor_type", Text, nullable=False),
    #: The input it reads; null for discrete ones, which have a number.
    Column("input_name", Text),
    Column("input_number", SmallInteger),
    #: All of it as the API names it, but for the id.
    Column("definition", JSON, nullable=False),
    #: Pairs of raw value and meaning, in rising order of the first.
    Column("calibration", JSON, nullable=False, server_default="[]"),
)
#: An input is read once: two calls at once cannot both have it.
Index(
    "uq_sensors_source_input_number",
    sensors.c.source_id,
    sensors.c.input_number,
    unique=True,
    sqlite_where=text("kind = 'discrete'"),
    postgresql_where=text("kind = 'discrete'"),
)
Index(
    "uq_sensors_source_input_name",
    sensors.c.source_id,
    sensors.c.input_name,
    unique=True,
    sqlite_where=text("kind = 'metering' AND input_name <> 'composite'"),
    postgresql_where=text("kind = 'metering' AND input_name <> 'composite'"),
)

#: Odometers and the like: how what is counted in a source's state reads.
counters = Table(
    "counters",
    metadata,
    _id(),
    Column("source_id", Big, ForeignKey("sources.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("multiplier", Float, nullable=False, server_default="1"),
    #: The sensor that counts, where one is chosen.
    _ref("sensor_id", "sensors.id", nullable=True, index=False),
    #: What it showed when it was set (null: never), and how far the meter had come by then.
    Column("value", Float),
    Column("counted", Float, nullable=False, server_default="0"),
    Column("changed_at", Big, nullable=False),
    #: What messages that came late add to the meter, and how many of these are dealt with.
    Column("correction", Float, nullable=False, server_default="0"),
    Column("lates", Big, nullable=False, server_default="0"),
    #: Time of its newest mark.
    Column("marked_at", Big, nullable=False),
    UniqueConstraint("source_id", "type"),
)

#: How far counters had come, now and then: where counting anew can begin.
counter_marks = Table(
    "counter_marks",
    metadata,
    _id(),
    Column("counter_id", Big, ForeignKey("counters.id"), nullable=False),
    #: Messages up to this time are counted.
    Column("at", Big, nullable=False),
    Column("made_at", Big, nullable=False),
    #: Somebody set it so: no message changes this.
    Column("fixed", Boolean, nullable=False),
    Column("value", Float),
    Column("multiplier", Float, nullable=False),
    Column("counted", Float, nullable=False),
    #: The meter itself, MessagePack.
    Column("meter", LargeBinary, nullable=False),
)
Index("ix_counter_marks_counter_id_at", counter_marks.c.counter_id, counter_marks.c.at)

#: Passwords that somebody had before, so that they are not taken again.
former_passwords = Table(
    "former_passwords",
    metadata,
    _id(),
    _ref("user_id", "users.id", nullable=True),
    _ref("panel_account_id", "panel_accounts.id", nullable=True),
    Column("password_hash", Text, nullable=False),
    Column("replaced_at", Big, nullable=False),
)

#: What clients have uploaded: logos, avatars.
files = Table(
    "files",
    metadata,
    #: A path without leading slash; it holds a digest of the content.
    Column("name", Text, primary_key=True),
    #: Media type.
    Column("type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Big, nullable=False),
)

#: Facts about this database itself: the salt of its first start, what jobs ran when.
meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)

__all__ = [name for name, item in list(globals().items()) if isinstance(item, Table)]
__all__ += ["metadata"]
