"""Every tracking setting of the makers' models becomes commands that their devices can be sent, or
is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instructed import IMEI, can_tell, protocol_of, texts

from waypost.catalog import models, profiles
from waypost.catalog.fields import Field
from waypost.catalog.models import Model
from waypost.protocols.base import Command, CommandError, Device

MAKERS = ("atrack", "wondex", "gt06", "meitrack")
MODELS = [model for model in models.all_models().values() if model.protocol in MAKERS]
#: One model for each pair of protocol and tracking profile.
PROFILES = {(model.protocol, model.profile): model for model in reversed(MODELS)}
SHOWN = [pytest.param(model, id=f"{model.protocol}-{model.profile}") for model in PROFILES.values()]


def differs(told: dict[str, Any], profile: str, *names: str) -> bool:
    first = profiles.defaults(profile)
    return any(told.get(name) not in (None, first.get(name)) for name in names)


WAKE_UPS = ("wakeup_timer1", "wakeup_timer2", "wakeup_timer3")
#: Settings for which the makers' commands are not published.
REFUSED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "atrack": lambda told: (
        bool(told.get("psm_mode")) or told.get("control_mode") == "engine_status"
    ),
    "tt1": lambda told: differs(told, "tt1", "bat_voltage", "bat_psm_interval"),
    "m7": lambda told: told["psm_mode"] == 2 and any(told.get(name) for name in WAKE_UPS),
    "concox_gt350": lambda told: (
        told["psm_mode"] == 1 and differs(told, "concox_gt350", "psm_interval")
    ),
    "concox_gt700": lambda told: (
        told["type"] in ("distance", "distance_interval_angle", "interval_angle")
    ),
}


def values_of(field: Field) -> st.SearchStrategy[Any]:
    if field.enum:
        found: st.SearchStrategy[Any] = st.sampled_from(field.enum)
    elif field.type == "int":
        low = int(field.min or 0)
        found = st.integers(low, int(field.max) if field.max is not None else 65_535)
    elif field.format == "HH:mm":
        found = st.times().map(lambda time: time.strftime("%H:%M"))
    else:
        found = st.decimals(0, 30, places=1).map(str)
    return st.none() | found if field.optional else found


def settings_of(profile: str) -> st.SearchStrategy[dict[str, Any]]:
    fields = profiles.all_profiles()[profile].fields
    needed = {name: values_of(one) for name, one in fields.items() if not one.optional}
    optional = {name: values_of(one) for name, one in fields.items() if one.optional}
    return st.fixed_dictionaries(needed, optional=optional)


def is_refused(profile: str, told: dict[str, Any]) -> bool:
    return profile in REFUSED and REFUSED[profile](told)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.code)
def test_every_model_can_be_registered_and_tracked(model: Model) -> None:
    assert can_tell(model.code, "registration")
    assert model.profile is not None
    assert can_tell(model.code, "tracking")
    assert can_tell(model.code, "output") == (model.output_control != "none")
    assert can_tell(model.code, "led") == model.has_led_control
    assert can_tell(model.code, "location_request") == model.has_location_request


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.code)
def test_what_the_catalog_says_of_places_and_outputs_can_be_told(model: Model) -> None:
    for way, able in (
        ("sms", model.has_location_request),
        ("gprs", model.has_gprs_location_request),
        ("gsm", model.has_gsm_lbs_location_request),
    ):
        if able:
            assert texts(model.code, "location_request", {"type": way}, sms=way == "sms")
    for output in range(1, model.digital_outputs + 1):
        assert texts(model.code, "output", {"output": output, "enable": True})
    if model.digital_outputs:
        assert texts(model.code, "outputs", {"outputs": [True] * model.digital_outputs})


@pytest.mark.parametrize("model", SHOWN)
def test_the_printed_settings_of_a_profile(model: Model) -> None:
    assert model.profile is not None
    assert texts(model.code, "tracking", dict(profiles.all_profiles()[model.profile].example))


@pytest.mark.parametrize("model", SHOWN)
def test_what_a_client_reads_of_a_new_device_can_be_written_back(model: Model) -> None:
    profile = model.profile
    assert profile is not None
    told, errors = profiles.validate(profile, profiles.defaults(profile))
    assert not errors
    assert texts(model.code, "tracking", told)


@pytest.mark.parametrize("model", SHOWN)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_valid_settings_become_lines_that_can_be_sent(
    model: Model, data: st.DataObject
) -> None:
    profile = model.profile
    assert profile is not None
    told, errors = profiles.validate(profile, data.draw(settings_of(profile)))
    if errors:
        return
    if is_refused(profile, told):
        with pytest.raises(CommandError):
            texts(model.code, "tracking", told)
        return
    said = texts(model.code, "tracking", told)
    assert said
    protocol = protocol_of(model.code)()
    for text in said:
        encoded = protocol.encode(Command(9, text.text.encode()), Device(IMEI, model.code))
        assert encoded.data
        assert "None" not in text.text


@pytest.mark.parametrize("model", ["atrack_ax5", "tt1_wp", "concox_x3"])
def test_what_does_not_fit_one_sms_is_refused(model: str) -> None:
    told = {"server": {"host": "h" * 60, "port": 5000}}
    assert texts(model, "registration", {**told, "apn": {"name": "web"}}, sms=True)
    long = dict.fromkeys(("name", "user", "password"), "a" * 60)
    with pytest.raises(CommandError, match="one SMS"):
        texts(model, "registration", {**told, "apn": long}, sms=True)
    assert texts(model, "registration", {**told, "apn": long})
