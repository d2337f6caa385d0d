"""What Teltonika devices are told: ``setparam`` and its like.

Source: the maker's public wiki, pages "SMS/GPRS Commands" of the families, "FMB SMS/GPRS Commands"
(setparam, setdigout, getgps, getrecord; a command has at most 160 characters, by SMS together
with its login and password), and the parameter lists named in ``parameters.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Any

from waypost.protocols.base import Command, CommandError, Device, Text
from waypost.protocols.instructions import (
    AccessPoint,
    Apn,
    Led,
    LocationRequest,
    Output,
    Outputs,
    Registration,
)
from waypost.protocols.teltonika.parameters import Family, family_of
from waypost.protocols.told import changed, model_of, one_sms

#: Characters of a command, with what an SMS puts before it.
LONGEST = 160
#: Login and password have at most five characters each; a space follows either.
LOGIN = 12
#: Standard gravity, m/s2.
GRAVITY = 9.80665
#: The greatest values of 16 bits, and of an angle.
WORD, ANGLE = 65_535, 180

Parameters = dict[int, str | int | float]


def can_tell(kind: str, device: Device) -> bool:
    """Are there instructions of this kind for such a device?"""
    family = family_of(device.model)
    return family is not None and kind in _ABLE and _ABLE[kind](family, _outputs(device))


def instructions(command: Command, device: Device) -> list[Text]:
    """The commands that carry ``command``. Raises :class:`CommandError`."""
    family = family_of(device.model)
    if family is None or not can_tell(command.kind, device):
        raise CommandError(f"a {device.model} cannot be told: {command.kind}")
    try:
        return _instructions(family, command, device)
    except KeyError as missing:
        raise CommandError(f"the settings lack {missing}") from None


def _instructions(family: Family, command: Command, device: Device) -> list[Text]:
    match command.kind:
        case "registration":
            return _registration(family, command.content(Registration))
        case "apn":
            apn = command.content(Apn).apn
            return _set(family, _access(family, apn), (apn.password,))
        case "tracking":
            return _set(family, _tracking(family, command.content(dict[str, Any]), device))
        case "special_settings":
            return _set(family, _special(family, command.content(dict[str, Any])))
        case "location_request":
            return _location(family, command.content(LocationRequest))
        case "led":
            return _set(family, {_known(family.led, "led"): int(command.content(Led).enable)})
        case "output":
            return [_output(family, command.content(Output), _outputs(device))]
        case _:
            return [_all_outputs(family, command.content(Outputs), _outputs(device))]


def by_sms(text: Text, device: Device) -> Text:
    """A command as an SMS: login and password stand before it, each with a space after it even
    where it is empty. ``device.password`` is both, with a space between them, or the password."""
    login, _, password = (device.password or "").rpartition(" ")
    family = family_of(device.model)
    head = f"{login} {password} " if family is None or family.login else f"{password} "
    secrets = (*text.secrets, *(part for part in (login, password) if part))
    return one_sms(Text(head + text.text, secrets))


def _outputs(device: Device) -> int:
    model = model_of(device)
    return model.digital_outputs if model is not None else 0


_ABLE: dict[str, Callable[[Family, int], bool]] = {
    "registration": lambda family, _: family.gprs is not None,
    "apn": lambda family, _: family.gprs is not None,
    "tracking": lambda family, _: bool(family.moving),
    "special_settings": lambda family, _: any(
        (family.ignition, family.harsh, family.tow, family.geofence)
    ),
    "location_request": lambda family, _: bool(family.moving),
    "led": lambda family, _: family.led is not None,
    "output": lambda _, outputs: outputs > 0,
    "outputs": lambda _, outputs: outputs > 0,
}


# setparam ------------------------------------------------------------------------------------


def _set(family: Family, wanted: Parameters, secrets: tuple[str, ...] = ()) -> list[Text]:
    """Commands that set the parameters in this order, as few as the device's family allows."""
    hidden = tuple(secret for secret in secrets if secret)
    if family.pairs:
        pairs = [f"{number}:{_written(value, ';')}" for number, value in wanted.items()]
        return [Text(f"setparam {part}", _found(part, hidden)) for part in _joined(pairs)]
    # A value cannot be made empty in this way.
    lines = [
        f"setparam {number} {_written(value, '')}"
        for number, value in wanted.items()
        if value != ""
    ]
    for line in lines:
        _fits(line)
    return [Text(line, _found(line, hidden)) for line in lines]


def _found(line: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(secret for secret in secrets if secret in line)


def _joined(pairs: Iterable[str]) -> list[str]:
    """``pairs`` with semicolons between them, cut where a command becomes too long."""
    parts: list[str] = []
    room = LONGEST - LOGIN - len("setparam ")
    for pair in pairs:
        if len(pair) > room:
            raise CommandError(f"a value is too long for a command: {pair[: pair.index(':')]}")
        if parts and len(parts[-1]) + 1 + len(pair) <= room:
            parts[-1] += f";{pair}"
        else:
            parts.append(pair)
    return parts


def _fits(line: str) -> None:
    if len(line) > LONGEST - LOGIN:
        raise CommandError(f"{len(line)} characters are too long for a command")


def _written(value: str | int | float, ends: str) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    clean = text.isascii() and text.isprintable() and text == text.strip()
    if not clean or (ends and ends in text):
        raise CommandError("a value has characters that cannot be sent to the device")
    return text


def _known(value: Any, what: str) -> Any:
    if value is None:
        raise CommandError(f"no parameters of this model are known for: {what}")
    return value


# The server ----------------------------------------------------------------------------------


def _access(family: Family, apn: AccessPoint) -> Parameters:
    gprs = _known(family.gprs, "apn")
    return {gprs.apn: apn.name, gprs.user: apn.user, gprs.password: apn.password}


def _registration(family: Family, wanted: Registration) -> list[Text]:
    """The server comes last, and at once: as soon as it is told, the device goes there."""
    gprs = _known(family.gprs, "registration")
    values: Parameters = {}
    for period, _, _, send in family.moving:
        values[period] = min(wanted.interval, WORD)
        if family.pairs:
            values[send] = min(wanted.interval, WORD)
    values[gprs.enable] = 1
    secrets: tuple[str, ...] = ()
    if wanted.apn is not None:
        values |= _access(family, wanted.apn)
        secrets = (wanted.apn.password,)
    server: Parameters = {
        gprs.protocol: int(wanted.server.transport == "udp"),
        gprs.port: wanted.server.port,
        gprs.host: wanted.server.host,
    }
    return _set(family, values, secrets) + _set(family, server)


# Settings ------------------------------------------------------------------------------------


def _tracking(family: Family, wanted: Mapping[str, Any], device: Device) -> Parameters:
    """The profiles ``telfm`` and ``telfm5x``. What is saved is sent at once, at home and abroad."""
    values: Parameters = {}
    interval = min(wanted["tracking_interval"], WORD)
    for period, distance, angle, send in family.moving:
        values |= {
            period: interval,
            distance: wanted["tracking_distance"],
            angle: min(wanted["tracking_angle"], ANGLE),
            send: interval,
        }
    if "on_stop_tracking_interval" in wanted:
        for period, send in family.stopped:
            values |= dict.fromkeys((period, send), wanted["on_stop_tracking_interval"])
    if family.sleep is not None or changed(wanted, device, "sleep_mode"):
        sleep = _known(family.sleep, "sleep_mode")
        values[sleep.mode] = int(wanted["sleep_mode"] == "soft_sleep")
        if "sleep_timeout" in wanted:
            values[sleep.timeout] = min(ceil(wanted["sleep_timeout"] / 60), sleep.longest)
    if "stop_detection" in wanted:
        motion = _known(family.motion, "stop_detection")
        values[motion.id] = getattr(motion, wanted["stop_detection"])
    return values


def _special(family: Family, wanted: Mapping[str, Any]) -> Parameters:
    name = wanted.get("type")
    match name:
        case "hbm_telfm":
            return _harsh(family, wanted, GRAVITY)
        case "hbm_telfm5x":
            return _harsh(family, wanted, 1.0)
        case "ign_src_telfm":
            ignition = _known(family.ignition, name)
            return {
                ignition.high: wanted["power_voltage_high_level"],
                ignition.low: wanted["power_voltage_low_level"],
                ignition.id: getattr(ignition, wanted["mode"]),
            }
        case "tow_detection_telfm":
            tow = _known(family.tow, name)
            return {
                tow.timeout: wanted["activation_timeout"],
                tow.threshold: float(wanted["threshold"]),
                tow.on: _on(wanted),
            }
        case "auto_geofence_telfm":
            fence = _known(family.geofence, name)
            return {
                fence.events: fence.both,
                fence.timeout: wanted["activation_timeout"],
                fence.radius: wanted["radius"],
                fence.on: _on(wanted),
            }
    raise CommandError(f"no parameters of this model are known for: {name}")


def _harsh(family: Family, wanted: Mapping[str, Any], unit: float) -> Parameters:
    """Limits in ``unit`` (m/s2); turns, too, are limited by their acceleration."""
    harsh = _known(family.harsh, "harsh driving")
    return {
        harsh.acceleration: round(wanted["max_acceleration_force"] * unit, 1),
        harsh.braking: round(wanted["max_braking_force"] * unit, 1),
        harsh.cornering: round(wanted["max_angular_velocity"] * unit, 1),
        harsh.on: _on(wanted),
    }


def _on(wanted: Mapping[str, Any]) -> int:
    return int(wanted["mode"] == "enable")


# For the moment ------------------------------------------------------------------------------


def _location(family: Family, wanted: LocationRequest) -> list[Text]:
    """Over its connection a device answers ``getgps`` with its position; asked by SMS, one that
    can makes a record and sends it to the server."""
    if wanted.type == "gprs":
        return [Text("getgps")]
    if wanted.type == "sms" and family.record:
        return [Text("getrecord")]
    raise CommandError(f"the device cannot be asked for its position by {wanted.type}")


def _output(family: Family, wanted: Output, outputs: int) -> Text:
    if not 1 <= wanted.output <= outputs:
        raise CommandError(f"output {wanted.output} is none of {outputs}")
    if not family.unchanged and outputs > 1:
        raise CommandError("the outputs of this device can only be set all at once")
    states = ["?"] * outputs
    states[wanted.output - 1] = str(int(wanted.enable))
    return _digital(family, "".join(states))


def _all_outputs(family: Family, wanted: Outputs, outputs: int) -> Text:
    if len(wanted.outputs) != outputs:
        raise CommandError(f"{len(wanted.outputs)} states for {outputs} outputs")
    return _digital(family, "".join(str(int(state)) for state in wanted.outputs))


def _digital(family: Family, states: str) -> Text:
    """The older families want two outputs at least, and the time of each (0: for good)."""
    if family.unchanged:
        return Text(f"setdigout {states}")
    states = states.ljust(2, "0")
    return Text(f"setdigout {states}{' 0' * len(states)}")
