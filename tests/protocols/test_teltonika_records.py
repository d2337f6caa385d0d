"""What is read of a Teltonika device's records."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teltonika_packets import IMEI, TIME, element_lists, packet, record, records

from waypost.catalog import vocabulary
from waypost.protocols.base import Decoded, Device, ProtocolError
from waypost.protocols.teltonika import Teltonika
from waypost.protocols.teltonika.avl import VARIABLE, families, family_of, table_for
from waypost.protocols.teltonika.plans import (
    COMPILE_AFTER,
    MOST_PLANS,
    MOST_SEEN,
    find_plan,
    shape_of,
)
from waypost.protocols.teltonika.records import LAYOUTS, Reader, read_record
from waypost.telemetry.message import Cell, Message

DEVICE = Device(IMEI, "telfmb920")


def decode(frame: bytes, device: Device | None = DEVICE, **known: Any) -> Decoded:
    return Teltonika().decode(frame, device, **known)


def one(data: bytes, model: str | None = "FMB920", codec: int = 0x8E) -> Message:
    """The message of a packet with one record."""
    (message,) = decode(records(data, codec=codec), Device(IMEI, model)).messages
    return message


def values(elements: dict[int, list[tuple[int, int]]], model: str | None = "FMB920") -> Any:
    return one(record(elements), model).values


class TestPlace:
    def test_signs(self) -> None:
        message = one(record(latitude=-337_335_583, longitude=-707_196_233, altitude=-4))
        assert (message.latitude, message.longitude) == (-33.7335583, -70.7196233)
        assert (message.altitude, message.heading, message.speed) == (-4, 90, 50)
        assert message.valid
        assert message.satellites == 12

    def test_without_satellites_it_is_the_last_known_place(self) -> None:
        message = one(record(satellites=0, speed=0))
        assert message.has_location
        assert not message.valid

    @pytest.mark.parametrize("place", [(0, 0), (1_000_000_000, 0), (0, 1_900_000_000)])
    def test_what_is_no_place_on_earth(self, place: tuple[int, int]) -> None:
        message = one(record(latitude=place[0], longitude=place[1], speed=7))
        assert not message.has_location
        assert not message.valid
        assert (message.altitude, message.speed, message.heading) == (None, None, None)
        assert message.time == TIME

    def test_hdop(self) -> None:
        message = one(record({2: [(182, 8), (181, 13)]}))
        assert message.hdop == 0.8
        assert message.values == {"pdop": 1.3}


#: (model, size, AVL id, raw) -> what it gives; None: nothing at all.
MEANINGS = [
    (None, 1, 239, 1, {"ignition": True}),
    (None, 1, 240, 0, {"is_moving": False}),
    (None, 2, 66, 12_345, {"board_voltage": 12.345}),
    (None, 2, 67, 4023, {"battery_voltage": 4.023}),
    (None, 1, 113, 87, {"battery_level": 87}),
    ("FMB920", 1, 113, 255, {}),
    (None, 4, 16, 41_397, {"hardware_mileage": 41.397}),
    ("FMB120", 4, 72, 215, {"temperature_1": 21.5}),
    ("FMB120", 4, 73, -55, {"temperature_2": -5.5}),
    ("FMB120", 4, 74, 3000, {}),
    ("FMB120", 4, 75, 850, {}),
    ("FMB640", 2, 6, -100, {"temperature_5": -10.0}),
    ("FMB120", 2, 6, 1500, {"analog_2": 1.5}),
    ("FM1100", 2, 10, 1500, {"analog_2": 1.5}),
    ("FMB120", 1, 10, 1, {"avl_io_10": 1}),
    ("FMB640", 2, 11, 3300, {"analog_3": 3.3}),
    ("FMB120", 8, 11, 8_938_001_150, {"avl_io_11": 8_938_001_150}),
    ("FMB120", 2, 25, -1187, {"ble_temp_sensor_1": -11.87}),
    ("FMB120", 2, 25, 32_767, {}),
    ("FMB640", 2, 25, 905, {"can_engine_temp": 90.5}),
    ("FMB120", 2, 86, 455, {"ble_humidity_1": 45.5}),
    ("FMB120", 2, 86, 32_735, {}),
    ("FMB120", 1, 32, -10, {"obd_coolant_t": -10}),
    ("FMB120", 2, 36, 1439, {"obd_rpm": 1439}),
    ("FMB120", 1, 37, 90, {"obd_speed": 90}),
    ("FMB640", 1, 37, 90, {"can_fuel": 90}),
    ("FMB120", 4, 102, 4371, {"can_engine_hours": 72.85}),
    ("FM6320", 4, 104, 4371, {"can_engine_hours": 4371}),
    ("FM6320", 4, 80, 84, {"can_speed": 84}),
    ("FMB120", 1, 80, 5, {"avl_io_80": 5}),
    ("FM6320", 4, 216, 256_909_985, {"hardware_mileage": 256_909.985}),
    ("FM6320", 4, 113, -160_635, {}),
    ("TMT250", 1, 116, 1, {"charging": True}),
    ("FMB120", 2, 201, 512, {"fuel_level_1": 512}),
    ("FMB120", 2, 201, -4, {}),
    ("FMB120", 1, 202, -7, {"fuel_temperature_1": -7}),
    ("FMB120", 8, 78, 0x01000B00791C1793, {"hardware_key": "93171C79000B0001"}),
    ("FMB120", 8, 78, 0, {}),
    ("FMB120", 8, 207, 0xA1B2C3, {"hardware_key": "0000000000A1B2C3"}),
    ("FMB120", 4, 241, 24_602, {"gsm_network": "24602"}),
    ("FMB120", 4, 241, 0, {}),
    ("FMB120", 1, 21, 5, {"gsm_level": 100}),
    ("FMB120", 4, 449, 5400, {"engine_hours": 1.5}),
    ("FMB120", 2, 17, -27, {"axis_x": -0.027}),
    ("FM6320", 2, 236, -27, {"axis_x": -0.027}),
    ("FMB120", 1, 10_808, 1, {"ble_magnet_sensor_1": True}),
    ("FMB120", 2, 4242, 7, {"avl_io_4242": 7}),
    ("FMB120", 1, 53, -3, {"avl_io_53": -3}),
]


class TestMeanings:
    @pytest.mark.parametrize(("model", "size", "avl_id", "raw", "expected"), MEANINGS)
    def test_element(
        self, model: str | None, size: int, avl_id: int, raw: int, expected: dict[str, Any]
    ) -> None:
        assert values({size: [(avl_id, raw)]}, model) == expected

    def test_lines_are_masks(self) -> None:
        elements = {1: [(1, 1), (2, 0), (3, 1), (179, 0), (180, 1), (380, 1)]}
        assert values(elements) == {"input_status": 0b101, "output_status": 0b110}
        assert values({1: [(4, 1), (50, 1)]}, "FMB640") == {
            "input_status": 0b1000,
            "output_status": 0b100,
        }

    def test_doors(self) -> None:
        found = values({2: [(90, 0x1100)]}, "FMB120")
        assert {name for name, is_open in found.items() if is_open} == {
            "can_door_state",
            "can_door_driver_state",
            "can_front_left_door",
            "can_hood_state",
        }
        assert found["can_trunk_state"] is False

    def test_serving_cell(self) -> None:
        message = one(record({2: [(205, 5392), (206, 7021)], 4: [(241, 24_602)]}))
        assert message.cells == [Cell(7021, 5392, 246, 2)]
        assert message.values == {"gsm_network": "24602"}
        wide = one(record({2: [(205, 0), (206, 7021)], 4: [(636, 238_008_613), (241, 310_260)]}))
        assert wide.cells == [Cell(7021, 238_008_613, 310, 260)]
        assert one(record({2: [(205, 0), (206, 7021)]})).cells is None
        assert values({2: [(205, 5392)]}) == {"avl_io_205": 5392}

    def test_neighbour_cells(self) -> None:
        elements = {
            1: [(289, 45), (292, 42)],
            2: [(287, 27_009), (288, 18_391), (290, 27_009), (291, 0), (1200, 3), (1201, 3)],
            4: [(241, 25_501)],
        }
        assert one(record(elements), "TAT100").cells == [Cell(27_009, 18_391, 255, 3, -45)]

    def test_numbers_of_vehicles(self) -> None:
        vin = b"WV1ZZZ2EZ86015388"
        texts = [
            (256, vin),
            (281, b"P0299,P0675"),
            (387, b"+5441.4+02515.6/"),
            (700, b"\x01\x02"),
        ]
        assert one(record(variable=texts)).values == {
            "vin": vin.decode(),
            "obd_dtc_codes": "P0299,P0675",
            "avl_io_387": "+5441.4+02515.6/",
            "avl_io_700": "0102",
        }
        parts = [(233 + n, int.from_bytes(vin[8 * n : 8 * n + 8], "big")) for n in range(3)]
        elements = {1: parts[2:], 8: parts[:2]}
        assert one(record(elements, codec=0x10), "FM6320", 0x10).values == {"vin": vin.decode()}

    def test_the_speed_of_the_configured_source(self) -> None:
        assert one(record({2: [(24, 48)]}), "FMB130").speed == 48
        assert one(record({2: [(24, 48)]}), None).speed == 50
        assert one(record({2: [(24, 48)]}), None).values == {"avl_io_24": 48}

    def test_what_families_do_not_agree_on_has_no_name_for_an_unknown_model(self) -> None:
        elements = {1: [(22, 3), (31, 40), (239, 1)]}
        message = one(record(elements, codec=8), None, 8)
        assert message.values == {"avl_io_22": 3, "avl_io_31": 40, "ignition": True}
        # By its codec it is one of the FMB platform.
        assert values(elements, None)["obd_engine_load"] == 40

    @pytest.mark.parametrize(
        ("model", "family"),
        [
            ("telfmb920", "fmb"),
            ("FMC130", "fmb"),
            ("teltonika_fmc130", "fmb"),
            ("telfmu130_fmc130_234", "fmb"),
            ("telfmm00a", "obd"),
            ("FMB001", "obd"),
            ("FM3001", "obd"),
            ("telfmb640", "professional"),
            ("FM6320", "professional"),
            ("FMC650", "professional"),
            ("telfm4200", "legacy"),
            ("FM36M1", "legacy"),
            ("FM1100", "legacy"),
            ("TAT100", "asset"),
            ("GH5200", "asset"),
            ("GH3000", "handheld"),
            ("gl200", None),
            (None, None),
        ],
    )
    def test_families_of_models(self, model: str | None, family: str | None) -> None:
        assert family_of(model) == family

    def test_names_and_events_are_the_vocabularys(self) -> None:
        for section, family in families().items():
            for element in family.elements:
                standard = not element.name.startswith("avl_io_")
                if (
                    element.kind in ("number", "bool", "line", "text", "ibutton", "hex")
                    and standard
                ):
                    assert vocabulary.is_standard(element.name), (section, element.id)
                for name in element.flags:
                    assert vocabulary.is_standard(name), (section, element.id)
            for trigger in family.events:
                numbers = [*trigger.values.values()]
                numbers += [] if trigger.any is None else [trigger.any]
                assert all(vocabulary.event(number) for number in numbers), (section, trigger.io)


EVENTS = [
    ("FMB120", 239, 1, 605),
    ("FMB120", 239, 0, 604),
    ("FMB120", 240, 1, 406),
    ("FMB120", 240, 0, 407),
    ("FMB120", 246, 1, 101),
    ("FMB120", 247, 1, 242),
    ("FMB120", 247, 5, None),
    ("FMB120", 249, 1, 117),
    ("FMB120", 251, 1, 302),
    ("FMB640", 251, 1, None),
    ("FMB640", 243, 1, 302),
    ("FMB120", 252, 1, 2),
    ("FMB120", 252, 0, 4),
    ("FMB001", 252, 1, 5),
    ("FM1100", 252, 1, None),
    ("FMB120", 253, 1, 240),
    ("FMB120", 253, 2, 241),
    ("FMB120", 253, 3, 239),
    ("FMB120", 255, 95, 224),
    ("FMB120", 200, 2, 9),
    ("FMB120", 200, 0, 8),
    ("TMT250", 236, 1, 202),
    ("FMB120", 1, 0, 501),
    ("FMB120", 179, 1, 551),
    ("FMB120", 77, 9, None),
]


class TestEvents:
    @pytest.mark.parametrize(("model", "avl_id", "raw", "event"), EVENTS)
    def test_event(self, model: str, avl_id: int, raw: int, event: int | None) -> None:
        message = one(record({1: [(avl_id, raw)]}, event=avl_id), model)
        assert message.event_id == event
        assert message.values["event_code"] == str(avl_id)
        assert message.values["sub_event_code"] == str(raw)

    def test_a_periodic_record_has_none(self) -> None:
        message = one(record({1: [(239, 1)]}))
        assert message.event_id is None
        assert message.values == {"ignition": True}

    def test_an_event_without_its_element(self) -> None:
        assert one(record({1: [(239, 1)]}, event=253)).event_id is None
        assert one(record(event=255)).event_id == 224


class TestBeacons:
    def test_list(self) -> None:
        uuid = bytes(range(16))
        data = b"\x11\x21" + uuid + b"\x02\x0b\x01\x0a\xd0" + b"\x01" + uuid + b"\xc6"
        assert one(record(variable=[(385, data)], event=385)).values["avl_io_385"] == [
            {"uuid": uuid.hex(), "major": 523, "minor": 266, "rssi": -48},
            {"namespace": uuid[:10].hex(), "instance": uuid[10:].hex(), "rssi": -58},
        ]

    def test_advanced(self) -> None:
        data = bytes.fromhex("010f0001c60106babbf36300550202806d0b0001cf0106cabbf3630055")
        assert one(record(variable=[(548, data)])).values["avl_io_548"] == [
            {"rssi": -58, "id": "babbf3630055", "data": {"voltage": 3.09}},
            {"rssi": -49, "id": "cabbf3630055"},
        ]

    def test_sensor(self) -> None:
        data = (
            bytes.fromhex("0117")
            + b"\x05\x03Box"
            + bytes.fromhex("0f067cd9f4110c4006020c8f0701340e020c1c")
        )
        data = data[:1] + bytes((len(data) - 2,)) + data[2:]
        assert one(record(variable=[(11317, data)])).values["avl_io_11317"] == [
            {
                "name": "Box",
                "mac": "7c:d9:f4:11:0c:40",
                "temperature": 32.15,
                "humidity": 52,
                "voltage": 3.1,
            }
        ]

    @settings(max_examples=100, deadline=None)
    @given(avl_id=st.sampled_from([385, 548, 10829, 10831, 11317]), data=st.binary(max_size=80))
    def test_any_bytes(self, avl_id: int, data: bytes) -> None:
        found = one(record(variable=[(avl_id, data)])).values[f"avl_io_{avl_id}"]
        msgspec.json.encode(found)


class TestPlans:
    """The compiled readers give what the careful one gives."""

    @settings(max_examples=100, deadline=None)
    @given(data=st.data())
    def test_same_messages(self, data: st.DataObject) -> None:
        codec = data.draw(st.sampled_from([0x08, 0x8E, 0x10]))
        model = data.draw(st.sampled_from([None, "FMB120", "FMB640", "FM1100", "TMT250"]))
        most = 255 if codec == 8 else 65_535
        elements = data.draw(element_lists(most))
        table = table_for(model, codec)
        parts = []
        for index in range(data.draw(st.integers(1, 5))):
            again = {
                size: [
                    (avl_id, data.draw(st.integers(0, 2 ** (8 * size) - 1)) if index else raw)
                    for avl_id, raw in group
                ]
                for size, group in elements.items()
            }
            events = [0, *(avl_id for group in elements.values() for avl_id, _ in group)]
            parts.append(
                record(
                    again,
                    codec=codec,
                    time=data.draw(st.integers(0, 2**64 - 1)),
                    latitude=data.draw(st.sampled_from([0, 1, -900_000_001, 546_900_000])),
                    longitude=data.draw(st.sampled_from([0, -1, 1_800_000_001, -252_600_000])),
                    altitude=data.draw(st.integers(-32_768, 32_767)),
                    satellites=data.draw(st.integers(0, 20)),
                    event=data.draw(st.sampled_from(events)),
                )
            )
        body = b"".join(parts)
        reader = Reader(body, 0, len(body))
        careful = [read_record(reader, codec, table) for _ in parts]
        plan = None
        for _ in range(COMPILE_AFTER):
            plan = find_plan(table, codec, body, 0, len(body))
        if plan is None:
            return  # an id twice, or one that is never compiled
        assert plan.run(body, 0, len(body), len(parts)) == len(parts)
        fast: list[Message] = []
        plan.read(body, fast)
        assert fast == careful

    def test_records_of_several_shapes_in_one_packet(self) -> None:
        shapes: list[dict[int, list[tuple[int, int]]]] = [
            {1: [(239, 1)]},
            {1: [(239, 1)], 2: [(66, 12_000)]},
            {1: [(240, 1)], 2: [(66, 12_000)]},
            {},
        ]
        order = [shapes[number % 7 % 4] for number in range(3 * COMPILE_AFTER)]
        parts = [record(elements, time=TIME + n) for n, elements in enumerate(order)]
        parts.append(record({1: [(239, 1)]}, variable=[(256, b"VIN")]))
        protocol = Teltonika()
        for _ in range(3):
            decoded = protocol.decode(records(*parts), DEVICE)
            assert [message.digest_of for message in decoded.messages] == parts
            for message, elements in zip(decoded.messages, order, strict=False):
                assert len(message.values) == sum(map(len, elements.values()))
            assert decoded.messages[-1].values == {"ignition": True, "vin": "VIN"}

    def test_another_model_is_read_anew(self) -> None:
        protocol = Teltonika()
        frame = records(*[record({2: [(18, 100)]})] * COMPILE_AFTER)
        for _ in range(2):
            assert "axis_y" in protocol.decode(frame, DEVICE).messages[0].values
            other = protocol.decode(frame, Device(IMEI, "FMB640"))
            assert "can_fuel_rate" in other.messages[0].values

    def test_a_flood_of_combinations_is_forgotten(self) -> None:
        table = table_for("FMT100", 0x8E)
        for number in range(MOST_SEEN + 10):
            data = record({1: [(number, 1)]})
            find_plan(table, 0x8E, data, 0, len(data))
        assert len(table.seen) <= MOST_SEEN
        table.seen.clear()
        for number in range(MOST_PLANS + 10):
            data = record({1: [(20_000 + number, 1)]})
            table.seen[(0x8E, *_shape(data))] = COMPILE_AFTER
            assert find_plan(table, 0x8E, data, 0, len(data)) is not None
        assert len(table.plans) <= MOST_PLANS


def _shape(data: bytes) -> tuple[bytes, ...]:
    shape = shape_of(LAYOUTS[0x8E], data, 0, len(data))
    assert shape is not None
    return shape


class TestHandhelds:
    def test_codec_7(self) -> None:
        place = bytes.fromhex("ff4231c2c141d0beb9003d4007050064 83ff03".replace(" ", "")) + (
            24_602
        ).to_bytes(4, "big")
        data = bytes.fromhex("4c61410b03") + place + b"\x02\x01\x57\xf0\x01"
        (message,) = decode(packet(b"\x07\x01" + data + b"\x01"), Device(IMEI, "GH3000")).messages
        assert message.time == 1_375_309_835_000
        assert message.latitude == pytest.approx(44.4401894, abs=1e-6)
        assert (message.altitude, message.heading, message.speed) == (61, 90.0, 7)
        assert message.satellites == 5
        assert message.cells == [Cell(100, 0x83FF, 246, 2)]
        assert message.values == {
            "gsm_level": 60,
            "gsm_network": "24602",
            "battery_level": 0x57,
            "is_moving": True,
        }
        for end in range(len(data)):
            with pytest.raises(ProtocolError):
                decode(packet(b"\x07\x01" + data[:end] + b"\x01"))


def test_an_element_of_any_length_has_a_meaning() -> None:
    assert table_for("FMB120", 0x8E).element(256, VARIABLE).name == "vin"
    assert table_for("FMB120", 0x8E).element(9999, VARIABLE).name == "avl_io_9999"
