"""Device models: what ``tracker/list_models`` shows, and which protocol and settings a model has.

``data/models/`` holds one file per maker. A row gives the model's id, code and name and what sets
it apart; the rest comes from its family (families extend each other) and, at last, from the
defaults here, which are the cautious ones: a capability that no public document gives is absent.

Ids and codes are the API's identity of a model: they never change and are never used again. A new
model is a row here and a line in ``tests/catalog/model_ids.json``.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Literal

import msgspec

from waypost.catalog import sensors, special_settings
from waypost.catalog._data import DATA

NONE = "none"


class Battery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The device's own battery: volts (or shares of 1) when empty, low and full."""

    min_charge: float
    low_charge: float
    max_charge: float


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way to connect that the API shows; the address is the server's."""

    protocol: str
    transport: str


class ModelObject(msgspec.Struct, frozen=True, kw_only=True):
    """A model as ``tracker/list_models`` shows it. ``inputs`` are compact: ``analog_2`` means
    ``analog_1`` and ``analog_2`` (see :func:`expand_inputs`)."""

    id: int
    vendor: str
    code: str
    parent_code: str | None = None
    type: Literal["logger", "portable", "vehicle", "personal"] = "vehicle"
    name: str
    #: ``imei``, ``meid``, ``id,n``, ``n,m``, ``ascii,a,b``.
    id_type: str = "imei"
    has_phone: bool = False
    has_apn_settings: bool = False
    register: bool = False
    has_auto_registration: bool = False
    port: int | None = None
    battery: Battery | None = None
    altitude: bool = False
    satellites: bool = False
    gsm_level: bool = False
    gsm_network: bool = False
    gsm_roaming: bool = False
    has_detach_button: bool = False
    has_fuel_input: bool = False
    analog_inputs: int = 0
    digital_inputs: int = 0
    digital_outputs: int = 0
    rs232_inputs: int = 0
    #: Name of its tracking profile, or ``none``.
    track_control: str = NONE
    output_control: Literal[
        "none", "default", "batch", "stateless", "async", "async_offline", "batch_async"
    ] = "none"
    #: Types of special settings joined by commas, or ``none``.
    special_control: str = NONE
    rules: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    state_fields: tuple[str, ...] = ()
    special_settings: tuple[str, ...] = (NONE,)
    sms_control: tuple[str, ...] = ()
    connection: tuple[Connection, ...] = ()
    has_led_control: bool = False
    has_location_request: bool = False
    has_gprs_location_request: bool = False
    has_gsm_lbs_location_request: bool = False
    has_chat: bool = False
    check_bundle: bool = False
    has_custom_fields: bool = False
    has_odometer: bool = False
    has_lbs: bool = False
    has_motion_sensor: bool = False
    has_hardware_key: bool = False
    register_fields: tuple[str, ...] = ()


class Model(ModelObject, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model and what the platform itself knows of it."""

    #: Name of its protocol in ``waypost.protocols``; None: no decoder, or not a device (an app).
    protocol: str | None = None
    #: Minutes of silence after which the connection counts as lost.
    timeout_minutes: int = 10
    #: An app on a phone.
    mobile: bool = False

    @property
    def profile(self) -> str | None:
        """Name of its tracking profile; None where it has no tracking settings."""
        return None if self.track_control == NONE else self.track_control

    @property
    def wire(self) -> ModelObject:
        """What the API shows of it."""
        return msgspec.convert(self, ModelObject, from_attributes=True)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    vendor: str
    models: list[dict[str, Any]]
    families: dict[str, dict[str, Any]] = {}

    def family(self, name: str) -> dict[str, Any]:
        """The fields that a family sets, those of the families it extends included; ``rules+``
        adds to what these say of ``rules``."""
        row = dict(self.families[name])
        parent = row.pop("extends", None)
        fields = self.family(parent) if parent else {}
        for key, value in row.items():
            if key.endswith("+"):
                fields[key[:-1]] = [*fields[key[:-1]], *value]
            else:
                fields[key] = value
        return fields


@cache
def _models() -> dict[str, Model]:
    found: dict[str, Model] = {}
    decoder = msgspec.json.Decoder(_File)
    for path in sorted((DATA / "models").glob("*.json")):
        file = decoder.decode(path.read_bytes())
        families = {name: file.family(name) for name in file.families}
        for row in file.models:
            family = families[row.pop("family")] if "family" in row else {}
            model = _derived(msgspec.convert({"vendor": file.vendor, **family, **row}, Model))
            found[model.code] = model
    return dict(sorted(found.items(), key=lambda item: item[1].id))


def _derived(model: Model) -> Model:
    """The model with what follows from its row: the special settings of its tracking profile
    beside those that it names, and whether it can be registered. It can where something decodes
    it, and where there are settings to keep for it."""
    named = special_settings.types_of(model.special_control)
    types = tuple(dict.fromkeys((*special_settings.of_profile(model.track_control), *named)))
    if types:
        model = msgspec.structs.replace(
            model, special_control=",".join(types), special_settings=types
        )
    able = model.protocol is not None or model.mobile or model.profile is not None or bool(types)
    return msgspec.structs.replace(model, register=able)


def all_models() -> dict[str, Model]:
    """Every model by its code, in the order of ids."""
    return _models()


def model(code: str) -> Model | None:
    """The model ``code``; None where there is none."""
    return _models().get(code)


def expand_inputs(names: tuple[str, ...]) -> list[str]:
    """Compact inputs one by one: ``analog_2`` gives ``analog_1``, ``analog_2``; a name that is no
    family (``can_fuel_2``) stays."""
    found: list[str] = []
    for name in names:
        stem, last = sensors.split_index(name)
        if last is None or name in sensors.inputs():
            found.append(name)
        else:
            found += [f"{stem}_{number}" for number in range(1, last + 1)]
    return found


def guess(protocol: str, said: str) -> Model | None:
    """The model that a device of this protocol may mean when it calls itself ``said``
    (``GL300``): the one whose name without its vendor, or whose code, is that."""
    return _names(protocol).get(_plain(said))


@cache
def _names(protocol: str) -> dict[str, Model]:
    found: dict[str, Model] = {}
    for row in _models().values():
        if row.protocol == protocol and row.parent_code is None:
            for name in (row.name.removeprefix(row.vendor), row.name, row.code):
                found.setdefault(_plain(name), row)
    return found


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())
