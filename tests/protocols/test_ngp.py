"""The generic protocol: what is documented is read one to one, everything else is refused with a
text that says what was wrong."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waypost.catalog.ngp import attributes
from waypost.protocols.base import (
    Hello,
    HttpReply,
    HttpRequest,
    MqttPublish,
    ProtocolError,
    Transport,
)
from waypost.protocols.ngp import MOST_ITEMS, Ngp
from waypost.telemetry.message import GNSS, LBS, Cell, Message, Wifi, iso_time

MINIMUM = {"message_time": "2026-02-05T06:00:11Z", "device_id": "1112312212"}


def post(content: Any, method: str = "POST") -> HttpRequest:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return HttpRequest(method, "/", {"content-type": "application/json"}, body)


def read(**attributes: Any) -> Message:
    (message,) = Ngp(Transport.HTTP).decode(post(MINIMUM | attributes), None).messages
    return message


def refused(content: Any) -> str:
    with pytest.raises(ProtocolError) as caught:
        Ngp(Transport.HTTP).decode(post(content), None)
    return str(caught.value)


def test_the_least_message() -> None:
    decoded = Ngp(Transport.HTTP).decode(post(MINIMUM), None)
    assert decoded.hello == Hello(["1112312212"])
    assert isinstance(decoded.reply, HttpReply)
    assert decoded.reply.status == 200
    (message,) = decoded.messages
    assert iso_time(message.time) == "2026-02-05T06:00:11Z"
    assert not message.has_location


def test_everything_documented() -> None:
    message = read(
        version="1.2",
        location={
            "latitude": 34.159296,
            "longitude": -118.461413,
            "altitude": 12.5,
            "gnss_time": "2026-02-05T06:00:09.250Z",
            "fix_type": "FIX_3D",
            "satellites": 9,
            "hdop": 0.9,
            "vdop": 1.1,
            "pdop": 1.4,
            "speed": 40,
            "heading": 360,
            "source_type": "GNSS",
            "precision": 5,
        },
        event_id=605,
        mobile_cells=[
            {"mcc": 310, "mnc": 260, "lac": 1, "cell_id": 2, "rssi": -70, "type": "LTE"},
            {"mcc": 310, "mnc": 260, "lac": 1, "cell_id": 3},
        ],
        wifi_points=[{"mac": "AA-BB-CC-DD-EE-0F", "rssi": -40, "age": 100, "channel": 6}],
        is_moving=True,
        hardware_mileage=12,
        battery_voltage=4.1,
        battery_level=80,
        board_voltage=12.6,
        input_status=5,
        output_status=0,
        analog_1=2.5,
        temperature_internal=30,
        temperature_16=-4.5,
        humidity_2=40,
        fuel_level_3=55.5,
        fuel_temperature_1=18,
        impulse_counter_4=17,
        hardware_key="AB12",
        vin="2T1KR32E28C706185",
        custom_status="ok",
        custom_list=[1, "a"],
        custom_attributes=[{"type": "beacon", "id": 3, "value": {"t": 1}, "units": "degC"}],
    )
    assert iso_time(message.time) == "2026-02-05T06:00:09.250Z"
    assert iso_time(message.device_time) == "2026-02-05T06:00:11Z"
    assert (message.latitude, message.longitude, message.altitude) == (34.159296, -118.461413, 12.5)
    assert (message.speed, message.heading, message.satellites, message.hdop) == (40, 360, 9, 0.9)
    assert (message.valid, message.source, message.precision) == (True, GNSS, 5)
    assert message.event_id == 605
    assert message.cells == [Cell(1, 2, 310, 260, -70, "LTE"), Cell(1, 3, 310, 260)]
    assert message.wifi == [Wifi("aa:bb:cc:dd:ee:0f", -40, 6, 100)]
    assert message.values == {
        "fix_type": "FIX_3D",
        "vdop": 1.1,
        "pdop": 1.4,
        "is_moving": True,
        "hardware_mileage": 12,
        "battery_voltage": 4.1,
        "battery_level": 80,
        "board_voltage": 12.6,
        "input_status": 5,
        "output_status": 0,
        "analog_1": 2.5,
        "temperature_internal": 30,
        "temperature_16": -4.5,
        "humidity_2": 40,
        "fuel_level_3": 55.5,
        "fuel_temperature_1": 18,
        "impulse_counter_4": 17,
        "hardware_key": "AB12",
        "vin": "2T1KR32E28C706185",
        "custom_status": "ok",
        "custom_list": [1, "a"],
        "custom_attributes": [{"type": "beacon", "id": 3, "value": {"t": 1}, "units": "degC"}],
    }


@pytest.mark.parametrize(
    ("location", "valid"),
    [
        ({"satellites": 3}, True),
        ({"satellites": 2}, False),
        ({}, True),
        ({"satellites": 0, "source_type": "LBS"}, True),
        ({"fix_type": "HAS_FIX", "satellites": 5}, True),
        ({"fix_type": "FIX_2D"}, True),
        ({"fix_type": "NO_FIX", "satellites": 9}, False),
        ({"fix_type": "LAST_KNOWN_POSITION"}, False),
    ],
)
def test_doubtful_fixes_are_kept_and_marked(location: dict[str, Any], valid: bool) -> None:
    message = read(location={"latitude": 1, "longitude": 2} | location)
    assert message.has_location
    assert message.valid is valid


def test_positions_that_satellites_did_not_give() -> None:
    message = read(location={"latitude": 1, "longitude": 2, "source_type": "ATLAS"})
    assert message.source == LBS


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-02-05T06:00:11.5Z", "2026-02-05T06:00:11.500Z"),
        ("2026-02-05T06:00:11", "2026-02-05T06:00:11Z"),
        ("2026-02-05T08:00:11+02:00", "2026-02-05T06:00:11Z"),
        ("2026-02-05T01:30:11-0430", "2026-02-05T06:00:11Z"),
        ("2026-02-05 06:00Z", "2026-02-05T06:00:00Z"),
    ],
)
def test_times(text: str, iso: str) -> None:
    assert iso_time(read(message_time=text).time) == iso


def test_what_has_no_standard_name_keeps_its_own() -> None:
    message = read(ignition=True, obd_rpm=900, glow="x", satellites=4, nothing=None)
    assert message.values == {
        "ignition": True,
        "obd_rpm": 900,
        "ngp_glow": "x",
        "ngp_satellites": 4,
    }


def test_the_same_report_written_otherwise_is_the_same() -> None:
    one = read(analog_1=1, location={"latitude": 1, "longitude": 2})
    body = (
        b'{"location": {"longitude": 2, "latitude": 1}, "analog_1": 1, "version": "1.2",'
        b' "event_id": null, "device_id": "1112312212", "message_time": "2026-02-05T06:00:11Z"}'
    )
    (two,) = Ngp(Transport.HTTP).decode(post(body), None).messages
    assert one.digest_of == two.digest_of
    assert one.digest_of != read(analog_1=2).digest_of


@pytest.mark.parametrize("name", ["message_time", "device_id"])
def test_required_attributes(name: str) -> None:
    for content in (
        {key: value for key, value in MINIMUM.items() if key != name},
        MINIMUM | {name: None},
    ):
        assert refused(content) == f"{name} is missing"


WRONG = {
    "boolean": ["true", 1, 0.5, [], {}],
    "integer": ["1", 1.5, True, [], 1 << 63],
    "float": ["1.5", True, {}],
    "string": [1, True, []],
    "timestamp": [
        1770271211,
        "yesterday",
        "2026-02-30T00:00:00Z",
        "2026-02-05",
        "2026-02-05T25:00Z",
    ],
    "object": [[], "x"],
    "array": [{}, "x", ["x"]],
}


@pytest.mark.parametrize("place", ["Root", "location", "mobile_cells", "wifi_points"])
def test_wrong_types_are_named(place: str) -> None:
    whole = {
        "location": {"latitude": 1, "longitude": 2},
        "mobile_cells": {"mcc": 1, "mnc": 1, "lac": 1, "cell_id": 1},
        "wifi_points": {"mac": "aa:bb:cc:dd:ee:ff", "rssi": -1},
    }
    for name, row in attributes(place).items():
        for value in WRONG.get(row.type, []):
            known = name.replace("_n", "_1") if row.index else name
            if place == "Root":
                content = MINIMUM | {known: value}
            elif place == "location":
                content = MINIMUM | {place: whole[place] | {known: value}}
            else:
                content = MINIMUM | {place: [whole[place] | {known: value}]}
            assert known in refused(content)


@pytest.mark.parametrize(
    ("place", "name", "row"),
    [
        (place, name, row)
        for place in ("Root", "location")
        for name, row in attributes(place).items()
        if row.min is not None
    ],
)
def test_ranges(place: str, name: str, row: Any) -> None:
    def content(value: float) -> dict[str, Any]:
        location = {"latitude": 1, "longitude": 2, name: value}
        return MINIMUM | ({name: value} if place == "Root" else {"location": location})

    for bound, step in ((row.min, -1), (row.max, 1)):
        if bound is not None:
            Ngp(Transport.HTTP).decode(post(content(bound)), None)
            assert name in refused(content(bound + step))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 5000, "not JSON"),
        ([MINIMUM], "one JSON object"),
        (MINIMUM | {"device_id": ""}, "1 to 64"),
        (MINIMUM | {"device_id": "x" * 65}, "1 to 64"),
        (MINIMUM | {"vin": "x" * 10_241}, "vin is longer"),
        (MINIMUM | {"custom_a": "ä" * 5121}, "custom_a is longer"),
        (MINIMUM | {"custom_a": {"b": ["x" * 10_241]}}, "custom_a is longer"),
        (MINIMUM | {"custom_" + "a" * 200: 1}, "name"),
        (MINIMUM | {"custom_a": json.loads("[" * 20 + "]" * 20)}, "within each other"),
        (MINIMUM | {"location": {"latitude": 1}}, "go together"),
        (MINIMUM | {"location": {"fix_type": "GOOD"}}, "HAS_FIX"),
        (MINIMUM | {"mobile_cells": [{"mcc": 1, "mnc": 1, "lac": 1}]}, "cell_id of mobile_cells"),
        (MINIMUM | {"wifi_points": [{"mac": "aa:bb", "rssi": -1}]}, "six bytes"),
        (MINIMUM | {"wifi_points": [{}] * (MOST_ITEMS + 1)}, "the most"),
        (MINIMUM | {"custom_attributes": [{"type": "x"}]}, "value of custom_attributes"),
        (MINIMUM | {"custom_attributes": [{"type": "x", "value": "?" * 20_000}]}, "base64"),
    ],
)
def test_what_is_wrong_is_said(content: Any, said: str) -> None:
    assert said in refused(content)


def test_a_blob_may_be_long() -> None:
    blob = base64.b64encode(b"x" * 30_000).decode()
    message = read(custom_attributes=[{"type": "photo", "value": blob}])
    assert message.values["custom_attributes"][0]["value"] == blob


def test_messages_are_posted() -> None:
    with pytest.raises(ProtocolError, match="POST"):
        Ngp(Transport.HTTP).decode(post(MINIMUM, "GET"), None)


def test_mqtt_topic_names_the_device() -> None:
    body = json.dumps(MINIMUM).encode()
    decoded = Ngp(Transport.MQTT).decode(MqttPublish("ngp/1112312212", body), None)
    assert decoded.hello == Hello(["1112312212"])
    assert decoded.reply is None
    assert len(decoded.messages) == 1
    for topic in ("ngp/other", "ngp", "", "x/1112312212"):
        with pytest.raises(ProtocolError, match="topic"):
            Ngp(Transport.MQTT).decode(MqttPublish(topic, body), None)


NAMES = [
    name.replace("_n", "_1") if row.index else name for name, row in attributes("Root").items()
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*attributes("location"), *attributes("mobile_cells"), "mac", "value", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(content=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
def test_any_json(content: dict[str, Any]) -> None:
    with contextlib.suppress(ProtocolError):
        Ngp(Transport.HTTP).decode(post(MINIMUM | content), None)
