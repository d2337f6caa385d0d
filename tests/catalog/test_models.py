"""Device models: what clients and the gateway may rely on."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import msgspec
import pytest

from waypost.catalog import models, profiles, rules, sensors, special_settings
from waypost.catalog.models import Model, ModelObject
from waypost.protocols import all_protocols

MODELS = list(models.all_models().values())

#: The API's example replies of ``tracker/list_models``.
TT1 = {
    "id": 166,
    "code": "tt1_wp",
    "type": "vehicle",
    "name": "WondeProud TT1",
    "id_type": "10,2",
    "has_phone": True,
    "has_apn_settings": True,
    "register": True,
    "battery": {"min_charge": 3.4, "low_charge": 3.7, "max_charge": 4.1},
    "altitude": True,
    "satellites": True,
    "gsm_level": True,
    "gsm_network": True,
    "gsm_roaming": True,
    "has_detach_button": False,
    "has_fuel_input": True,
    "analog_inputs": 2,
    "digital_inputs": 4,
    "rs232_inputs": 0,
    "digital_outputs": 4,
    "track_control": "tt1",
    "output_control": "default",
    "special_control": "none",
    "vendor": "WondeProud",
    "rules": [
        "offline",
        "input_change",
        "sos",
        "sensor_range",
        "speedup",
        "route",
        "track_change",
        "inoutzone",
        "battery_off",
    ],
    "inputs": ["analog_2"],
    "state_fields": [],
    "special_settings": ["none"],
    "sms_control": [],
    "has_led_control": False,
    "has_location_request": True,
    "has_gsm_lbs_location_request": True,
    "has_chat": False,
    "check_bundle": False,
    "has_odometer": True,
}


def test_a_documented_model_reads_as_documented() -> None:
    model = models.model("tt1_wp")
    assert model is not None
    shown = json.loads(msgspec.json.encode(model.wire))
    assert {name: shown[name] for name in TT1} == TT1


def test_the_generic_protocols_model() -> None:
    model = models.model("navixy_ngp")
    assert model is not None
    assert (model.id, model.vendor, model.id_type) == (2450, "Navixy", "ascii,6,64")
    assert (model.protocol, model.profile) == ("ngp", None)
    assert [way.transport for way in model.connection] == ["HTTPS", "MQTTS"]
    assert models.expand_inputs(model.inputs)[30:33] == ["analog_31", "analog_32", "board_voltage"]


@pytest.mark.parametrize(
    ("code", "protocol", "profile"),
    [
        ("telfmb920", "teltonika", "telfm"),
        ("telfmb640", "teltonika", "telfm5x"),
        ("telfm4200", "teltonika", "telfm"),
        ("telfmm00a", "teltonika", "telfm"),
        ("teltonika_fmc130", "teltonika", "telfm"),
        ("telfmu130_fmc130_234", "teltonika", "telfm"),
        ("telgh5200", "teltonika", None),
        ("qlgv55lite", "gl200", "gv55lite"),
        ("gv55lite", "gl200", "gv55lite"),
        ("gv500", "gl200", "gv500"),
        ("qlgl300", "gl200", "gl200"),
        ("qlgl100", "gl100", None),
        ("atrack_ak11", "atrack", "atrack"),
        ("tt1_wp", "wondex", "tt1"),
        ("m7", "wondex", "m7"),
        ("pt10", "wondex", "default_powersave"),
        ("concox_gt06n", "gt06", "concoxgt06"),
        ("concox_x3", "gt06", "concox_distance_interval"),
        ("jimi_jc100", "gt06", "jimi_jc100"),
        ("meitrack_t1", "meitrack", "meitrack_vehicle"),
        ("meitrack_p66", "meitrack", "meitrack_without_ps"),
        ("eelink_got8", None, "eelink"),
        ("ruptela_pro5", None, None),
        ("mobile_unknown_xgps", None, None),
    ],
)
def test_codes_that_clients_know(code: str, protocol: str | None, profile: str | None) -> None:
    model = models.model(code)
    assert model is not None
    assert (model.protocol, model.profile) == (protocol, profile)


def test_an_unknown_code_is_none() -> None:
    assert models.model("nothing") is None
    assert models.model("") is None


def test_codes_and_ids_never_change() -> None:
    """A code or id once given stays: new models are added to ``model_ids.json``, none leaves it."""
    pinned = json.loads((Path(__file__).parent / "model_ids.json").read_text())
    assert {model.code: model.id for model in MODELS} == pinned
    assert len({model.id for model in MODELS}) == len(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.code)
def test_a_model_fits_the_other_tables(model: Model) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", model.code)
    assert model.name
    assert model.name == model.name.strip()
    assert model.vendor
    assert re.fullmatch(r"imei|meid|id,\d+|\d+,\d+|ascii,\d+,\d+", model.id_type)
    assert model.profile is None or model.profile in profiles.all_profiles()
    assert model.protocol is None or re.fullmatch(r"[a-z][a-z0-9]*", model.protocol)
    settings = model.profile is not None or model.special_control != "none"
    assert model.register == (model.protocol is not None or model.mobile or settings)
    assert set(model.rules) <= set(rules.rule_types())
    assert len(set(model.rules)) == len(model.rules)
    for name in models.expand_inputs(model.inputs):
        assert sensors.input_named(name), name
    for name in model.state_fields:
        assert sensors.state_named(name), name
    for name in (*model.special_settings, *model.special_control.split(",")):
        assert name == "none" or name in special_settings.all_types()
    analog = [name for name in models.expand_inputs(model.inputs) if name.startswith("analog_")]
    assert len(analog) == model.analog_inputs
    assert (model.output_control == "none") == (model.digital_outputs == 0)
    assert ("input_change" in model.rules) == (model.digital_inputs > 0)
    assert model.timeout_minutes > 0
    assert model.parent_code is None or model.parent_code in models.all_models()


def test_every_profile_and_every_type_of_special_settings_has_a_model() -> None:
    """What no maker is known to use has a generic model, so that somebody can have it."""
    assert {model.profile for model in MODELS} - {None} == set(profiles.all_profiles())
    types = {name for model in MODELS for name in model.special_settings}
    assert types - {"none"} == set(special_settings.all_types())


def test_protocols_have_the_names_of_their_recordings() -> None:
    recorded = {path.stem for path in (Path(__file__).parents[1] / "corpus").glob("*.jsonl")}
    assert {model.protocol for model in MODELS} - {None} <= recorded | {"ngp"}


def test_every_protocol_has_a_model_that_can_be_registered() -> None:
    registrable = {model.protocol for model in MODELS if model.register}
    assert set(all_protocols()) <= registrable


def test_names_are_unique() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)


def test_what_the_api_shows_holds_nothing_of_ours() -> None:
    model = models.model("telfmb920")
    assert model is not None
    shown = json.loads(msgspec.json.encode(model.wire))
    assert set(shown) == set(ModelObject.__struct_fields__)
    assert not {"protocol", "mobile", "timeout_minutes"} & set(shown)


def test_inputs_one_by_one() -> None:
    assert models.expand_inputs(("analog_2", "board_voltage", "can_fuel_2")) == [
        "analog_1",
        "analog_2",
        "board_voltage",
        "can_fuel_2",
    ]


@pytest.mark.parametrize(
    ("protocol", "said", "code"),
    [
        ("gl200", "gl300vc", "qlgl300vc"),
        ("gl200", "GV65 Plus", "qlgv65plus"),
        ("gl200", "GV55Lite", "qlgv55lite"),
        ("teltonika", "FMB130", "telfmb130"),
        ("atrack", "atrack_ak11", "atrack_ak11"),
    ],
)
def test_a_device_that_says_its_model_is_known(protocol: str, said: str, code: str) -> None:
    model = models.guess(protocol, said)
    assert model is not None
    assert model.code == code


@pytest.mark.parametrize(("protocol", "said"), [("gl200", ""), ("gl200", "FMB130"), ("x", "GL300")])
def test_no_guess_where_nothing_fits(protocol: str, said: str) -> None:
    assert models.guess(protocol, said) is None


def test_loading_is_fast() -> None:
    """Below 20 ms on an idle core; here with room for a busy one."""
    best = 1.0
    for _ in range(3):
        models._models.cache_clear()
        start = time.perf_counter()
        models.all_models()
        best = min(best, time.perf_counter() - start)
    assert best < 0.1


def test_special_settings_of_the_profiles_that_they_are_named_like() -> None:
    for code, control in (
        ("telfmb920", "hbm_telfm"),
        ("telfmb640", "hbm_telfm5x"),
        ("telfmb640", "teltonika_tacho_request"),
        ("jointech_jt701", "jointech_lock_password"),
    ):
        model = models.all_models()[code]
        assert control in model.special_control.split(",")
        assert model.special_settings == tuple(model.special_control.split(","))
    assert models.all_models()["qlgv55lite"].special_control == "none"
