"""The relational tables, one schema for SQLite and PostgreSQL.

Moments are whole milliseconds since 1970 UTC (``*_at``), dates are dates (``*_date``), money is
a decimal with four places. Points and states are not here: see ``points_sqlite`` and
``points_postgres``.
"""

from __future__ import annotations

from waypost.store.tables.accounts import api_keys as api_keys
from waypost.store.tables.accounts import dealers as dealers
from waypost.store.tables.accounts import former_passwords as former_passwords
from waypost.store.tables.accounts import panel_accounts as panel_accounts
from waypost.store.tables.accounts import security_groups as security_groups
from waypost.store.tables.accounts import sessions as sessions
from waypost.store.tables.accounts import users as users
from waypost.store.tables.base import metadata as metadata
from waypost.store.tables.billing import activation_codes as activation_codes
from waypost.store.tables.billing import active_days as active_days
from waypost.store.tables.billing import bundles as bundles
from waypost.store.tables.billing import orders as orders
from waypost.store.tables.billing import sim_cards as sim_cards
from waypost.store.tables.billing import tariffs as tariffs
from waypost.store.tables.billing import transactions as transactions
from waypost.store.tables.commands import audit_log as audit_log
from waypost.store.tables.commands import command_attempts as command_attempts
from waypost.store.tables.commands import commands as commands
from waypost.store.tables.commands import console_keys as console_keys
from waypost.store.tables.commands import saved_commands as saved_commands
from waypost.store.tables.commands import sms_incoming as sms_incoming
from waypost.store.tables.commands import sms_parts as sms_parts
from waypost.store.tables.installation import files as files
from waypost.store.tables.installation import meta as meta
from waypost.store.tables.sensors import counter_marks as counter_marks
from waypost.store.tables.sensors import counters as counters
from waypost.store.tables.sensors import sensors as sensors
from waypost.store.tables.ties import rule_trackers as rule_trackers
from waypost.store.tables.ties import rules as rules
from waypost.store.tables.ties import status_changes as status_changes
from waypost.store.tables.ties import status_listings as status_listings
from waypost.store.tables.ties import statuses as statuses
from waypost.store.tables.ties import vehicle_tags as vehicle_tags
from waypost.store.tables.ties import vehicles as vehicles
from waypost.store.tables.trackers import device_events as device_events
from waypost.store.tables.trackers import device_settings as device_settings
from waypost.store.tables.trackers import groups as groups
from waypost.store.tables.trackers import inbox as inbox
from waypost.store.tables.trackers import sources as sources
from waypost.store.tables.trackers import tag_bindings as tag_bindings
from waypost.store.tables.trackers import tags as tags
from waypost.store.tables.trackers import trackers as trackers
from waypost.store.tables.trackers import user_trackers as user_trackers
