"""The packets (PDUs) of SMPP. Pure.

Source: "Short Message Peer to Peer Protocol Specification v3.4", issue 1.2 (5.1 and 5.2: parameters
and status codes; appendix B: delivery receipts).

The codec is that of ``smpp34``, a compiled one that reports every malformed packet as an error and
lets vendors' tags and status codes through; this module is its only importer. It leaves binding and
plain responses to its own client, which we do not use (see ``docs/architecture.md``), so these few
bytes are put together here.
"""

from __future__ import annotations

import re
import struct
from typing import Literal

import msgspec
import smpp34

from waypost.sms.provider import Incoming, Report, ReportState
from waypost.sms.text import Alphabet, decode

HEADER = 16
#: A message payload has up to 64 KB; more than this is no packet.
LONGEST = 70_000

GENERIC_NACK = 0x80000000
SUBMIT_SM = 0x00000004
DELIVER_SM = 0x00000005
UNBIND = 0x00000006
BIND_TRANSCEIVER = 0x00000009
ENQUIRE_LINK = 0x00000015
ALERT_NOTIFICATION = 0x00000102
RESPONSE = 0x80000000

# Tags of parameters (5.3.2).
RECEIPTED_MESSAGE_ID = 0x001E
SAR_MSG_REF_NUM = 0x020C
SAR_TOTAL_SEGMENTS = 0x020E
SAR_SEGMENT_SEQNUM = 0x020F
MESSAGE_PAYLOAD = 0x0424
MESSAGE_STATE = 0x0427

OK = 0x00
INVALID_COMMAND = 0x03
SYSTEM_ERROR = 0x08
QUEUE_FULL = 0x14
THROTTLED = 0x58
TEMPORARY_ERROR = 0x64
INVALID_PARAMETER_LENGTH = 0xC2

#: What status codes say (5.1.3), as far as an operator meets them.
_STATUS = {
    0x01: "the message's length is invalid",
    0x02: "the packet's length is invalid",
    INVALID_COMMAND: "unknown command",
    0x04: "not possible in this state of the session",
    0x05: "already bound",
    0x06: "invalid priority",
    0x07: "invalid request for delivery reports",
    SYSTEM_ERROR: "system error",
    0x0A: "invalid sender",
    0x0B: "invalid recipient",
    0x0C: "invalid message id",
    0x0D: "bind failed",
    0x0E: "wrong password",
    0x0F: "unknown system id",
    QUEUE_FULL: "the queue is full",
    0x15: "invalid service type",
    0x43: "invalid class of message",
    0x45: "submitting failed",
    0x48: "invalid type of the sender's number",
    0x49: "invalid numbering plan of the sender's number",
    0x50: "invalid type of the recipient's number",
    0x51: "invalid numbering plan of the recipient's number",
    0x53: "invalid system type",
    THROTTLED: "too many messages at a time",
    0x61: "invalid time of delivery",
    0x62: "invalid validity period",
    TEMPORARY_ERROR: "temporary error",
    0x65: "permanent error",
    0x66: "rejected",
    0xC0: "invalid optional parameters",
    0xC1: "an optional parameter is not allowed",
    INVALID_PARAMETER_LENGTH: "a parameter's length is invalid",
    0xC3: "a parameter is missing",
    0xC4: "a parameter's value is invalid",
    0xFE: "delivery failed",
    0xFF: "unknown error",
}
#: The centre did not take the message and may take it later.
LATER = frozenset({SYSTEM_ERROR, QUEUE_FULL, 0x45, TEMPORARY_ERROR})
#: It takes none at the moment.
SLOWER = frozenset({QUEUE_FULL, THROTTLED})

_MESSAGE_STATES: dict[int, ReportState] = {
    2: "delivered",
    3: "failed",
    4: "failed",
    5: "failed",
    7: "failed",
    8: "failed",
}
_RECEIPT_STATES: dict[str, ReportState] = {
    "DELIVRD": "delivered",
    "EXPIRED": "failed",
    "DELETED": "failed",
    "UNDELIV": "failed",
    "UNKNOWN": "failed",
    "REJECTD": "failed",
}
_REASONS = {
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    7: "UNKNOWN",
    8: "REJECTD",
}
_RECEIPT_FIELD = re.compile(r"\b(id|stat|err): ?(?!sub:|stat:)(\S+)", re.IGNORECASE)
_RECEIPT_TEXT = re.compile(r"\btext:", re.IGNORECASE)

#: ``esm_class``: what kind of message (5.2.12).
_KIND = 0x3C
_RECEIPT = 0x04
_NOTIFICATION = 0x20
_HEADER_INDICATOR = 0x40

MessageId = Literal["text", "decimal", "hexadecimal"]


class PduError(ValueError):
    """The bytes are no packet, or one that cannot be read; the text says why."""


class Header(msgspec.Struct, frozen=True):
    """What every packet begins with."""

    length: int
    command: int
    status: int
    sequence: int

    @property
    def is_response(self) -> bool:
        return bool(self.command & RESPONSE)


class Fragment(msgspec.Struct, frozen=True):
    """One part of a longer message from outside."""

    message: Incoming
    reference: int
    number: int
    of: int


class Addressing(msgspec.Struct, frozen=True):
    """Numbers of a message, with their types and numbering plans (5.2.5, 5.2.6)."""

    sender: str
    sender_ton: int
    sender_npi: int
    recipient: str


def describe(status: int) -> str:
    """A status code in words."""
    words = _STATUS.get(status, "an error that SMPP does not define")
    return f"{words} (status 0x{status:02X})"


def read_header(data: bytes) -> Header:
    """The header of a packet. Raises :class:`PduError` for what cannot be one."""
    header = Header(*struct.unpack(">IIII", data))
    if not HEADER <= header.length <= LONGEST:
        raise PduError(f"a packet of {header.length} bytes: this is no SMPP")
    return header


def packet(command: int, sequence: int, body: bytes = b"", status: int = OK) -> bytes:
    return struct.pack(">IIII", HEADER + len(body), command, status, sequence) + body


def bind_packet(sequence: int, system_id: str, password: str, system_type: str) -> bytes:
    """A request to send and to receive."""
    texts = b"".join(text.encode() + b"\0" for text in (system_id, password, system_type))
    return packet(BIND_TRANSCEIVER, sequence, texts + b"\x34\0\0\0")


def response_packet(header: Header, status: int = OK) -> bytes:
    """The response to a request."""
    body = b"\0" if header.command == DELIVER_SM and status == OK else b""
    return packet(header.command | RESPONSE, header.sequence, body, status)


def submit_packet(
    sequence: int,
    addressing: Addressing,
    data: bytes,
    *,
    coding: int,
    validity: int,
    user_header: bytes = b"",
    sar: tuple[int, int, int] | None = None,
    payload: bool = False,
    service_type: str = "",
    report: bool = True,
) -> bytes:
    """A message to send; ``report`` asks for the final delivery report. ``validity`` in seconds;
    ``user_header`` goes before the data; ``sar`` is reference, number and count of parts as
    parameters instead; ``payload``: the data is a parameter, for any length. Raises
    :class:`PduError` for what does not fit."""
    tlvs: list[smpp34.Tlv] = []
    if sar is not None:
        reference, number, of = sar
        tlvs = [
            smpp34.Tlv(SAR_MSG_REF_NUM, reference.to_bytes(2, "big")),
            smpp34.Tlv(SAR_TOTAL_SEGMENTS, bytes([of])),
            smpp34.Tlv(SAR_SEGMENT_SEQNUM, bytes([number])),
        ]
    if payload:
        tlvs.append(smpp34.Tlv(MESSAGE_PAYLOAD, data))
    try:
        return smpp34.SubmitSm(
            addressing.sender,
            addressing.recipient,
            b"" if payload else user_header + data,
            service_type=service_type,
            source_addr_ton=addressing.sender_ton,
            source_addr_npi=addressing.sender_npi,
            dest_addr_ton=1,
            dest_addr_npi=1,
            esm_class=_HEADER_INDICATOR if user_header else 0,
            validity_period=relative_time(validity),
            registered_delivery=int(report),
            data_coding=coding,
            tlvs=tlvs,
            sequence_number=sequence,
        ).encode()
    except (ValueError, smpp34.SmppError) as error:
        raise PduError(str(error)) from None


def relative_time(seconds: int) -> str:
    """A period in the form of 7.1.1.2: ``YYMMDDhhmmss000R``. At least a minute, at most a year."""
    seconds = min(max(seconds, 60), 365 * 86400)
    days, rest = divmod(seconds, 86400)
    months, days = divmod(days, 30)
    years, months = divmod(months, 12)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{years:02}{months:02}{days:02}{hours:02}{minutes:02}{rest:02}000R"


def read_message_id(body: bytes, form: MessageId) -> str | None:
    """The message id in the body of a response to a submission; None: there is none."""
    return plain_message_id(body.split(b"\0", 1)[0].decode("latin-1"), form)


def plain_message_id(text: str, form: MessageId) -> str | None:
    """A message id in one form, because some centres write the same id as hexadecimal in one place
    and as decimal in another."""
    text = text.strip()
    if not text:
        return None
    if form == "text":
        return text
    try:
        return str(int(text, 16 if form == "hexadecimal" else 10))
    except ValueError:
        return text


def read_delivery(
    data: bytes, plain: Alphabet, form: MessageId
) -> Report | Incoming | Fragment | None:
    """What a centre delivers: a report, or a message from outside, whole or in part. None: a
    notice of something on the way. Raises :class:`PduError`."""
    try:
        found = smpp34.decode(data)
    except smpp34.SmppError as error:
        raise PduError(f"a delivery that cannot be read: {error}") from None
    if not isinstance(found, smpp34.DeliverSm):
        raise PduError("not a delivery")
    tags = {tlv.tag: tlv for tlv in found.tlvs}
    payload = tags.get(MESSAGE_PAYLOAD)
    body = found.short_message or (payload.value if payload is not None else b"")
    kind = found.esm_class & _KIND
    if kind == _RECEIPT or RECEIPTED_MESSAGE_ID in tags:
        coding = found.data_coding
        text = decode(body, coding) if coding == 0x08 else body.decode("latin-1")
        return _read_receipt(text, tags, form)
    if kind == _NOTIFICATION:
        return None
    fragment = None
    if found.esm_class & _HEADER_INDICATOR:
        fragment, body = _read_user_header(body)
    sar = [
        tags[tag].as_int()
        for tag in (
            SAR_MSG_REF_NUM,
            SAR_SEGMENT_SEQNUM,
            SAR_TOTAL_SEGMENTS,
        )
        if tag in tags
    ]
    if len(sar) == 3:
        fragment = (sar[0] or 0, sar[1] or 0, sar[2] or 0)
    message = Incoming(
        sender=found.source_addr,
        recipient=found.destination_addr,
        text=decode(body, found.data_coding, plain),
    )
    if fragment is None or fragment[2] <= 1:
        return message
    reference, number, of = fragment
    if not 1 <= number <= of:
        raise PduError(f"part {number} of {of}")
    return Fragment(message, reference, number, of)


def _read_user_header(body: bytes) -> tuple[tuple[int, int, int] | None, bytes]:
    """Reference, number and count of parts where the user data header has them (TS 23.040,
    9.2.3.24.1 and .8), and what follows the header."""
    length = body[0] if body else 0
    if length + 1 > len(body):
        raise PduError("the user data header is longer than the message")
    position, found = 1, None
    while position + 2 <= length + 1:
        element, size = body[position], body[position + 1]
        value = body[position + 2 : min(position + 2 + size, length + 1)]
        if element == 0x00 and len(value) == 3:
            found = (value[0], value[2], value[1])
        elif element == 0x08 and len(value) == 4:
            found = (int.from_bytes(value[:2], "big"), value[3], value[2])
        position += 2 + size
    return found, body[length + 1 :]


def _read_receipt(text: str, tags: dict[int, smpp34.Tlv], form: MessageId) -> Report | None:
    """A delivery receipt: by its parameters where it has them, else by its text (appendix B)."""
    # It ends with the beginning of the message, which may hold anything.
    told = _RECEIPT_TEXT.split(text, maxsplit=1)[0]
    fields = {name.lower(): value for name, value in _RECEIPT_FIELD.findall(told)}
    named = tags.get(RECEIPTED_MESSAGE_ID)
    raw = named.value.split(b"\0", 1)[0].decode("latin-1") if named is not None else ""
    message_id = plain_message_id(raw or fields.get("id", ""), form)
    if message_id is None:
        raise PduError("a delivery report without a message id")
    stated = tags.get(MESSAGE_STATE)
    number = stated.as_int() if stated is not None else None
    word = fields.get("stat", "").upper()[:7]
    if number:
        state = _MESSAGE_STATES.get(number)
        word = word or _REASONS.get(number, "")
    else:
        state = _RECEIPT_STATES.get(word)
    if state is None:
        return None
    reason = None
    if state == "failed":
        error = fields.get("err")
        reason = f"the network reports {word}" + (f", error {error}" if error else "")
    return Report(message_id=message_id, state=state, reason=reason)
