"""What a Teltonika device may rely on, and what is read of its records.

Packets named "documented" are the examples of the maker's public wiki, page "Teltonika Data Sending
Protocols".
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from teltonika_packets import (
    IMEI,
    LOGIN,
    TIME,
    datagram,
    packet,
    record,
    records,
    reseal,
)

from waypost.protocols import find_protocol
from waypost.protocols.base import (
    Command,
    CommandError,
    Decoded,
    Device,
    ProtocolError,
    Transport,
)
from waypost.protocols.replay import Replay
from waypost.protocols.teltonika import Teltonika
from waypost.telemetry.message import Message

DEVICE = Device(IMEI, "telfmb920")
CODEC_8 = bytes.fromhex(
    "000000000000003608010000016B40D8EA30010000000000000000000000000000000105021503010101425E0F01"
    "F10000601A014E0000000000000000010000C7CF"
)
CODEC_8E = bytes.fromhex(
    "000000000000004A8E010000016B412CEE00010000000000000000000000000000000001000500010001010001"
    "0011001D00010010015E2C880002000B000000003544C87A000E000000001DD7E06A00000100002994"
)
CODEC_16 = bytes.fromhex(
    "000000000000005F10020000016BDBC7833000000000000000000000000000000000000B05040200010000030002"
    "000B00270042563A00000000016BDBC7871800000000000000000000000000000000000B05040200010000030002"
    "000B00260042563A00000200005FB3"
)
GETINFO = bytes.fromhex("000000000000000F0C010500000007676574696E666F0100004312")


def decode(frame: bytes, device: Device | None = DEVICE, **known: Any) -> Decoded:
    return Teltonika().decode(frame, device, **known)


def one(data: bytes, model: str | None = "FMB920", codec: int = 0x8E) -> Message:
    """The message of a packet with one record."""
    (message,) = decode(records(data, codec=codec), Device(IMEI, model)).messages
    return message


class TestConnection:
    def test_log_in_is_answered(self) -> None:
        decoded = decode(LOGIN, None)
        assert decoded.hello is not None
        assert decoded.hello.device_ids == [IMEI]
        assert decoded.reply == b"\x01"
        assert not decoded.reply_means_stored

    def test_log_in_again_on_the_same_connection(self) -> None:
        protocol = Teltonika()
        buffer = bytearray(b"\xff" + LOGIN + CODEC_8 + LOGIN + b"\xff")
        frames = protocol.frames(buffer)
        assert frames == [b"\xff", LOGIN, CODEC_8, LOGIN, b"\xff"]
        assert not buffer
        replies = [protocol.decode(frame, DEVICE).reply for frame in frames]
        assert replies == [None, b"\x01", b"\x00\x00\x00\x01", b"\x01", None]

    @pytest.mark.parametrize("stream", [LOGIN + CODEC_8 + CODEC_8E, CODEC_16 + LOGIN + GETINFO])
    def test_a_stream_may_be_cut_anywhere(self, stream: bytes) -> None:
        whole = Teltonika().frames(bytearray(stream))
        for cut in range(1, len(stream)):
            protocol, buffer = Teltonika(), bytearray(stream[:cut])
            frames = protocol.frames(buffer)
            buffer += stream[cut:]
            assert frames + protocol.frames(buffer) == whole
            assert not buffer

    @pytest.mark.parametrize(
        "start",
        [
            b"GET / HTTP/1.1\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
            b"\x00\x0fnot-an-imei-ok!",
            b"\x00\x05",
            b"\x00\x00\x00\x01",
            bytes(4) + b"\x00\x10\x00\x00",
            bytes(8),
            bytes(4) + b"\x00\x00\x00\x20\x55",
        ],
    )
    def test_what_cannot_begin_a_frame_is_refused(self, start: bytes) -> None:
        with pytest.raises(ProtocolError, match=r"."):
            Teltonika().frames(bytearray(start))
        assert Teltonika.recognises(start) is False

    def test_frames_before_the_nonsense_count(self) -> None:
        protocol, buffer = Teltonika(), bytearray(LOGIN + b"nonsense")
        assert protocol.frames(buffer) == [LOGIN]
        with pytest.raises(ProtocolError):
            protocol.frames(buffer)

    @pytest.mark.parametrize("start", [LOGIN, CODEC_8, CODEC_16, b"\xff" + LOGIN])
    def test_it_is_recognised_by_its_first_bytes(self, start: bytes) -> None:
        assert Teltonika.recognises(start) is True
        assert Teltonika.recognises(start[:3]) is None
        assert Teltonika.recognises(b"") is None

    def test_the_registry_has_it(self) -> None:
        assert find_protocol("teltonika") is Teltonika
        assert Teltonika.port == 5027


class TestPackets:
    def test_documented_codec_8(self) -> None:
        decoded = decode(CODEC_8, Device(IMEI, "FMB120"))
        (message,) = decoded.messages
        assert decoded.reply == b"\x00\x00\x00\x01"
        assert message.time == 1_560_161_086_000
        assert message.values["board_voltage"] == 24.079
        assert message.values["gsm_level"] == 60
        assert message.values["input_status"] == 1
        assert message.values["gsm_network"] == "24602"
        assert message.event_id == 501
        assert "hardware_key" not in message.values
        # It never had a fix.
        assert not message.has_location
        assert not message.valid
        assert message.satellites == 0

    def test_documented_codec_8_extended(self) -> None:
        (message,) = decode(CODEC_8E, Device(IMEI, "FMB920")).messages
        assert message.time == 1_560_166_592_000
        assert message.values["hardware_mileage"] == 22_949.0
        assert message.values["axis_x"] == 0.029
        assert message.values["avl_io_11"] == 0x3544C87A

    def test_documented_codec_16(self) -> None:
        decoded = decode(CODEC_16, Device(IMEI, "FMB630"))
        assert decoded.reply == b"\x00\x00\x00\x02"
        assert [message.time for message in decoded.messages] == [1562760414000, 1562760415000]
        assert decoded.messages[0].values["analog_3"] == 0.039
        assert decoded.messages[0].values["board_voltage"] == 22.074

    def test_the_record_is_its_identity(self) -> None:
        """By which transport or in which packet a record comes makes no difference."""
        first, second = record(), record(time=TIME + 1)
        alone = one(first)
        _, again = decode(records(second, first)).messages
        wrapped = decode(datagram(bytes((0x8E, 1)) + first + b"\x01"), unknown=True).messages[0]
        assert alone.digest_of == again.digest_of == wrapped.digest_of == first
        assert alone.digest_of != one(second).digest_of

    @pytest.mark.parametrize("at", range(8, len(CODEC_8)))
    def test_a_wrong_byte_is_found(self, at: int) -> None:
        broken = bytearray(CODEC_8)
        broken[at] ^= 0x10
        with pytest.raises(ProtocolError, match=r"."):
            decode(bytes(broken))

    @pytest.mark.parametrize("whole", [CODEC_8, CODEC_8E, CODEC_16, GETINFO, LOGIN])
    def test_a_packet_cut_short_is_refused(self, whole: bytes) -> None:
        for end in range(len(whole)):
            assert Teltonika().frames(bytearray(whole[:end])) == []
            with pytest.raises(ProtocolError):
                decode(whole[:end])

    def test_a_record_cut_short_is_refused_in_spite_of_its_checksum(self) -> None:
        data = record({1: [(239, 1)], 2: [(66, 12000)], 8: [(78, 1)]}, variable=[(256, b"VIN")])
        for end in range(len(data)):
            with pytest.raises(ProtocolError):
                decode(packet(b"\x8e\x01" + data[:end]))
            with pytest.raises(ProtocolError):
                decode(packet(b"\x8e\x01" + data[:end] + b"\x01"))

    @pytest.mark.parametrize("counts", [(1, 2), (2, 1), (0, 1), (3, 3)])
    def test_both_counts_must_be_those_of_the_records(self, counts: tuple[int, int]) -> None:
        data = bytes((0x8E, counts[0])) + record() + bytes((counts[1],))
        with pytest.raises(ProtocolError, match=r"count|cut short|records|follow"):
            decode(packet(data))

    def test_bytes_after_the_records_are_refused(self) -> None:
        with pytest.raises(ProtocolError, match="follow"):
            decode(packet(b"\x8e\x01" + record() + b"\x01\x00"))

    def test_an_unknown_codec_is_refused(self) -> None:
        with pytest.raises(ProtocolError, match="0x55"):
            decode(packet(b"\x55\x01\x00\x01"))

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_any_change_under_a_right_checksum(self, data: st.DataObject) -> None:
        whole = data.draw(st.sampled_from([CODEC_8, CODEC_8E, CODEC_16, GETINFO]))
        broken = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 4))):
            broken[data.draw(st.integers(8, len(broken) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(ProtocolError):
            decode(reseal(bytes(broken)))

    def test_an_edited_recording_is_read_and_the_fault_noted(self) -> None:
        broken = CODEC_8[:-1] + b"\x00"
        line = {"protocol": "teltonika", "transport": "binary", "payload": broken.hex()}
        result = Replay().feed(msgspec.json.encode(line))
        assert result["error"] is None
        assert result["reply"] is None
        (message,) = result["messages"]
        assert "checksum" in message["other"]["teltonika_fault"]

    def test_sixteen_byte_elements_are_recognised(self) -> None:
        """Some models send them in codec 8; nothing in the packet says so."""
        data = record({1: [(239, 1)]}, codec=8, long=[(203, bytes(range(16)))])
        plain = record({1: [(239, 1)]}, codec=8)
        for device in (Device(IMEI), Device(IMEI, setup={"extended": True})):
            protocol = Teltonika()
            for _ in range(2):
                decoded = protocol.decode(records(data, data, codec=8), device)
                assert [m.values["avl_io_203"] for m in decoded.messages] == [
                    bytes(range(16)).hex()
                ] * 2
                decoded = protocol.decode(records(plain, codec=8), device)
                assert decoded.messages[0].values == {"ignition": True}

    def test_codecs_may_change_on_a_connection(self) -> None:
        """What was learned of the records of one must not be taken for those of another."""
        protocol = Teltonika()
        for codec in (0x08, 0x8E, 0x10, 0x8E, 0x08):
            parts = [record(codec=codec, time=TIME + step) for step in range(40)]
            messages = protocol.decode(records(*parts, codec=codec), DEVICE).messages
            assert [message.digest_of for message in messages] == parts


class TestDatagrams:
    def test_documented_codec_8(self) -> None:
        frame = bytes.fromhex(
            "003DCAFE0105000F33353230393330383634303336353508010000016B4F815B30010000000000000000"
            "000000000000000103021503010101425DBC000001"
        )
        assert Teltonika(Transport.UDP).frames(bytearray(frame)) == [frame]
        assert Teltonika.recognises(frame) is True
        decoded = decode(frame, None, unknown=True)
        assert decoded.hello is not None
        assert decoded.hello.device_ids == ["352093086403655"]
        assert decoded.messages[0].values["board_voltage"] == 23.996
        assert decoded.reply == bytes.fromhex("0005CAFE010501")

    def test_documented_codec_8_extended(self) -> None:
        frame = bytes.fromhex(
            "005FCAFE0107000F3335323039333038363430333635358E010000016B4F831C68010000000000000000"
            "0000000000000000010005000100010100010011009D00010010015E2C880002000B000000003544C87A"
            "000E000000001DD7E06A000001"
        )
        assert decode(frame, None, unknown=True).reply == bytes.fromhex("0005CAFE010701")

    def test_the_device_is_asked_for_before_its_records_are_read(self) -> None:
        """What AVL ids mean depends on the model."""
        protocol = Teltonika(Transport.UDP)
        frame = datagram(bytes((0x8E, 1)) + record({2: [(18, 100)]}) + b"\x01")
        first = protocol.decode(frame, None)
        assert first.needs_device
        assert first.hello is not None
        assert not first.messages
        assert first.reply is None
        second = protocol.decode(frame, Device(IMEI, "FMB640"))
        assert second.messages[0].values["can_fuel_rate"] == 10
        assert not protocol.decode(frame, Device(IMEI, "FMB640")).needs_device

    def test_another_device_from_the_same_address_is_asked_for(self) -> None:
        protocol = Teltonika(Transport.UDP)
        data = bytes((0x8E, 1)) + record() + b"\x01"
        other = "352093086403655"
        assert protocol.decode(datagram(data), DEVICE).messages
        asked = protocol.decode(datagram(data, other), DEVICE)
        assert asked.needs_device
        assert asked.hello is not None
        assert asked.hello.device_ids == [other]
        assert protocol.decode(datagram(data, other), Device(other)).messages
        assert protocol.decode(datagram(data), Device(other)).needs_device
        assert protocol.decode(datagram(data), None, unknown=True).messages
        assert protocol.decode(datagram(data, other), None, unknown=True).needs_device

    def test_a_datagram_is_whole_or_refused(self) -> None:
        frame = datagram(bytes((0x8E, 1)) + record({1: [(239, 1)]}) + b"\x01")
        for end in range(1, len(frame)):
            with pytest.raises(ProtocolError):
                Teltonika(Transport.UDP).frames(bytearray(frame[:end]))
            with pytest.raises(ProtocolError):
                decode(frame[:end], None, unknown=True)
        for wrong in (frame + b"\x00", frame[:-1] + b"\x02"):
            with pytest.raises(ProtocolError):
                decode(wrong, None, unknown=True)

    def test_answers_to_commands(self) -> None:
        reply = packet(b"\x0c\x01\x06\x00\x00\x00\x02OK\x01")
        assert Teltonika(Transport.UDP).frames(bytearray(reply)) == [reply]
        wrapped = datagram(reply[8:-4])
        decoded = decode(wrapped)
        assert [answer.text for answer in decoded.answers] == ["OK"]
        assert decoded.reply is None


class TestCommands:
    def test_text_goes_as_typed(self) -> None:
        encoded = Teltonika().encode(Command(1, b"getinfo"), DEVICE)
        assert encoded.data == GETINFO
        assert encoded.answered
        assert encoded.key is None

    def test_bytes_go_as_they_are(self) -> None:
        data = bytes.fromhex("010300010015d5c5")
        encoded = Teltonika().encode(Command(1, data, "hex"), DEVICE).data
        assert encoded[8:-4] == b"\x0c\x01\x05\x00\x00\x00\x08" + data + b"\x01"

    def test_a_whole_packet_goes_untouched(self) -> None:
        assert Teltonika().encode(Command(1, GETINFO, "hex"), DEVICE).data == GETINFO
        broken = GETINFO[:-1] + b"\x00"
        assert broken in Teltonika().encode(Command(1, broken, "hex"), DEVICE).data

    @pytest.mark.parametrize(
        "command",
        [
            Command(1, b""),
            Command(1, b"", "hex"),
            Command(1, b"\xff\xfe"),
            Command(1, b"x" * 70_000),
        ],
    )
    def test_what_cannot_be_sent(self, command: Command) -> None:
        with pytest.raises(CommandError):
            Teltonika().encode(command, DEVICE)

    def test_text_answer(self) -> None:
        text = "RTC:2019/7/22 7:53 Init: 2019/7/22 7:22"
        frame = packet(
            b"\x0c\x01\x06"
            + len(text + "\r\n").to_bytes(4, "big")
            + f"{text}\r\n".encode()
            + b"\x01"
        )
        decoded = decode(frame)
        (answer,) = decoded.answers
        assert (answer.text, answer.ok) == (text, True)
        assert not decoded.messages
        # Four bytes here would be taken for the beginning of a command.
        assert decoded.reply is None

    def test_binary_answer(self) -> None:
        frame = packet(b"\x0c\x01\x06\x00\x00\x00\x03\x01\x03\xff\x01")
        (answer,) = decode(frame).answers
        assert answer.text == "0103ff"
        assert answer.raw == b"\x01\x03\xff"

    def test_documented_codec_14(self) -> None:
        refused = bytes.fromhex("00000000000000100E011100000008035209308145225101000032AC")
        decoded = decode(refused)
        assert decoded.hello is not None
        assert decoded.hello.device_ids == ["352093081452251"]
        (answer,) = decoded.answers
        assert not answer.ok
        assert "IMEI" in answer.text
        body = bytes.fromhex("0352093081452251") + b"Ver:03.18.14"
        taken = packet(b"\x0e\x01\x06" + len(body).to_bytes(4, "big") + body + b"\x01")
        (answer,) = decode(taken).answers
        assert (answer.text, answer.ok) == ("Ver:03.18.14", True)

    def test_documented_codec_15(self) -> None:
        frame = bytes.fromhex(
            "000000000000001b0f010b00000013654b65a4012345678912345648656c6c6f210a01000093d6"
        )
        decoded = decode(frame)
        (message,) = decoded.messages
        assert message.time == 0x654B65A4 * 1000
        assert message.values == {"teltonika_data": "Hello!"}
        assert decoded.reply is None

    def test_axle_loads_on_the_serial_port(self) -> None:
        """Each is a report of its own, although they have neither time nor number."""
        loads = ";".join(["06.4", "04.2", *["00.0"] * 6, "01.3", "00.0", "10.7", "00.0"])
        body = f"GUUUUww{loads};SSS\r\n".encode()
        frame = packet(b"\x0c\x01\x06" + len(body).to_bytes(4, "big") + body + b"\x01")
        decoded = decode(frame)
        assert not decoded.answers
        (message,) = decoded.messages
        assert message.time is None
        assert not message.digest_of
        assert message.values["teltonika_axle_1"] == 6.4
        assert message.values["teltonika_total_truck"] == 10.7

    @pytest.mark.parametrize("data", ["0c0000", "0c01060000000001", "0c010d00000001000 1"])
    def test_what_only_keeps_the_connection_open(self, data: str) -> None:
        decoded = decode(packet(bytes.fromhex(data.replace(" ", ""))))
        assert decoded == Decoded()

    def test_counts_must_agree(self) -> None:
        with pytest.raises(ProtocolError, match="entries"):
            decode(packet(b"\x0c\x01\x06\x00\x00\x00\x02OK\x02"))
