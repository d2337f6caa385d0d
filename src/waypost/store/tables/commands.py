"""What devices and people are told, what became of it, and what people did by hand."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    text,
    true,
)

from waypost.store.tables.base import Big, id_, metadata, ref

commands = Table(
    "commands",
    metadata,
    id_(),
    #: Null: it has to do with no device (an e-mail to a user).
    ref("source_id", "sources.id", nullable=True),
    ref("tracker_id", "trackers.id", nullable=True, index=False),
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

#: What nothing has become of yet, among the many that something did: to count it, and to find whose
#: life is over.
Index(
    "ix_commands_open",
    commands.c.source_id,
    commands.c.expires_at,
    commands.c.finished_at,  # or SQLite reads the rows to count them
    sqlite_where=text("finished_at IS NULL"),
    postgresql_where=text("finished_at IS NULL"),
)

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

#: Attempts under way.
Index(
    "ix_command_attempts_open",
    command_attempts.c.sent_at,
    sqlite_where=text("finished_at IS NULL"),
    postgresql_where=text("finished_at IS NULL"),
)

#: Short messages that a provider has or had, by its ids.
sms_parts = Table(
    "sms_parts",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    #: What it is part of; null: a report came on something that we do not know (yet).
    ref("command_id", "commands.id", nullable=True),
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
    id_(),
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
    ref("source_id", "sources.id", nullable=True),
    #: What it answers.
    ref("command_id", "commands.id", nullable=True, index=False),
)

Index("ix_sms_incoming_message", sms_incoming.c.provider, sms_incoming.c.message_id)

#: Commands that people keep to send them again.
saved_commands = Table(
    "saved_commands",
    metadata,
    id_(),
    ref("tracker_id", "trackers.id"),
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
    ref("tracker_id", "trackers.id"),
    ref("panel_account_id", "panel_accounts.id", index=False),
    #: Seconds since 1970, as the client was told.
    Column("timestamp", Big, nullable=False),
    Column("expires_at", Big, nullable=False, index=True),
)

#: What people did to devices by hand, for whoever has to answer for it; it is never changed.
audit_log = Table(
    "audit_log",
    metadata,
    id_(),
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
