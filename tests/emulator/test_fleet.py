"""The demo's vehicles are always the same, and can be registered as they are."""

from __future__ import annotations

import pytest

from waypost.catalog import models
from waypost.emulator.devices import kinds
from waypost.emulator.fleet import EmulatorError, demo_devices, numbered_ids
from waypost.fleet.device_ids import checked, has_check_digit
from waypost.protocols import all_protocols
from waypost.protocols.base import Transport


def test_demo_vehicles_fit_their_models() -> None:
    devices = demo_devices(200)
    assert len({device.device_id for device in devices}) == 200
    assert len({device.label for device in devices}) == 200
    for device in devices:
        model = models.model(device.model)
        assert model is not None
        assert model.register
        assert checked(model.id_type, device.device_id) == device.device_id
        if model.id_type == "imei":
            assert has_check_digit(device.device_id)
        assert device.transport in all_protocols()[device.protocol].transports


def test_twenty_demo_vehicles_speak_everything() -> None:
    devices = demo_devices(20)
    assert devices[:5] == demo_devices(5)
    assert {device.transport for device in devices} == set(Transport)
    assert {device.protocol for device in devices} == set(kinds())


def test_ids_count_on_from_the_first() -> None:
    assert numbered_ids("359999999999998", 2) == ["359999999999998", "359999999999999"]
    assert numbered_ids("truck-008", 3) == ["truck-008", "truck-009", "truck-010"]
    assert numbered_ids("truck", 1) == ["truck"]
    for first, count in (("truck", 2), ("truck-9", 2)):
        with pytest.raises(EmulatorError):
            numbered_ids(first, count)
