"""The device's state as heartbeats and alarms report it: terminal information, battery, signal,
alarm code.

Source: Concox, "JM-VL03 GPS Tracker Communication Protocol" V1.1.2, "Heartbeat Packet" and "Alarm
Packet" (tables "Terminal Information", "Voltage Level", "GSM Signal Strength", "Alert Types");
alarms 25 to 28 and 2E, which it leaves out, and state 7 are of other families of the maker and were
taken from published decoders.
"""

from __future__ import annotations

from typing import Any

from waypost.protocols.reader import Reader
from waypost.telemetry.message import Message

#: Alarm code -> event of the generic protocol; a code without one stays a value only.
_ALARMS = {
    0x01: 202,  # SOS
    0x02: 2,  # power cut
    0x03: 113,  # vibration
    0x04: 409,  # entered fence
    0x05: 410,  # left fence
    0x06: 224,  # speed
    0x09: 101,  # moved, towed
    0x0A: 609,  # entered GPS blind spot
    0x0B: 608,  # left GPS blind spot
    0x0C: 15,  # powered on
    0x0D: 608,  # first fix
    0x0E: 1,  # external battery low
    0x0F: 1,  # external battery low, protection
    0x11: 14,  # powered off
    0x13: 103,  # taken off, tampered with
    0x14: 109,  # door
    0x15: 14,  # powered off because of low battery
    0x18: 106,  # cover removed
    0x19: 7,  # internal battery low
    0x20: 9,  # deep sleep
    0x23: 120,  # fall
    0x25: 103,  # tampered with
    0x26: 240,  # harsh acceleration
    0x27: 241,  # harsh braking
    0x28: 241,  # harsh braking
    0x29: 240,  # harsh acceleration
    0x2A: 239,  # sharp turn to the left
    0x2B: 239,  # sharp turn to the right
    0x2C: 242,  # collision
    0x2E: 239,  # sharp turn
    0x30: 241,  # harsh braking
    0x32: 107,  # unplugged
    0xFE: 605,  # ACC on
    0xFF: 604,  # ACC off
}
#: Bits 3 to 5 of the terminal information -> event.
_STATES = {1: 113, 2: 2, 3: 1, 4: 202, 7: 103}
_LEVELS, _BARS, _CSQ = 6, 4, 31


def put_information(message: Message, information: int) -> None:
    """The byte of terminal information, with the event that it states."""
    message.values.update(
        ignition=bool(information & 2),
        charging=bool(information & 4),
        output_status=information >> 7,
        gt06_armed=bool(information & 1),
        gt06_information=information,
    )
    event = _STATES.get(information >> 3 & 7)
    if event is not None and message.event_id is None:
        message.event_id = event


def put_alarm(message: Message, code: int) -> None:
    """An alarm code; its event takes the place of what the terminal information stated."""
    if code:
        message.values["gt06_alarm"] = code
        message.event_id = _ALARMS.get(code, message.event_id)


def put_battery(values: dict[str, Any], level: int) -> None:
    """The battery: a level from 0 to 6, or a percentage; others are none."""
    if level <= _LEVELS:
        values["battery_level"] = level * 100 // _LEVELS
    elif level <= 100:
        values["battery_level"] = level


def put_signal(values: dict[str, Any], level: int) -> None:
    """The mobile signal: bars from 0 to 4, a CSQ up to 31, or a percentage."""
    if level <= _BARS:
        values["gsm_level"] = level * 100 // _BARS
    elif level <= _CSQ:
        values["gsm_level"] = round(level * 100 / _CSQ)
    elif level <= 100:
        values["gsm_level"] = level


def volts(raw: int) -> float:
    """Volts of hundredths."""
    return raw / 100


def read_status(reader: Reader, message: Message, *, in_volts: bool = False) -> None:
    """Terminal information, battery, signal, alarm and, where it is there, language.

    ``in_volts``: two bytes of supply voltage stand in the place of the battery's level. So it is,
    too, where the signal would be more than all of it otherwise.
    """
    put_information(message, reader.number(1, "terminal information"))
    following = reader.peek(4)
    in_volts = in_volts or (len(following) == 4 and following[1] > 100 and following[3] == 0)
    if in_volts:
        message.values["board_voltage"] = volts(reader.number(2, "voltage"))
    else:
        put_battery(message.values, reader.number(1, "battery level"))
    put_signal(message.values, reader.number(1, "signal"))
    put_alarm(message, reader.number(1, "alarm"))
    if reader.left and not in_volts:
        reader.take(1, "language")
