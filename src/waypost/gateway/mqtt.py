"""Devices over MQTT 3.1.1 and 5: an endpoint to publish to, not a broker.

PUBACK (QoS 1) and PUBREC (QoS 2) leave after the commit; what is not stored is not acknowledged.
Nothing is ever published to a device: subscriptions are granted, up to QoS 1, and stay silent.
Wills and retained flags are ignored. Sessions do not outlive their connection (a device that comes
back sends again what was not acknowledged), and two connections with one client id do not disturb
each other: makers ship devices that all have the same.

A message that cannot be read, or whose device gave a wrong password, is answered with its reason
code in MQTT 5 (section 3.4.2.1); 3.1.1 has no such answer, so there the connection is closed.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from waypost.gateway.connection import Pending, Reply
from waypost.gateway.mqtt_codec import (
    PROTOCOL_ERROR,
    TOO_LARGE,
    UNSUPPORTED_VERSION,
    ConnAck,
    ConnAckProperties,
    Connect,
    Disconnect,
    DisconnectProperties,
    MqttError,
    PingReq,
    PingResp,
    PubAck,
    PubAckProperties,
    PubComp,
    Publish,
    PubRec,
    PubRel,
    Reader,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    encode,
)
from waypost.gateway.tcp import AHEAD, Maker, StreamConnection
from waypost.protocols.base import Frame, Hello, MqttPublish, Protocol, Transport

if TYPE_CHECKING:
    from waypost.gateway.gateway import Gateway

#: Name of the shared port.
MQTT = "mqtt"
MQTT_PORT = 1883
#: Unacknowledged messages that a device may have under way (MQTT 5's Receive Maximum).
RECEIVE_MAXIMUM = 64
#: Bytes of an unregistered device's messages kept until it is claimed.
KEPT_BYTES = 64 * 1024
#: Bytes of topic and properties beside the payload.
OVERHEAD = 64 * 1024 + 32 * 1024

BAD_CREDENTIALS = 0x86
NOT_AUTHORISED = 0x87
UNAVAILABLE = 0x88
UNSPECIFIED = 0x80
KEEP_ALIVE_TIMEOUT = 0x8D
BAD_CLIENT_ID = 0x85
BAD_TOPIC = 0x90
BAD_ALIAS = 0x94
BAD_PAYLOAD = 0x99

#: MQTT 3.1.1's return codes of CONNACK (section 3.2.2.3) for MQTT 5's.
_OLD_CODES = {UNSUPPORTED_VERSION: 1, BAD_CLIENT_ID: 2, UNAVAILABLE: 3, BAD_CREDENTIALS: 4}


class AnyProtocol(Protocol):
    """Stands for the protocol of a connection that has not published yet."""

    transports = frozenset({Transport.MQTT})


AnyProtocol.name = MQTT  # not in the class body: the registry must not find it


class Message(MqttPublish):
    """A PUBLISH, and what its acknowledgement needs."""

    qos: int = 0
    packet_id: int = 0


class MqttConnection(StreamConnection):
    """A device on an MQTT connection."""

    __slots__ = ("accepted", "credential", "keep_alive", "kept_lost", "protocols", "reader")

    keep: ClassVar[int] = RECEIVE_MAXIMUM
    answers_all = True

    def __init__(
        self, gateway: Gateway, host: str, port: int, protocols: list[type[Protocol]]
    ) -> None:
        super().__init__(gateway, AnyProtocol(Transport.MQTT), host, port)
        limit = max((protocol.max_frame for protocol in protocols), default=0)
        self.reader = Reader(limit + OVERHEAD)
        #: Those that travel by MQTT: classes, and instances once they are needed.
        self.protocols: list[type[Protocol] | Protocol] = list(protocols)
        #: The password that CONNECT gave; it counts for every device that is published for.
        self.credential = ""
        #: CONNECT was accepted.
        self.accepted = False
        #: Seconds, as the device said; 0: none.
        self.keep_alive = 0
        #: Messages of the unregistered device were not kept: it has to connect again.
        self.kept_lost = False

    # Packets in.

    def data_received(self, data: bytes) -> None:
        if self.closed or self.gateway.stopping:
            return
        self.heard(data)
        self.reader.buffer += data
        if (
            self.blocked
            or self.gateway.pump.stalled
            or len(self.reader.buffer) > AHEAD + self.reader.limit
        ):
            self.hold()
        self.gateway.pump.add(self)

    def cut(self) -> bool:
        try:
            while not self.closed:
                packet = self.reader.next()
                if packet is None:
                    return False
                if isinstance(packet, Publish):
                    self.todo.append(self._message(packet))
                    return True
                self._control(packet)
        except MqttError as error:
            self.counters.errors += 1
            self._break_off(error.code, str(error))
        return False

    def _message(self, packet: Publish) -> Message:
        topic = packet.topic
        if packet.properties is not None and packet.properties.topic_alias is not None:
            raise MqttError(BAD_ALIAS, "topic aliases are not offered here")
        if not topic or "+" in topic or "#" in topic:
            raise MqttError(BAD_TOPIC, f"{topic!r:.100} is not a topic to publish to")
        if packet.qos and not packet.packet_id:
            raise MqttError(PROTOCOL_ERROR, "PUBLISH with packet identifier 0")
        return Message(topic, packet.payload, qos=int(packet.qos), packet_id=packet.packet_id or 0)

    def _control(self, packet: Any) -> None:
        """Everything but PUBLISH."""
        if isinstance(packet, Connect):
            self._connect(packet)
        elif isinstance(packet, PingReq):
            self._send(PingResp())
        elif isinstance(packet, PubRel):
            self._send(PubComp(packet_id=packet.packet_id))
        elif isinstance(packet, Subscribe):
            if not packet.subscriptions:
                raise MqttError(PROTOCOL_ERROR, "SUBSCRIBE without a topic filter")
            granted = tuple(min(int(wish.qos), 1) for wish in packet.subscriptions)
            self._send(SubAck(packet_id=packet.packet_id, return_codes=granted))
        elif isinstance(packet, Unsubscribe):
            if not packet.topic_filters:
                raise MqttError(PROTOCOL_ERROR, "UNSUBSCRIBE without a topic filter")
            codes = (0,) * len(packet.topic_filters)
            self._send(UnsubAck(packet_id=packet.packet_id, reason_codes=codes))
        elif isinstance(packet, Disconnect):
            self.close("disconnected by the device", usual=True)
        else:
            raise MqttError(
                PROTOCOL_ERROR, f"{type(packet).__name__} is not expected from a device"
            )

    def _connect(self, packet: Connect) -> None:
        if self.accepted:
            raise MqttError(PROTOCOL_ERROR, "a second CONNECT")
        assigned = None
        if not packet.client_id:
            if self.reader.version == "3.1.1" and not packet.clean_session:
                self._reject(BAD_CLIENT_ID, "no client id, and no clean session")
                return
            assigned = f"device-{secrets.token_hex(8)}"
        if packet.properties is not None and packet.properties.authentication_method is not None:
            self._reject(0x8C, "no authentication method but the password is known here")
            return
        if not self._username_fits(packet.username):
            self._reject(BAD_CREDENTIALS, f"user name {packet.username!r:.100} is not known")
            return
        try:
            self.credential = (packet.password or b"").decode()
        except UnicodeDecodeError:
            self._reject(BAD_CREDENTIALS, "the password is not text")
            return
        self.accepted = True
        self.keep_alive = packet.keepalive
        properties = None
        if self.reader.version == "5.0":
            properties = ConnAckProperties(
                receive_maximum=RECEIVE_MAXIMUM,
                maximum_packet_size=self.reader.limit,
                assigned_client_identifier=assigned,
                retain_available=True,
                shared_subscription_available=False,
            )
        self._send(ConnAck(session_present=False, return_code=0, properties=properties))

    def _username_fits(self, username: str | None) -> bool:
        """User names are those of the protocols that travel by MQTT; none is taken as well, since
        it is the device's password that proves anything."""
        known = {protocol.mqtt_username for protocol in self.protocols} - {None}
        return not username or not known or username in known

    def _reject(self, code: int, reason: str) -> None:
        """Answers CONNECT with a refusal, and closes."""
        shown = code if self.reader.version == "5.0" else _OLD_CODES.get(code, 5)
        self._send(ConnAck(session_present=False, return_code=shown))
        self.close(f"refused: {reason}")

    def stated_password(self, hello: Hello) -> str | None:
        return self.credential

    # Messages.

    def handle(self, frame: Frame) -> None:
        if not isinstance(frame, Message):
            raise TypeError(f"not a message: {frame!r}")
        protocol = self._protocol_of(frame.topic)
        if protocol is None:
            self._no(frame, BAD_TOPIC, f"no protocol has the topic {frame.topic!r:.100}")
            return
        if len(frame.body) > protocol.max_frame:
            self._break_off(
                TOO_LARGE, f"a message of {len(frame.body)} bytes, over {protocol.max_frame}"
            )
            return
        if protocol is not self.protocol:
            self.protocol = protocol
            self.counters.connections -= 1
            self.counters = self.gateway.metrics.of(protocol.name)
            self.counters.connections += 1
        super().handle(frame)

    def _protocol_of(self, topic: str) -> Protocol | None:
        for index, protocol in enumerate(self.protocols):
            if any(topic_matches(wanted, topic) for wanted in protocol.topics):
                if isinstance(protocol, Protocol):
                    return protocol
                made = self.protocols[index] = protocol(Transport.MQTT)
                return made
        return None

    def answer(self, frame: Frame | None, reply: Reply) -> None:
        if isinstance(frame, Message):
            self._acknowledge(frame, 0, None)

    def _acknowledge(self, message: Message, code: int, reason: str | None) -> None:
        if not message.qos:
            return
        properties = None if reason is None else PubAckProperties(reason_string=reason[:1000])
        kind = PubAck if message.qos == 1 else PubRec
        self._send(kind(packet_id=message.packet_id, reason_code=code, properties=properties))

    def _no(self, frame: Frame | None, code: int, reason: str) -> None:
        """A message is not taken, and never will be."""
        if self.reader.version == "5.0" or not isinstance(frame, Message) or not frame.qos:
            self.note(f"error: {reason}")
            if isinstance(frame, Message):
                self._acknowledge(frame, code, reason)
        else:
            self._break_off(code, reason)

    def fault(self, frame: Frame | None, reason: str) -> None:
        self._no(frame, BAD_PAYLOAD, reason)

    def refuse(self, frame: Frame, reason: str) -> None:
        self._no(frame, NOT_AUTHORISED, reason)

    def not_stored(self, pending: Pending, reason: str) -> None:
        self._break_off(UNSPECIFIED, f"not stored: {reason}")

    def unavailable(self, frame: Frame, reason: str) -> None:
        self._break_off(UNAVAILABLE, reason)

    def unregistered(self, frame: Frame) -> None:
        while len(self.kept) > 1 and sum(len(item.body) for item in self._kept()) > KEPT_BYTES:
            self.kept_lost = self.kept_lost or bool(self._kept()[0].qos)
            del self.kept[0]

    def _kept(self) -> list[Message]:
        return [item for item in self.kept if isinstance(item, Message)]

    def claimed(self, newer: Frame | None) -> None:
        super().claimed(newer)
        if self.kept_lost:
            # Within one connection a device does not send again (4.4 of both versions).
            self._break_off(UNAVAILABLE, "registered: connect again and send again")

    # Packets out.

    def _send(self, packet: Any) -> None:
        self.write(encode(packet, version=self.reader.version or "3.1.1"))

    def _break_off(self, code: int, reason: str) -> None:
        """Closes, in MQTT 5 with the reason."""
        if not self.accepted:
            if code == UNSUPPORTED_VERSION:
                self._send(ConnAck(session_present=False, return_code=1))
        elif self.reader.version == "5.0":
            properties = DisconnectProperties(reason_string=reason[:1000])
            self._send(Disconnect(reason_code=code, properties=properties))
        self.close(reason)

    def check(self, now: int) -> None:
        settings = self.gateway.settings
        if self.pending or self.waiting:
            return
        silent = now - self.last_seen
        if not self.accepted:
            if now - self.since > settings.connection_hello * 1000:
                self.close(f"no CONNECT within {settings.connection_hello} s")
        elif self.keep_alive:
            if silent > self.keep_alive * 1500:
                self._break_off(KEEP_ALIVE_TIMEOUT, f"silent for 1.5 times {self.keep_alive} s")
        elif silent > settings.connection_idle * 1000:
            self._break_off(KEEP_ALIVE_TIMEOUT, f"silent for {settings.connection_idle} s")


def topic_matches(wanted: str, topic: str) -> bool:
    """Does ``topic`` fit the filter ``wanted`` (MQTT 5.0 section 4.7)?"""
    levels, parts = wanted.split("/"), topic.split("/")
    for index, level in enumerate(levels):
        if level == "#":
            return True
        if index >= len(parts) or level not in ("+", parts[index]):
            return False
    return len(levels) == len(parts)


def mqtt_maker(protocols: list[type[Protocol]]) -> Maker:
    """What the MQTT listener makes of a connection."""

    def make(gateway: Gateway, host: str, port: int) -> MqttConnection:
        return MqttConnection(gateway, host, port, protocols)

    return make
