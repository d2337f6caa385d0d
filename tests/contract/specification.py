"""What the specification documents: 45 actions with their codes, and which of these cannot come.

Actions are named as they are called: ``tracker/read``, ``panel/tracker/read``.
"""

from __future__ import annotations

from waypost.catalog import actions
from waypost.catalog.actions import Action

_USER = """
read list corrupt delete change_phone get_diagnostics get_fuel get_inputs get_last_gps_point
get_readings get_state get_states list_models tags/set location_request register register_retry
register_quick replace replace_quick replace_retry send_command raw_command/send
settings/tracking/read settings/tracking/update
"""

_PANEL = """
active/history/list bundle/assign bundle/order/assign bundle/import bundle/list bundle/read
bundle/update clone console/connect corrupt batch_delete_clones delete_clone list move read
register_entry settings/update source/update tariff/change raw_command/send
"""

#: The actions of the specification, in its order.
SPECIFIED = (
    *(f"tracker/{path}" for path in _USER.split()),
    *(f"panel/tracker/{path}" for path in _PANEL.split()),
)

#: Documented codes that an action cannot answer, and why.
SETTLED: dict[tuple[str, int], str] = {
    ("panel/tracker/bundle/import", 201): "nothing is looked up but the equipment (204) and the "
    "IMEIs (247)",
}


#: Parameters that are printed without "optional" and may be left out, and why.
LENIENT: dict[tuple[str, str], str] = {
    ("panel/tracker/settings/update", "comment"): "optional in newer documents",
    ("panel/tracker/bundle/assign", "iccid"): "without one the SIM card is taken off",
    ("panel/dealer/settings/image/upload", "file"): "a missing file has a code of its own, 233",
    ("tracker/avatar/upload", "file"): "a missing file has a code of its own, 233",
    ("tracker/sensor/calibration_data/upload_omnicomm", "file"): "a missing file is 233",
    ("vehicle/batch_convert", "batch"): "or a file",
    **{
        (action, name): "has a value of its own where it is left out"
        for action in ("tracker/rule/create", "tracker/rule/update")
        for name in ("description", "zone_ids", "trackers", "param", "alerts", "suspended")
    },
    ("api/key/delete", "key"): "older clients call it `api_key`",
}

#: Documented parameters that mean nothing here, and why.
UNTAKEN: dict[tuple[str, str], str] = {
    ("vehicle/batch_convert", "file_id"): "files come with the call itself",
    ("vehicle/batch_convert", "geocoder"): "addresses are taken as they are written",
}

#: Bounds with a documented code of their own instead of 7.
OWN_CODE: dict[tuple[str, str], int] = {
    ("tracker/sensor/batch_list", "trackers"): 221,
    ("tracker/stats/mileage/read", "trackers"): 221,
}


def split(name: str) -> tuple[str, str]:
    """API and path of a name."""
    api, _, path = name.partition("/")
    return ("panel", path) if api == "panel" else ("user", name)


def name_of(api: str, path: str) -> str:
    """How an action is called."""
    return f"panel/{path}" if api == "panel" else path


def documented(name: str) -> Action:
    """What the documents say of an action. Raises KeyError."""
    api, path = split(name)
    return actions.all_actions(api)[path]  # type: ignore[index]


def documented_codes(name: str) -> list[int]:
    """The codes on an action's page, in its order."""
    return list(dict.fromkeys(error.code for error in documented(name).errors))
