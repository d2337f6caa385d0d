"""Tracking profiles and special settings: what ``update`` accepts and what it answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost.catalog import fields, profiles, sensors, special_settings
from waypost.catalog.fields import FieldError

TELFM = {
    "tracking_angle": 30,
    "tracking_distance": 100,
    "tracking_interval": 60,
    "on_stop_tracking_interval": 180,
    "sleep_mode": "disabled",
    "stop_detection": "ignition",
}


def faults(name: str, values: dict[str, Any]) -> dict[str, str]:
    return {fault.field: fault.error for fault in profiles.validate(name, values)[1]}


@pytest.mark.parametrize("name", profiles.all_profiles())
def test_the_documented_example_is_accepted(name: str) -> None:
    row = profiles.all_profiles()[name]
    assert profiles.validate(name, row.example) == (row.example, [])


@pytest.mark.parametrize("name", profiles.all_profiles())
def test_the_first_settings_are_acceptable(name: str) -> None:
    first = profiles.defaults(name)
    assert profiles.validate(name, first) == (first, [])


def test_every_profile() -> None:
    assert len(profiles.all_profiles()) == 139
    assert profiles.profile("none") is None
    with pytest.raises(KeyError):
        profiles.validate("none", {})


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("tracking_angle", 9, "must be from 10 to 255"),
        ("tracking_angle", 256, "must be from 10 to 255"),
        ("tracking_interval", "soon", "must be a whole number"),
        ("tracking_interval", 30.5, "must be a whole number"),
        ("tracking_interval", True, "must be a whole number"),
        ("tracking_interval", None, "may not be null"),
        ("tracking_interval", [30], "must be a whole number"),
        ("tracking_interval", float("inf"), "must be a whole number"),
        ("sleep_mode", "deep", "must be one of disabled, soft_sleep"),
        ("sleep_mode", {}, "must be text"),
        ("psm_mode", 1, "unknown field"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any, error: str) -> None:
    assert faults("telfm", {**TELFM, field: value}) == {field: error}


def test_a_missing_field_is_named() -> None:
    assert set(faults("telfm", {})) == set(TELFM)


def test_numbers_sent_as_text_are_numbers() -> None:
    clean, errors = profiles.validate("telfm", {**TELFM, "tracking_angle": "30"})
    assert (clean["tracking_angle"], errors) == (30, [])
    clean, errors = profiles.validate("telfm", {**TELFM, "tracking_angle": 30.0})
    assert (clean["tracking_angle"], type(clean["tracking_angle"]), errors) == (30, int, [])


def test_fields_needed_only_with_others() -> None:
    assert faults("atrack", {}) == {}
    assert faults("atrack", {"control_mode": "acc"}) == {"on_stop_tracking_interval": "is required"}
    tracker = {"mode": "TRACKER"}
    base = {name: profiles.defaults("cguard_asset")[name] for name in ("psm_interval",)}
    base |= {"tracking_interval": 60, "tracking_distance": 100, "tracking_angle": 45}
    assert faults("cguard_asset", base | tracker) == {}
    assert set(faults("cguard_asset", base | {"mode": "ASSET"})) == {
        "wakeup_type",
        "moving_detection",
    }


@pytest.mark.parametrize("wrong", ["24:00", "9:00", "09:60", "0900", "", "09:00\n", "٠٩:٠٠"])
def test_a_time_of_day_is_written_as_documented(wrong: str) -> None:
    values = profiles.all_profiles()["gl500"].example
    assert faults("gl500", {**values, "wakeup_time": wrong}) == {
        "wakeup_time": "must be written as HH:mm"
    }


@pytest.mark.parametrize("name", special_settings.all_types())
def test_the_documented_special_settings_are_accepted(name: str) -> None:
    row = special_settings.all_types()[name]
    if row.example or not row.fields:
        assert special_settings.validate(name, row.example) == (row.example, [])


def test_every_type_of_special_settings() -> None:
    assert len(special_settings.all_types()) == 53


@pytest.mark.parametrize(("given_", "stored"), [(90, 90), (91, 105), (3825, 3825), (3824, 3825)])
def test_a_value_between_steps_is_rounded_up(given_: int, stored: int) -> None:
    values = special_settings.all_types()["tow_detection_ql"].example
    clean, errors = special_settings.validate(
        "tow_detection_ql", {**values, "rest_duration": given_}
    )
    assert (clean["rest_duration"], errors) == (stored, [])


def test_inner_fields_are_named_by_their_path() -> None:
    values = {"capacity": 1, "items": [{"phone": "not a number"}]}
    assert special_settings.validate("call_button", values)[1] == [
        FieldError("items.0.phone", "must match ^[0-9]{10,15}$")
    ]
    crowd = {"capacity": 1, "items": [{"phone": "45641784111"}] * 2}
    assert special_settings.validate("call_button", crowd)[1] == [
        FieldError("items", "must have 0 to 1 items")
    ]
    assert special_settings.validate("call_button", {"capacity": 2, "items": []})[1] == [
        FieldError("capacity", "must be 1")
    ]


def test_a_password_may_be_null_and_a_date_only_sometimes() -> None:
    lock = {"password": None, "remember_password": True}
    assert special_settings.validate("hhd_lock_password", lock) == (lock, [])
    dates: dict[str, Any] = {"activities_start_time": None, "activities_end_time": None}
    overview = {"data_type": "overview", **dates}
    assert special_settings.validate("teltonika_tacho_request", overview) == (overview, [])
    wrong = special_settings.validate(
        "teltonika_tacho_request", {"data_type": "activities", **dates}
    )
    assert [fault.field for fault in wrong[1]] == list(dates)


def test_both_printed_names_of_a_field() -> None:
    values = dict(special_settings.all_types()["hbm_telfm"].example)
    values["max_cornering_force"] = values.pop("max_angular_velocity")
    clean, errors = special_settings.validate("hbm_telfm", values)
    assert (clean["max_angular_velocity"], errors) == (0.1, [])


def test_commands_of_special_settings() -> None:
    both = ("electronic_lock_command", "set_special_settings_command")
    assert special_settings.commands_for("jointech_lock_password") == both
    assert special_settings.commands_for("time_shift") == ("set_special_settings_command",)
    assert special_settings.commands_for("time_shift, vg_lock_password") == (both[1], both[0])
    assert special_settings.commands_for("none") == ()
    assert special_settings.command_codes("electronic_lock_command") == ("seal", "unseal")


def test_documented_sensors_are_accepted() -> None:
    ignition = {
        "sensor_type": "virtual_ignition",
        "name": "Virtual Ignition",
        "input_name": "board_voltage",
        "parameters": {
            "calc_method": "in_range",
            "range_from": 13.4,
            "value_titles": [{"value": "0", "title": "Off"}, {"value": "1", "title": "On"}],
        },
    }
    table = sensors.sensors().objects["virtual"]
    assert fields.validate(table, ignition) == (ignition, [])
    ignition["parameters"]["value_titles"][1]["value"] = "0"  # type: ignore[index]
    assert fields.validate(table, ignition)[1] == [
        FieldError("parameters.value_titles", "has two items with the same value")
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
TABLES = [
    *(row.fields for row in profiles.all_profiles().values()),
    *(row.fields for row in special_settings.all_types().values()),
    *sensors.sensors().objects.values(),
]


@given(st.data())
def test_whatever_is_sent_is_accepted_or_named(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(TABLES))
    values = {name: data.draw(ANYTHING) for name in table}
    clean, errors = fields.validate(table, values)
    assert {fault.field.partition(".")[0] for fault in errors} <= set(table)
    if not errors:
        assert fields.validate(table, clean) == (clean, [])
