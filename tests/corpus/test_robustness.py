"""What must hold of every protocol, whatever bytes come: only ``ProtocolError``, and frames that do
not depend on how the network split the stream."""

from __future__ import annotations

import contextlib
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from waypost.protocols import all_protocols
from waypost.protocols.base import (
    Device,
    HttpRequest,
    MqttPublish,
    Protocol,
    ProtocolError,
    Transport,
)
from waypost.protocols.replay import Replay

HERE = Path(__file__).parent
DEVICE = Device("356938035643809")
STREAMS = [
    name
    for name, protocol in all_protocols().items()
    if {Transport.TCP, Transport.UDP} & protocol.transports
]
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@cache
def recorded(name: str) -> list[bytes]:
    """Recorded messages of a protocol as bytes, those of streams first in their framed form."""
    found = []
    for file, key in (("framing", "stream"), (name, "payload")):
        path = HERE / f"{file}.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            case = json.loads(line)
            if case["protocol"] != name:
                continue
            text = case.get("transport") == "text"
            found.append(case[key].encode() if text else bytes.fromhex(case[key]))
    return found or [b"\x00"]


def frames_of(protocol: Protocol, data: bytes, cuts: list[int]) -> tuple[list[bytes], bool]:
    """The frames of ``data`` that comes in pieces, and whether it ended in an error."""
    buffer, frames, start = bytearray(), [], 0
    try:
        for end in [*sorted(cuts), len(data)]:
            buffer += data[start:end]
            start = end
            # A protocol may return the frames before a fault first, and raise when asked again.
            while found := protocol.frames(buffer):
                frames += found
    except ProtocolError:
        return frames, True
    return frames, False


def read(protocol: Protocol, frame: bytes | HttpRequest | MqttPublish) -> None:
    """Decodes as a connection does; only ProtocolError may come of it."""
    for device, unknown in ((None, False), (None, True), (DEVICE, False)):
        with contextlib.suppress(ProtocolError):
            protocol.decode(frame, device, unknown=unknown)


@pytest.mark.parametrize("name", STREAMS)
@QUICK
@given(data=st.binary(max_size=400))
def test_any_bytes(name: str, data: bytes) -> None:
    protocol = all_protocols()[name]()
    protocol.recognises(data)
    read(protocol, data)
    buffer = bytearray(data)
    with contextlib.suppress(ProtocolError):
        for frame in protocol.frames(buffer):
            read(protocol, frame)


@pytest.mark.parametrize("name", STREAMS)
@QUICK
@given(data=st.data())
def test_frames_do_not_depend_on_the_split(name: str, data: st.DataObject) -> None:
    pieces = data.draw(st.lists(st.sampled_from(recorded(name)), min_size=1, max_size=3))
    stream = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    protocol = all_protocols()[name]
    whole, whole_failed = frames_of(protocol(), stream, [])
    split, split_failed = frames_of(protocol(), stream, cuts)
    if whole_failed:
        # What precedes the broken place may have been cut off already, in pieces.
        assert split_failed
        assert whole == split[: len(whole)]
    else:
        assert (split, split_failed) == (whole, False)


@pytest.mark.parametrize("name", STREAMS)
@QUICK
@given(data=st.data())
def test_mutated_messages(name: str, data: st.DataObject) -> None:
    broken = bytearray(data.draw(st.sampled_from(recorded(name))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(broken)))
        kind = data.draw(st.sampled_from(("change", "cut", "insert", "drop")))
        if kind == "change" and at < len(broken):
            broken[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del broken[at:]
        elif kind == "insert":
            broken[at:at] = data.draw(st.binary(min_size=1, max_size=4))
        elif kind == "drop":
            del broken[at : at + data.draw(st.integers(1, 8))]
    protocol = all_protocols()[name]()
    read(protocol, bytes(broken))
    # And the way that a recording takes, to the result that people see.
    line = {"protocol": name, "transport": "binary", "payload": broken.hex()}
    json.dumps(Replay().feed(json.dumps(line)), allow_nan=False)


@pytest.mark.parametrize("name", sorted(set(all_protocols()) - set(STREAMS)))
@QUICK
@given(body=st.binary(max_size=300), word=st.text(max_size=40))
def test_any_request(name: str, body: bytes, word: str) -> None:
    protocol = all_protocols()[name]
    if Transport.HTTP in protocol.transports:
        for method in ("POST", "GET"):
            request = HttpRequest(method, f"/{word}", {"content-type": word}, body)
            read(protocol(Transport.HTTP), request)
    if Transport.MQTT in protocol.transports:
        read(protocol(Transport.MQTT), MqttPublish(word, body))
