"""For every action the arguments of a call that works, in an account where things are.

The pages in ``docs/actions`` print these calls, and tests make them. ``furnish`` makes the account;
the ids of what is in it are those that the arguments name.
"""

from __future__ import annotations

from typing import Any

import msgspec
from contract_stage import ICCID, IMEI, MODEL, OTHER_IMEI, Stage
from specification import split
from sqlalchemy import insert, update

from waypost.accounts.model import SessionKind
from waypost.accounts.second_factor import CODE_LIFE, digest_of
from waypost.accounts.sessions import session_key
from waypost.api.action import ACTIONS
from waypost.catalog import models
from waypost.store.tables import activation_codes, api_keys, dealers, sessions

#: Trackers of a furnished account: ``COURIER`` is active, ``VAN`` has never connected, ``COPY`` is
#: a clone of another account's ``THEIRS``, ``NEW`` has taken the place of another device, ``TWIN``
#: is of the courier's model, ``LOCK`` an electronic lock.
COURIER, VAN, THEIRS, COPY, NEW, TWIN, LOCK = range(1, 8)
#: Its user, another one, a sub-user; a sub-dealer.
USER, STRANGER, SUB, SUBDEALER = 1, 2, 4, 3
#: A tariff beside the first, and the equipment of a model.
TARIFF = 2
EQUIPMENT = models.all_models()[MODEL].id
#: What the account's tariff has beside what every tariff has.
FEATURES = ["multilevel_access", "app_fleet", "statuses"]
CODE = "7431859406"
#: A log-in that asks for a code, and that code.
CODE_HASH, LOGIN_CODE = "5fcbd0d0e03d4be5a6a3ab5f6e0f7f0c", "123456"
KEY = "6dc5d6a26ae54bbb99a0aa0e12ab6f9f"
PHONE, DEVICE_ID = "79123122312", "350000000000800"
DAY = {"from": "2024-03-09 00:00:00", "to": "2024-03-09 23:59:59"}
APN = {"apn_name": "fast.example", "apn_user": "", "apn_password": ""}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


class File(msgspec.Struct, frozen=True):
    """A file that a call uploads."""

    name: str
    type: str
    content: bytes


SENSOR = {
    "type": "metering",
    "name": "Board voltage",
    "input_name": "board_voltage",
    "sensor_type": "power",
    "units": "V",
    "units_type": "custom",
    "divider": 1,
    "accuracy": 2,
    "group_type": None,
    "group_id": None,
    "parameters": {},
}
RULE = {
    "name": "Out of sight",
    "description": "No data for twenty minutes",
    "type": "offline",
    "trackers": [COURIER],
    "zone_ids": [],
    "primary_text": "connection lost",
    "secondary_text": "connected again",
    "param": 20,
    "alerts": {"sms_phones": [], "phones": [], "emails": [], "push_enabled": True},
    "suspended": False,
}
VEHICLE = {
    "label": "Truck",
    "tracker_id": VAN,
    "model": "Actros",
    "type": "truck",
    "max_speed": 90,
    "reg_number": "HH-WP 17",
    "vin": "",
    "fuel_type": "diesel",
}
LOCK_PASSWORD = {
    "type": "electronic_lock_password",
    "password": "345892",
    "remember_password": True,
}
IGNITION = {
    "type": "discrete",
    "name": "Ignition",
    "sensor_type": "ignition",
    "input_number": 1,
    "parameters": {},
}
TABLE = b"""<?xml version="1.0"?>
<calibration><sensor number="1">
<point code="0" volume="0"/><point code="4095" volume="300"/>
</sensor></calibration>"""
SAVED = {
    "name": "Where",
    "type": "hardware",
    "config": {"command": "AT+GTRTO=gv100,1,,,,,,0001$", "reliable": True},
}
PERSON = {
    "login": "ann@example.org",
    "first_name": "Ann",
    "last_name": "Lee",
    "legal_type": "individual",
    "phone": "491701234567",
}
TARIFF_FIELDS = {
    "name": "Large fleets",
    "type": "monthly",
    "price": 12.5,
    "device_limit": 100,
    "store_period": "1y",
    "device_type": "tracker",
}
PASSWORD = "Correct-horse1!"
MENU = {
    "application": "navixy_web",
    "main_menu": [{"name": "tracking", "items": [{"name": "map"}]}],
}
SETTINGS = {
    "time_zone": "America/New_York",
    "locale": "en_US",
    "measurement_system": "metric",
    "geocoder": "osm",
    "route_provider": "osrm",
    "translit": False,
    "balance_alert_settings": {"emails": ["user@example.org"]},
    "file_storage_settings": {"auto_overwrite": False},
}
STAFF = {
    "title": "Tracking South",
    "email": "south@example.org",
    "jur_name": "Tracking South Ltd",
    "jur_country": "GB",
    "link_monitoring": "south.example.org",
}

#: Name of an action -> arguments of a call that works. An action that needs nothing but a tracker,
#: or nothing at all, need not be here.
SAMPLES: dict[str, dict[str, Any]] = {
    # user
    "dealer/get_ui_config": {"domain": "fleet.example.org"},
    "user/auth": {"login": "user@example.org", "password": PASSWORD},
    "user/auth/code/verify": {"code": LOGIN_CODE},
    "user/settings/update": SETTINGS,
    "api/key/create": {"title": "Data warehouse"},
    "api/key/delete": {"key": KEY},
    "user/api_key/create": {"title": "Data warehouse"},
    "user/api_key/delete": {"key": KEY},
    "timezone/list": {"locale": "en_US"},
    "apn_settings/read": {"phone": PHONE},
    "transaction/list": DAY,
    "tariff/tracker/change": {"tracker_id": COURIER, "tariff_id": TARIFF},
    # user: sub-users
    "subuser/register": {
        "user": {**PERSON, "security_group_id": 1, "activated": True},
        "password": "A-secret-0f-Ann",
    },
    "subuser/update": {"user": {"id": SUB, "login": "sub@example.org", "first_name": "Bo"}},
    "subuser/delete": {"subuser_id": SUB},
    "subuser/session/create": {"subuser_id": SUB},
    "subuser/tracker/list": {"subuser_id": SUB},
    "subuser/tracker/bind": {"subuser_id": SUB, "trackers": [VAN]},
    "subuser/tracker/unbind": {"subuser_id": SUB, "trackers": [COURIER]},
    "subuser/security_group/create": {
        "group": {"label": "Dispatchers", "privileges": {"rights": ["tracker_update"]}}
    },
    "subuser/security_group/update": {
        "group": {"id": 1, "label": "Helpers", "privileges": {"rights": ["tag_update"]}}
    },
    "subuser/security_group/delete": {"security_group_id": 1},
    "subuser/security_group/assign": {"group_id": 1, "subuser_ids": [SUB]},
    # user: tags
    "tag/create": {"tag": {"name": "Hybrid", "color": "22AA55"}},
    "tag/update": {"tag": {"id": 1, "name": "Electric", "color": "1122AA"}},
    "tag/delete": {"tag_id": 2},
    "tag/search": {"tag_ids": [1]},
    # user: trackers
    "tracker/list": {"labels": ["Cour", "Van"]},
    "tracker/corrupt": {"tracker_id": VAN},
    "tracker/delete": {"tracker_id": COPY},
    "tracker/change_phone": {"tracker_id": COURIER, "phone": "6156680000", **APN},
    "tracker/get_states": {"trackers": [COURIER, VAN], "list_blocked": True},
    "tracker/list_models": {"codes": ["telfmb120"], "compact_index": True},
    "tracker/location_request": {"tracker_id": COURIER, "type": "gprs"},
    "tracker/register": {
        "label": "Courier 2",
        "group_id": 0,
        "model": "qlgv55lite",
        "plugin_id": 37,
        "device_id": "123451234512346",
        "phone": "79123122399",
        **APN,
    },
    "tracker/register_quick": {"label": "Courier 2", "group_id": 0, "imei": IMEI},
    "tracker/register_retry": {"tracker_id": VAN, **APN},
    "tracker/replace": {
        "tracker_id": COURIER,
        "model": "qlgv55lite",
        "plugin_id": 37,
        "device_id": "123451234512346",
        "phone": "79123122399",
        **APN,
    },
    "tracker/replace_quick": {"tracker_id": COURIER, "imei": IMEI},
    "tracker/replace_retry": {"tracker_id": NEW, **APN},
    "tracker/raw_command/send": {"tracker_id": COURIER, "command": "AT+GTRTO=gv100,1,,,,,,0001$"},
    "tracker/send_command": {
        "tracker_id": LOCK,
        "command": {
            "name": "electronic_lock_command",
            "command_code": "unseal",
            "special_settings": LOCK_PASSWORD,
        },
    },
    "tracker/tags/set": {
        "tracker_id": COURIER,
        "tag_bindings": [{"tag_id": 1, "ordinal": 1}, {"tag_id": 2, "ordinal": 2}],
    },
    "tracker/batch_get_inputs": {"trackers": [COURIER, VAN]},
    "tracker/batch_get_outputs": {"trackers": [COURIER, VAN]},
    "tracker/group/create": {"title": "North", "color": "FF6600"},
    "tracker/group/update": {"id": 1, "title": "North", "color": "FF6600"},
    "tracker/group/delete": {"id": 1},
    "tracker/group/assign": {"id": 1, "trackers": [COURIER, VAN]},
    # user: sensors and counters
    "tracker/sensor/create": {"tracker_id": VAN, "sensor": SENSOR},
    "tracker/sensor/update": {"tracker_id": COURIER, "sensor": {**SENSOR, "id": 1}},
    "tracker/sensor/delete": {"tracker_id": COURIER, "sensor_id": 1},
    "tracker/sensor/batch_list": {"trackers": [COURIER, VAN]},
    "tracker/sensor/batch_copy": {"base_tracker_id": COURIER, "trackers": [TWIN]},
    "tracker/sensor/data/read": {"tracker_id": COURIER, "sensor_id": 1, **DAY},
    "tracker/sensor/calibration_data/read": {"tracker_id": COURIER, "sensor_id": 1},
    "tracker/sensor/calibration_data/update": {
        "tracker_id": COURIER,
        "sensor_id": 1,
        "data": [{"in": 0, "out": 0}, {"in": 10, "out": 100}],
    },
    "tracker/sensor/calibration_data/upload_omnicomm": {
        "tracker_id": COURIER,
        "sensor_id": 1,
        "file": File("table.xml", "text/xml", TABLE),
    },
    "tracker/readings/batch_list": {"trackers": [COURIER, VAN]},
    "tracker/counter/read": {"tracker_id": COURIER, "type": "odometer"},
    "tracker/counter/update": {"tracker_id": COURIER, "type": "odometer", "multiplier": 1.02},
    "tracker/counter/value/get": {"tracker_id": COURIER, "type": "odometer"},
    "tracker/counter/value/list": {"trackers": [COURIER], "type": "odometer"},
    "tracker/counter/value/set": {"tracker_id": COURIER, "type": "odometer", "value": 1200.5},
    "tracker/counter/data/read": {"tracker_id": COURIER, "type": "odometer", **DAY},
    "tracker/stats/mileage/read": {"trackers": [COURIER], **DAY},
    "tracker/stats/engine_hours/read": {"tracker_id": COURIER, **DAY},
    # user: tracks
    "track/list": {"tracker_id": COURIER, **DAY},
    "track/read": {"tracker_id": COURIER, **DAY},
    "track/visit/list": {"tracker_id": COURIER, **DAY},
    "track/download": {"tracker_id": COURIER, **DAY},
    # user: settings of trackers
    "tracker/settings/update": {"tracker_id": COURIER, "group_id": 1, "label": "Courier"},
    "tracker/settings/lbs/update": {"tracker_id": COURIER, "max_radius": 500},
    "tracker/settings/trip_detection/update": {
        "tracker_id": COURIER,
        "min_idle_duration_minutes": 5,
        "idle_speed_threshold": 3,
        "ignition_aware": False,
        "motion_sensor_aware": False,
    },
    "tracker/settings/tracking/update": {
        "tracker_id": COURIER,
        "tracking_settings": {
            "tracking_interval": 60,
            "tracking_distance": 100,
            "tracking_angle": 30,
        },
    },
    "tracker/settings/special/read": {"tracker_id": LOCK},
    "tracker/settings/special/update": {"tracker_id": LOCK, "value": LOCK_PASSWORD},
    "tracker/output/update": {
        "tracker_id": COURIER,
        "tracker_output": {"number": 1, "title": "Engine lock"},
    },
    "tracker/engine_immobilizer/read": {"tracker_id": NEW},
    "tracker/engine_immobilizer/set": {"tracker_id": NEW, "enabled": True},
    "tracker/led/read": {"tracker_id": NEW},
    "tracker/led/update": {"tracker_id": NEW, "value": False},
    "tracker/command/history/list": {"tracker_id": COURIER, "limit": 2},
    "tracker/settings/confirmation/list": {"tracker_id": VAN},
    "tracker/output/set": {"tracker_id": COURIER, "output": 1, "enable": True},
    "tracker/output/set_all": {"tracker_id": COURIER, "outputs": [True]},
    "tracker/command/create": {
        "tracker_id": COURIER,
        "command": SAVED,
    },
    "tracker/command/update": {
        "tracker_id": COURIER,
        "command": {**SAVED, "id": 1, "name": "Where are you"},
    },
    "tracker/command/execute": {"tracker_id": COURIER, "command_id": 1},
    "tracker/command/delete": {"tracker_id": COURIER, "command_id": 1},
    "tracker/batch_get_commands": {"trackers": [COURIER]},
    "tracker/avatar/upload": {
        "tracker_id": COURIER,
        "file": File("courier.png", "image/png", PNG),
    },
    # user: rules, vehicles, working statuses
    "tracker/rule/create": RULE,
    "tracker/rule/update": {**RULE, "id": 1, "param": 30},
    "tracker/rule/delete": {"rule_id": 1},
    "tracker/rule/bind": {"rule_id": 1, "trackers": [VAN]},
    "tracker/rule/unbind": {"rule_id": 1, "trackers": [COURIER]},
    "vehicle/create": {"vehicle": VEHICLE},
    "vehicle/read": {"vehicle_id": 1},
    "vehicle/update": {"vehicle": {**VEHICLE, "id": 1, "tracker_id": COURIER}},
    "vehicle/delete": {"vehicle_id": 1},
    "vehicle/batch_convert": {
        "batch": "Van 1\tHH-WP 18\nVan 2\tHH-WP 19",
        "fields": ["label", "reg_number"],
    },
    "status/listing/create": {
        "listing": {
            "label": "Taxi",
            "employee_controlled": True,
            "supervisor_controlled": True,
            "entries": [],
        }
    },
    "status/listing/update": {
        "listing": {
            "id": 1,
            "label": "Taxi",
            "employee_controlled": True,
            "supervisor_controlled": True,
            "entries": [1],
        }
    },
    "status/listing/delete": {"listing_id": 1},
    "status/listing/tracker/assign": {"tracker_id": COURIER, "listing_id": 1},
    "status/create": {"listing_id": 1, "status": {"label": "Busy", "color": "FF6DDC"}},
    "status/update": {"status": {"id": 1, "label": "Free", "color": "E57373"}},
    "status/delete": {"status_id": 1},
    "status/list": {"listing_id": 1},
    "status/tracker/assign": {"tracker_id": COURIER, "new_status_id": 1},
    "status/tracker/list": {"trackers": [COURIER]},
    # panel: accounts
    "panel/account/auth": {"login": "1", "password": PASSWORD},
    "panel/timezone/list": {"locale": "en_US"},
    "panel/user/create": {
        "user": PERSON,
        "time_zone": "Europe/Berlin",
        "locale": "en_US",
        "password": PASSWORD,
        "discount": {"value": 5, "min_trackers": 10, "end_date": None, "strategy": "no_summing"},
    },
    "panel/user/update": {
        "user": {**PERSON, "id": USER, "login": "user@example.org"},
        "discount": {"value": 5, "min_trackers": 10, "end_date": None, "strategy": "no_summing"},
    },
    "panel/user/read": {"user_id": USER},
    "panel/user/corrupt": {"user_id": USER, "login": "user@example.org", "corrupt_clones": True},
    "panel/user/change_password": {"user_id": USER, "password": "An0ther-secret!"},
    "panel/user/session/create": {"user_id": USER},
    "panel/user/transaction/list": {"user_id": USER, **DAY},
    "panel/user/transaction/change_balance": {
        "user_id": USER,
        "amount": 100.0,
        "type": "balance",
        "text": "Paid by bank transfer",
    },
    "panel/user/menu/read": {"user_id": USER},
    "panel/user/menu/update": {"user_id": USER, "value": MENU},
    "panel/user/menu/default/update": {"value": MENU},
    "panel/user/mfa/settings/read": {"user_id": USER},
    "panel/user/mfa/settings/update": {
        "target": {"type": "selected", "ids": [USER]},
        "settings": {"type": "allowed", "factor_types": ["email"]},
    },
    "panel/user/mfa/settings/default/update": {"settings": {"type": "disallowed"}},
    # panel: tariffs, codes, orders
    "panel/tariff/create": {"tariff": TARIFF_FIELDS},
    "panel/tariff/read": {"tariff_id": TARIFF},
    "panel/tariff/update": {"tariff": {**TARIFF_FIELDS, "id": TARIFF, "price": 15}},
    "panel/tariff/defaults/update": {"tracker": {"tariff_id": TARIFF, "free_days": 14}},
    "panel/dealer/activation_code/create": {
        "count": 10,
        "tariff_id": TARIFF,
        "bonus_amount": 0,
        "free_days": 30,
    },
    "panel/dealer/activation_code/update": {
        "codes": [CODE],
        "tariff_id": TARIFF,
        "bonus_amount": 5,
        "free_days": 30,
    },
    "panel/order/read": {"order_id": 1},
    # panel: the dealer
    "panel/dealer/password/update": {"old_password": PASSWORD, "new_password": "An0ther-secret!"},
    "panel/dealer/settings/notification/update": {
        "email_from": "fleet@example.org",
        "email_footer": "Your fleet",
        "sms_originator": "Fleet",
        "caller_id": "491701234567",
    },
    "panel/dealer/settings/service/update": {"service_title": "Fleet", "currency": "EUR"},
    "panel/dealer/settings/image/upload": {
        "type": "logo",
        "file": File("logo.png", "image/png", PNG),
    },
    "panel/dealer/settings/image/delete": {"type": "logo"},
    "panel/subpaas/create": {"password": PASSWORD, **STAFF},
    "panel/subpaas/read": {"subpaas_id": SUBDEALER},
    "panel/subpaas/update": {
        "subpaas_id": SUBDEALER,
        **STAFF,
        "contact_fio": "Ann Lee",
        "contact_post": "Director",
        "contact_phone": "491701234567",
        "block_type": "NOT_BLOCKED",
    },
    "panel/subpaas/password/change": {"subpaas_id": SUBDEALER, "new_password": "An0ther-secret!"},
    "panel/subpaas/session/create": {"subpaas_id": SUBDEALER},
    # panel: trackers
    "panel/tracker/active/history/list": {"from": "2024-01", "to": "2024-03"},
    "panel/tracker/bundle/assign": {"bundle_id": 1, "iccid": ICCID},
    "panel/tracker/bundle/order/assign": {"bundle_id": 1, "order_id": 1},
    "panel/tracker/bundle/import": {
        "imeis": [OTHER_IMEI],
        "equip_id": EQUIPMENT,
        "factory_preset": True,
    },
    "panel/tracker/bundle/read": {"imei": IMEI},
    "panel/tracker/bundle/update": {"bundle_id": 1, "equip_id": EQUIPMENT},
    "panel/tracker/clone": {"tracker_id": COURIER, "label": "Courier", "user_id": STRANGER},
    "panel/tracker/batch_clone": {"tracker_ids": [COURIER, VAN], "user_id": STRANGER},
    "panel/tracker/delete_clone": {"tracker_id": COPY},
    "panel/tracker/batch_delete_clones": {"trackers": [COPY, COURIER]},
    "panel/tracker/list": {"filter": "cour", "order_by": "label", "limit": 50},
    "panel/tracker/move": {"tracker_id": COURIER, "user_id": STRANGER},
    "panel/tracker/raw_command/send": {
        "device_id": DEVICE_ID,
        "command": "AT+GTRTO=gv100,1,,,,,,0001$",
    },
    "panel/tracker/settings/update": {
        "tracker_id": COURIER,
        "label": "Courier",
        "deleted": False,
        "comment": "New SIM card in May",
    },
    "panel/tracker/source/update": {"tracker_id": COURIER, "blocked": True},
    "panel/tracker/tariff/change": {
        "tracker_id": COURIER,
        "tariff_id": TARIFF,
        "repay": False,
        "charge": False,
    },
}


#: Where what is in the account differs from what a call adds to it.
FURNISHED: dict[str, dict[str, Any]] = {
    "tracker/sensor/create": {"tracker_id": COURIER},
    "vehicle/create": {"vehicle": {**VEHICLE, "tracker_id": COURIER}},
    "panel/subpaas/create": {"link_monitoring": "north.example.org", "title": "Tracking North"},
}


def sample(name: str) -> dict[str, Any]:
    """The arguments of a call that works."""
    known = SAMPLES.get(name)
    if known is not None:
        return dict(known)
    own = ACTIONS[split(name)].tracker
    return {} if own is None else {own.parameter: COURIER}


async def furnish(stage: Stage) -> None:
    """Fills an empty account; what it makes has the ids above."""
    default = {"id": stage.tariff_id, "name": "Default", "features": FEATURES}
    await stage.done("panel/tariff/update", tariff=default)
    await furnish_trackers(stage)
    for name, color in (("Electric", "1122AA"), ("Leased", "AA2211")):
        await stage.done("tag/create", tag={"name": name, "color": color})
    await stage.done("tracker/group/create", title="Hamburg", color="FF6600")
    await stage.done("subuser/tracker/bind", subuser_id=SUB, trackers=[COURIER])
    assert await stage.tariff(price=0) == TARIFF
    await stage.bundle()
    await stage.sim()
    await stage.order()
    for name in (
        "tracker/sensor/create",
        "tracker/rule/create",
        "vehicle/create",
        "status/listing/create",
        "status/create",
        "status/listing/tracker/assign",
        "tracker/command/create",
        "tracker/counter/value/set",
        "panel/subpaas/create",
    ):
        await stage.done(name, **{**SAMPLES[name], **FURNISHED.get(name, {})})
    await stage.done("tracker/sensor/create", tracker_id=COURIER, sensor=IGNITION)
    now = stage.clock.now
    async with stage.services.database.begin() as connection:
        await connection.execute(
            update(dealers).where(dealers.c.id == SUBDEALER).values(block_status="NOT_BLOCKED")
        )
        await connection.execute(
            insert(activation_codes).values(
                code=CODE,
                dealer_id=stage.dealer_id,
                tariff_id=TARIFF,
                bonus_amount=0,
                free_days=30,
                created_at=now,
            )
        )
        await connection.execute(
            insert(api_keys).values(hash=KEY, user_id=USER, title="Old one", created_at=now)
        )
        key = session_key(CODE_HASH)
        await connection.execute(
            insert(sessions).values(
                key=key,
                user_id=USER,
                kind=SessionKind.SECOND_FACTOR.value,
                created_at=now,
                expires_at=now + CODE_LIFE,
                code=digest_of(key, LOGIN_CODE),
            )
        )
    stage.hashes["code"] = CODE_HASH


async def furnish_trackers(stage: Stage) -> None:
    """Makes the trackers; the courier was seen two minutes ago."""
    stage.clock.pass_(-120)
    model = {"model": "qlgv65"}
    courier = await stage.device(**model, device_id=DEVICE_ID, phone=PHONE, **APN)
    van = await stage.device(label="Van", phone="79123122313")
    theirs = await stage.device("stranger")
    copy = await stage.clone(theirs)
    new = await stage.active(label="New", phone="79123122314")
    replacing = {"model": "telfmb120", "plugin_id": 44, "phone": "79123122315"}
    await stage.done(
        "tracker/replace", tracker_id=new["id"], device_id="350000000000900", **replacing
    )
    twin = await stage.device(label="Twin", **model)
    lock = await stage.device(label="Lock")
    await stage.become(lock, "jointech_jt701")
    made = [courier["id"], van["id"], theirs["id"], copy, new["id"], twin["id"], lock["id"]]
    assert made == [COURIER, VAN, THEIRS, COPY, NEW, TWIN, LOCK]
    await stage.connect(courier)
    await stage.position(courier)
    await stage.position(new)
    stage.clock.pass_(120)
