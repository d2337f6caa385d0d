"""Event codes in the platform's event numbers (the generic protocol's event table).

Sources: "MEITRACK T622 GPRS Protocol" V1.2, 1.5 "Event Code"; codes of other models from published
decoders. A code without an event there stays the value ``meitrack_event``.
"""

from __future__ import annotations

from waypost.telemetry.message import Message

REQUESTED, RFID, PICTURE = 34, 37, 39
ENTER_FENCE, EXIT_FENCE = 20, 21

_EVENTS = {
    1: 202,  # SOS
    2: 502,
    3: 503,
    4: 504,
    5: 505,
    9: 501,
    10: 502,
    11: 503,
    12: 504,
    13: 505,
    17: 7,  # low battery
    18: 1,  # low external battery
    19: 224,  # speeding
    ENTER_FENCE: 409,
    EXIT_FENCE: 410,
    22: 4,  # external battery on
    23: 2,  # external battery cut
    24: 609,  # GPS signal lost
    25: 608,  # GPS signal recovery
    26: 9,  # enter sleep
    27: 8,  # exit sleep
    28: 601,  # GPS antenna cut
    29: 15,  # reboot
    31: 408,  # heartbeat
    32: 405,  # cornering
    33: 404,  # tracking by distance
    REQUESTED: 401,
    35: 403,  # tracking by time
    36: 101,  # tow
    40: 14,  # power off
    41: 407,  # stop moving
    42: 406,  # start moving
    44: 117,  # GSM jamming
    58: 104,  # theft of the vehicle
    65: 244,
    66: 244,
    67: 244,
    68: 244,
    69: 244,
    78: 242,  # impact
    79: 120,  # fall
    80: 108,  # installed
    81: 103,  # dropped off
    90: 239,  # sharp turn to the left
    91: 239,  # sharp turn to the right
    129: 241,  # harsh braking
    130: 240,  # harsh acceleration
    133: 302,  # idle overtime
    134: 301,  # idle recovery
    135: 230,  # fatigue driving
}


def put_event(message: Message, code: int) -> None:
    message.values["meitrack_event"] = code
    message.event_id = _EVENTS.get(code)
