"""The message vocabulary and the sensor inputs that the API shows."""

from __future__ import annotations

import pytest

from waypost.catalog import ngp, sensors, vocabulary
from waypost.telemetry import message


@pytest.mark.parametrize(
    "name",
    [
        "temperature_1",
        "temperature_16",
        "temperature_internal",
        "analog_32",
        "fuel_level_3",
        "ignition",
        "is_moving",
        "charging",
        "engine_hours",
        "gsm_level",
        "hardware_mileage",
        "battery_level",
        "input_status",
        "raw_can_1",
        "avl_io_78",
        "obd_rpm",
        "can_fuel_2",
        "door_state_2",
        "obd_vin",
        "vdop",
        "fix_type",
        "custom_anything",
    ],
)
def test_standard_names(name: str) -> None:
    assert vocabulary.is_standard(name)
    assert vocabulary.attribute(name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "_",
        "_1",
        "temperature_0",
        "temperature_01",
        "temperature_17",
        "temperature_n",
        "temperature_",
        "temperature_1_1",
        "temperature_١",
        "raw_can_17",
        "raw_can_99999999999999999999",
        "custom_",
        "rs232_",
        "io_12",
        "latitude",
        "speed",
        "message_time",
        "event_id",
        "mobile_cells",
    ],
)
def test_other_names(name: str) -> None:
    assert not vocabulary.is_standard(name)
    assert vocabulary.attribute(name) is None


def test_what_a_message_has_a_field_for_is_no_value() -> None:
    for field in message.Message.__struct_fields__:
        assert not vocabulary.is_standard(field), field


@pytest.mark.parametrize(
    ("name", "type_", "unit"),
    [
        ("temperature_3", "float", "degC"),
        ("hardware_mileage", "float", "km"),
        ("battery_level", "integer", "%"),
        ("engine_hours", "float", "h"),
        ("ignition", "boolean", None),
        ("hardware_key", "string", None),
        ("obd_rpm", "float", "rpm"),
        ("custom_x", "mixed", None),
    ],
)
def test_type_and_unit(name: str, type_: str, unit: str | None) -> None:
    row = vocabulary.attribute(name)
    assert row is not None
    assert (row.type, row.unit) == (type_, unit)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("hardware_mileage", "hw_mileage"),
        ("temperature_internal", "temp_sensor"),
        ("temperature_2", "ext_temp_sensor_2"),
        ("fuel_level_1", "lls_level_1"),
        ("vin", "obd_vin"),
        ("is_moving", "moving"),
        ("board_voltage", "board_voltage"),
        ("analog_4", "analog_4"),
        ("avl_io_78", "avl_io_78"),
    ],
)
def test_values_are_shown_as_inputs_or_states(name: str, shown: str) -> None:
    assert vocabulary.shown_as(name) == shown
    assert sensors.input_named(shown) or sensors.state_named(shown)


def test_every_input_and_state_is_in_the_vocabulary() -> None:
    table = sensors.sensors()
    assert len(table.inputs) == 224
    assert len(table.states) == 159
    families: list[sensors.Input | sensors.State] = [*table.inputs, *table.states]
    for row in families:
        if row.name == "event_id":  # a field of its own in a message
            continue
        name = f"{row.name}{row.index[0]}" if row.index else row.name
        assert vocabulary.is_standard(name), name


def test_every_attribute_of_the_generic_protocol() -> None:
    assert len(ngp.ngp().attributes) == 53
    assert set(ngp.attributes("mobile_cells")) == {"mcc", "mnc", "lac", "cell_id", "rssi", "type"}
    assert set(ngp.attributes("wifi_points")) == {"mac", "rssi", "age", "channel"}
    location = ngp.attributes("location")
    assert (location["latitude"].min, location["latitude"].max) == (-90, 90)
    assert location["speed"].unit == "km/h"
    assert ngp.attributes()["message_time"].required
    assert ngp.ngp().limits.device_id == 64
    assert ngp.ngp().mqtt.topic == "ngp/{device_id}"


@pytest.mark.parametrize(
    ("event_id", "name"),
    [(202, "SOS button pressed"), (605, "Ignition on"), (401, "Track point (no specific event)")],
)
def test_events(event_id: int, name: str) -> None:
    event = vocabulary.event(event_id)
    assert event is not None
    assert event.name == name


def test_events_nobody_documented() -> None:
    assert len(ngp.events()) == 126
    assert vocabulary.event(0) is None
    assert vocabulary.event(ngp.ngp().custom_events_from) is None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("raw_can_3", "raw_can_"),
        ("obd_rpm", "obd_rpm"),
        ("can_fuel_2", "can_fuel_2"),
        ("analog_33", None),
        ("raw_can_", None),
        ("nothing", None),
    ],
)
def test_an_input_by_its_name(name: str, family: str | None) -> None:
    row = sensors.input_named(name)
    assert (row.name if row else None) == family


def test_replies_that_show_an_input() -> None:
    def groups(name: str) -> tuple[str, ...]:
        row = sensors.input_named(name)
        assert row is not None
        return row.groups

    assert groups("can_fuel") == ("fuel",)
    assert groups("obd_rpm") == ("diagnostics",)
    assert groups("board_voltage") == ("readings",)
    assert groups("rs232_1") == ("fuel", "readings")
    shown = [row.name for row in sensors.sensors().states if row.diagnostics]
    # The 22 that are listed, and the one that only the example shows.
    assert len(shown) == 23
    assert {"obd_vin", "hardware_key", "can_hood_state", "obd_mil_status"} <= set(shown)


def test_sensor_types() -> None:
    assert sensors.sensor_types("virtual") == ("state", "virtual_ignition")
    assert "ignition" in sensors.sensor_types("discrete")
    assert {row.sensor_type for row in sensors.sensors().inputs} <= set(
        sensors.sensor_types("metering")
    )
