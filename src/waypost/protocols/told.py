"""What makers have in common where devices are told something (``protocols.instructions``): a table
of what is said for each kind, which kinds a model takes, and fields that fit into a line."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from waypost.catalog import models, profiles
from waypost.catalog.models import Model
from waypost.protocols.base import Command, CommandError, Device, Protocol, Text
from waypost.protocols.instructions import AccessPoint

Tell = Callable[[Command, Device], list[Text]]
"""Says one kind of instruction in a maker's language."""

#: Characters of one SMS.
_SMS = 160


def model_of(device: Device) -> Model | None:
    """The catalog's model of a device; None: nobody knows it."""
    return models.model(device.model) if device.model is not None else None


def takes(kind: str, device: Device, profiles: Collection[str]) -> bool:
    """Has the model of ``device`` what instructions of this kind are about? ``profiles``: the
    tracking profiles for which there are instructions."""
    model = model_of(device)
    match kind:
        case "registration" | "apn":
            return model is None or model.register
        case "tracking":
            return model is not None and model.profile in profiles
        case "output" | "outputs":
            return model is not None and model.output_control != "none"
        case "location_request":
            return model is not None and any(
                (
                    model.has_location_request,
                    model.has_gprs_location_request,
                    model.has_gsm_lbs_location_request,
                )
            )
        case "led":
            return model is not None and model.has_led_control
        case "special_settings":
            return model is not None and model.special_control != models.NONE
    return False


class Telling(Protocol):
    """A protocol whose instructions are a table, and whose SMS are what goes over a connection."""

    tells: ClassVar[Mapping[str, Tell]]
    #: Tracking profiles for which there are instructions.
    profiles: ClassVar[frozenset[str]]

    @classmethod
    def can_tell(cls, kind: str, device: Device) -> bool:
        return kind in cls.tells and takes(kind, device, cls.profiles)

    def instructions(self, command: Command, device: Device) -> list[Text]:
        say = self.tells.get(command.kind)
        if say is None:
            raise CommandError(f"there are no instructions for such a device: {command.kind}")
        return say(command, device)

    def by_sms(self, text: Text, device: Device) -> Text:
        return one_sms(text)


def profile_of(device: Device) -> str:
    """The name of the tracking profile of a device's model. Raises :class:`CommandError`."""
    model = model_of(device)
    if model is None or model.profile is None:
        raise CommandError(f"a device of model {device.model} has no tracking settings")
    return model.profile


def changed(told: Mapping[str, Any], device: Device, name: str) -> bool:
    """Is the setting ``name`` another than in a device that nobody has configured? Clients write
    back all that they have read: what nobody changed needs no telling."""
    model = model_of(device)
    first = profiles.defaults(model.profile) if model is not None and model.profile else {}
    return told.get(name) not in (None, first.get(name))


def field(value: str, name: str, ends: str = ",", longest: int = 64) -> str:
    """A text as one field of a line. Raises :class:`CommandError` where a character of it would
    end the field or cannot be sent, or it is longer than the device can keep."""
    if not value.isascii() or (value and not value.isprintable()):
        raise CommandError(f"the {name} has characters that the device cannot read")
    if any(character in ends for character in value):
        raise CommandError(f"the {name} holds a character that would end it: one of {ends}")
    if len(value) > longest:
        raise CommandError(f"the {name} has {len(value)} characters; {longest} are the most")
    return value


def access_point(apn: AccessPoint, ends: str = ",", longest: int = 64) -> tuple[str, str, str]:
    """An access point's name, user and password as fields. Raises as :func:`field` does."""
    return (
        field(apn.name, "access point", ends, longest),
        field(apn.user, "user name", ends, longest),
        field(apn.password, "password", ends, longest),
    )


def one_sms(text: Text) -> Text:
    """The text as it is. Raises :class:`CommandError` where it needs more than one SMS: trackers
    take each part for a command of its own."""
    if len(text.text) > _SMS:
        raise CommandError(f"{len(text.text)} characters do not fit one SMS: {_SMS}")
    return text


def is_address(host: str) -> bool:
    """An IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def parts(value: int, size: int) -> int:
    """How many units of ``size`` hold ``value``: rounded up, so that nothing set becomes zero."""
    return -(-value // size)


def given(settings: Mapping[str, Any], name: str) -> int | None:
    """A whole number among settings; None: nobody set it."""
    value = settings.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise CommandError(f"{name} is not a whole number: {value!r}")
    return value


def needed(settings: Mapping[str, Any], name: str) -> int:
    """Likewise. Raises :class:`CommandError` where it was not set."""
    value = given(settings, name)
    if value is None:
        raise CommandError(f"{name} is needed")
    return value
