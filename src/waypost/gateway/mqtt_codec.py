"""MQTT packets, 3.1.1 and 5: the door to the codec.

The codec is zmqtt's: it reads and writes every packet of both versions and does no I/O. It is
private to that package, so nothing else here imports it and pyproject names one exact version.
What it leaves open is added here: which version speaks, the reserved flags of a packet's first
byte (MQTT 3.1.1 section 2.2.2, 5.0 section 2.1.3), and bounds on what a packet may hold.
"""

from __future__ import annotations

import struct
from typing import Literal

from zmqtt._internal.packets import (
    Auth,
    ConnAck,
    ConnAckProperties,
    Connect,
    Disconnect,
    DisconnectProperties,
    PingReq,
    PingResp,
    PubAck,
    PubAckProperties,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)
from zmqtt._internal.packets.codec import AnyPacket, PacketTooLargeError, decode, encode

__all__ = [
    "Auth",
    "ConnAck",
    "ConnAckProperties",
    "Connect",
    "Disconnect",
    "DisconnectProperties",
    "MqttError",
    "PingReq",
    "PingResp",
    "PubAck",
    "PubAckProperties",
    "PubComp",
    "PubRec",
    "PubRel",
    "Publish",
    "Reader",
    "SubAck",
    "Subscribe",
    "UnsubAck",
    "Unsubscribe",
    "Version",
    "encode",
    "recognises_mqtt",
]

Version = Literal["3.1.1", "5.0"]

#: Packets other than PUBLISH, and the properties of a PUBLISH, are no longer than this.
SMALL = 16 * 1024

MALFORMED = 0x81
PROTOCOL_ERROR = 0x82
UNSUPPORTED_VERSION = 0x84
TOO_LARGE = 0x95

_CONNECT, _PUBLISH = 1, 3
#: Reserved low bits of the first byte, by packet type.
_FLAGS = {6: 0b0010, 8: 0b0010, 10: 0b0010}
_PROTOCOL_NAME = b"\x00\x04MQTT"


class MqttError(Exception):
    """The bytes break the protocol; ``code`` is MQTT 5's reason code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def recognises_mqtt(start: bytes) -> bool | None:
    """Is this the beginning of an MQTT connection (3.1.1 or 5)?"""
    if start[:1] != b"\x10":
        return None if not start else False
    head = start[1:]
    for index in range(min(len(head), 4)):
        if not head[index] & 0x80:
            name = head[index + 1 : index + 7]
            if name == _PROTOCOL_NAME:
                return True
            return None if _PROTOCOL_NAME.startswith(name) else False
    return None if len(head) < 4 else False


class Reader:
    """Cuts a byte stream into packets."""

    __slots__ = ("buffer", "limit", "version")

    def __init__(self, limit: int) -> None:
        self.buffer = bytearray()
        #: Longest PUBLISH, bytes.
        self.limit = limit
        #: Known from CONNECT on.
        self.version: Version | None = None

    def next(self) -> AnyPacket | None:
        """The next whole packet, or None until more bytes are there. Raises :class:`MqttError`."""
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        kind, flags = buffer[0] >> 4, buffer[0] & 0x0F
        if self.version is None and kind != _CONNECT:
            raise MqttError(PROTOCOL_ERROR, "the first packet is not CONNECT")
        if kind != _PUBLISH and flags != _FLAGS.get(kind, 0):
            raise MqttError(MALFORMED, f"packet type {kind} with flags {flags:#x}")
        try:
            if kind == _PUBLISH and self.version == "5.0":
                self._bound_properties()
            limit = self.limit if kind == _PUBLISH else SMALL
            with memoryview(buffer) as view:
                found = decode(view, version=self.version or "3.1.1", max_packet_size=limit)
            if found is None:
                return None
            packet, size = found
            if isinstance(packet, Connect):
                self._connect(bytes(buffer[:size]))
        except PacketTooLargeError as error:
            raise MqttError(
                TOO_LARGE, f"a packet of {error.size} bytes, over {error.limit}"
            ) from None
        except (ValueError, IndexError, struct.error) as error:
            if kind == _CONNECT and "protocol level" in str(error):
                raise MqttError(UNSUPPORTED_VERSION, f"{error}; it must be 4 or 5") from None
            raise MqttError(MALFORMED, f"malformed packet of type {kind}: {error}") from None
        del buffer[:size]
        return packet

    def _connect(self, packet: bytes) -> None:
        """Notes the version. In CONNECT the lowest flag is reserved, and the flags of a will that
        is not there."""
        start = packet.index(_PROTOCOL_NAME) + len(_PROTOCOL_NAME)
        level, flags = packet[start], packet[start + 1]
        if flags & 0x01 or (not flags & 0x04 and flags & 0x38):
            raise MqttError(MALFORMED, f"CONNECT with flags {flags:#x}")
        self.version = "5.0" if level == 5 else "3.1.1"

    def _bound_properties(self) -> None:
        """Refuses a PUBLISH with very many properties before they are taken apart."""
        buffer = self.buffer
        start = 1
        while start < min(len(buffer), 5) and buffer[start] & 0x80:
            start += 1
        start += 1
        if len(buffer) < start + 2:
            return
        start += 2 + int.from_bytes(buffer[start : start + 2], "big")
        if (buffer[0] >> 1) & 3:
            start += 2
        length = 0
        for index, byte in enumerate(buffer[start : start + 4]):
            length |= (byte & 0x7F) << 7 * index
            if not byte & 0x80:
                break
        if length > SMALL:
            raise MqttError(TOO_LARGE, f"properties of {length} bytes, over {SMALL}")
