"""Recorded lines through decoders: one answer for each, sessions that remember, errors that say
what was wrong. The decoder here is made for it, so that only the replay itself is at work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from waypost.protocols import replay as module
from waypost.protocols.base import (
    Answer,
    Decoded,
    Device,
    Hello,
    HttpReply,
    HttpRequest,
    MqttPublish,
    Protocol,
    ProtocolError,
    Transport,
)
from waypost.protocols.replay import Replay, replay
from waypost.telemetry.message import Cell, Message, Wifi


class Words(Protocol):
    """``id=X`` is a log-in, ``ask`` reads only with the device's record, ``bad`` is refused; other
    words are messages. A frame ends with ``;``."""

    name = "words"
    transports = frozenset(Transport)
    port = 1

    def __init__(self, transport: Transport = Transport.TCP) -> None:
        super().__init__(transport)
        self.count = 0

    def frames(self, buffer: bytearray) -> list[bytes]:
        if buffer.startswith(b"!"):
            raise ProtocolError("a frame does not begin with !")
        *found, rest = bytes(buffer).split(b";")
        buffer[:] = rest
        return found

    def decode(self, frame: Any, device: Device | None, *, unknown: bool = False) -> Decoded:
        self.count += 1
        if isinstance(frame, HttpRequest):
            return self.request(frame)
        word = frame.body.decode() if isinstance(frame, MqttPublish) else frame.decode()
        if word.startswith("id="):
            return Decoded(hello=Hello(word[3:].split("+")), reply=b"\x01")
        if word.startswith("bad"):
            raise ProtocolError("a bad word")
        if word.startswith("ok"):
            return Decoded(answers=[Answer(word)])
        if word.startswith("ask"):
            if device is None and not unknown:
                return Decoded(hello=Hello([word[3:]]), needs_device=True)
            text = f"{device.device_id}:{device.model}:{device.setup}" if device else "unknown"
            return Decoded(messages=[Message(None, b"", values={"words_device": text})])
        values = {"words_count": self.count, "ignition": True, "words_raw": b"\xff"}
        values["words_odd"] = [float("nan"), {"x": b"\x01"}]
        message = Message(1_500, b"", values=values, latitude=1.0, longitude=2.0, precision=7)
        message.cells = [Cell(1, 2, 310, 260, -70)]
        message.wifi = [Wifi("aa:bb:cc:dd:ee:ff", -40)]
        return Decoded(messages=[message], reply=b"\x02")

    def request(self, request: HttpRequest) -> Decoded:
        text = f"{request.method} {request.target} {request.headers} {request.body!r}"
        status = 400 if request.method == "PUT" else 200
        return Decoded(
            messages=[Message(None, b"", values={"words_request": text})],
            reply=HttpReply(status, b"done"),
        )


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {"words": Words}
    monkeypatch.setattr(module, "find_protocol", lambda name: known.get(name.lower()))
    return


def line(payload: str, transport: str = "text", **more: Any) -> str:
    return json.dumps({"protocol": "words", "transport": transport, "payload": payload} | more)


def test_the_form_of_a_message() -> None:
    (result,) = replay([line("hello", device_id=42)])
    assert result == {
        "device_ids": [],
        "messages": [
            {
                "device_id": "42",
                "time": "1970-01-01T00:00:01.500Z",
                "device_time": None,
                "location": {
                    "latitude": 1.0,
                    "longitude": 2.0,
                    "altitude": None,
                    "speed": None,
                    "heading": None,
                    "satellites": None,
                    "hdop": None,
                    "valid": True,
                    "source": "GNSS",
                    "precision": 7,
                },
                "mobile_cells": [
                    {"mcc": 310, "mnc": 260, "lac": 1, "cell_id": 2, "rssi": -70, "type": None}
                ],
                "wifi_points": [
                    {"mac": "aa:bb:cc:dd:ee:ff", "rssi": -40, "age": None, "channel": None}
                ],
                "event_id": None,
                "values": {"ignition": True},
                "other": {
                    "words_count": 1,
                    "words_raw": "ff",
                    "words_odd": [None, {"x": "01"}],
                },
            }
        ],
        "reply": "02",
        "error": None,
    }


def test_lines_of_a_session_share_a_connection() -> None:
    results = list(
        replay(
            [
                line("id=A+B", session=1),
                line("x", session=1),
                line("x", session=2),
                line("x"),
                line("x"),
                line("x", session=1),
            ]
        )
    )
    assert results[0]["device_ids"] == ["A", "B"]
    counts = [
        (message["other"]["words_count"], message["device_id"])
        for result in results
        for message in result["messages"]
    ]
    assert counts == [(2, "A"), (1, None), (1, None), (1, None), (3, "A")]


def test_the_device_is_looked_up_where_the_decoder_asks() -> None:
    def device(*lines: str) -> str:
        result = list(replay(lines))[-1]
        return str(result["messages"][0]["other"]["words_device"])

    assert device(line("askA")) == "A:None:{}"
    assert device(line("askA", device_id="Z", model="m")) == "Z:m:{}"
    assert device(line("askA", setup={"form": "%CI"})) == ":None:{'form': '%CI'}"
    first = line("id=A", session=1, setup={"a": 1}, model="m")
    assert device(first, line("ask", session=1)) == "A:m:{'a': 1}"
    assert device(first, line("ask", session=1, setup={})) == "A:m:{}"


def test_frames_of_one_line_are_joined() -> None:
    stream = b"id=A;x;id=A+B;"
    (result,) = replay([line(stream.hex(), "binary")])
    assert result["device_ids"] == ["A", "B"]
    assert result["reply"] == "010201"
    assert len(result["messages"]) == 1
    assert result["error"] is None


def test_what_is_left_over_is_said_and_what_was_read_is_kept() -> None:
    results = list(
        replay(
            [
                line(b"x;half".hex(), "binary"),
                line(b"x;bad;x;".hex(), "binary"),
                line(b"!".hex(), "binary"),
                line(b"whole".hex(), "binary"),
            ]
        )
    )
    errors = [result["error"] for result in results]
    assert errors == [
        "4 bytes follow the last frame",
        "a bad word",
        "a frame does not begin with !",
        None,
    ]
    assert [len(result["messages"]) for result in results] == [1, 1, 0, 1]


def test_answers_to_commands_are_shown() -> None:
    (result,) = replay([line("ok=1")])
    (message,) = result["messages"]
    assert (message["time"], message["location"], message["values"]) == (None, None, {})
    assert message["other"] == {"answer": "ok=1"}


def test_requests_and_publications() -> None:
    results = list(
        replay(
            [
                line("POST /a?b=1\nX-Y: z\n\nbody", "http"),
                line("PUT /\r\n\r\n00ff", "http", body="hex"),
                line("PUBLISH a/b\n\nid=A", "mqtt"),
            ]
        )
    )
    texts = [result["messages"][0]["other"]["words_request"] for result in results[:2]]
    assert texts == ["POST /a?b=1 {'x-y': 'z'} b'body'", r"PUT / {} b'\x00\xff'"]
    assert results[0]["reply"] == b"done".hex()
    assert [result["error"] for result in results] == [None, "400 done", None]
    assert results[2]["device_ids"] == ["A"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("", "not a line"),
        ("{}", "protocol"),
        ("[1]", "not a line"),
        (b"\xff\xfe", "not a line"),
        ("[" * 5000, "not a line"),
        ('{"protocol": "words", "transport": "text"}', "payload"),
        ('{"protocol": "words", "transport": "text", "payload": 5}', "payload"),
        ('{"protocol": "none", "transport": "text", "payload": ""}', "no protocol"),
        (line("x", "pigeon"), "pigeon"),
        (line("xyz", "binary"), "not hex"),
        (line("nothing", "http"), "METHOD URI"),
        (line("GET /\nnonsense\n\n", "http"), "header"),
        (line("SUBSCRIBE x\n\n", "mqtt"), "PUBLISH"),
        (line("PUBLISH x\n\nzz", "mqtt", body="hex"), "not hex"),
        (line("PUBLISH x\n\nzz", "mqtt", body="base64"), "base64"),
        (line("x", setup=[]), "setup"),
        (line("bad"), "a bad word"),
    ],
)
def test_a_wrong_line_has_one_answer_that_says_why(raw: str | bytes, said: str) -> None:
    player = Replay()
    result = player.feed(raw)
    assert set(result) == {"device_ids", "messages", "reply", "error"}
    assert said in result["error"]
    assert result["messages"] == []
    assert player.feed(line("x"))["error"] is None
