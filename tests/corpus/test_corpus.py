"""Every recorded message reads as the corpus says, except those that ``exceptions.json`` names."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from waypost.protocols import all_protocols
from waypost.protocols.replay import Line, Replay, parse_line

HERE = Path(__file__).parent
EXCEPTIONS: dict[str, dict[str, str]] = json.loads((HERE / "exceptions.json").read_text())


def cases_of(name: str) -> list[dict[str, Any]]:
    path = HERE / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@cache
def results_of(name: str) -> dict[int, dict[str, Any] | Exception]:
    """The results of a whole file by case: cases of one session depend on those before them."""
    player = Replay()
    results: dict[int, dict[str, Any] | Exception] = {}
    for case in cases_of(name):
        try:
            results[case["n"]] = player.feed(line_of(case))
        except Exception as error:  # noqa: BLE001  (the case's own test raises it)
            results[case["n"]] = error
    return results


def line_of(case: dict[str, Any]) -> Line:
    return parse_line(json.dumps(case))


CASES = [
    pytest.param(case, id=f"{name}-{case['n']}")
    for name in all_protocols()
    for case in cases_of(name)
]
FRAMING = [
    pytest.param(case, id=f"{case['protocol']}-{case['n']}")
    for case in cases_of("framing")
    if case["protocol"] in all_protocols()
]


@pytest.mark.parametrize("case", CASES)
def test_case(case: dict[str, Any]) -> None:
    name, number = case["protocol"], case["n"]
    result = results_of(name)[number]
    if isinstance(result, Exception):
        raise result
    differences = compare(case, result)
    if str(number) in EXCEPTIONS.get(name, {}):
        assert differences, "decodes as the case says: take it off exceptions.json"
    else:
        assert not differences


@pytest.mark.parametrize("case", FRAMING)
def test_framing(case: dict[str, Any]) -> None:
    protocol = all_protocols()[case["protocol"]]
    buffer = bytearray.fromhex(case["stream"])
    frames = protocol().frames(buffer)
    if case["frame"] is None:
        assert frames == []
        assert len(buffer) == len(case["stream"]) // 2 - case["consumed"]
        return
    # Protocols may keep the mark of the end or not.
    assert frames[0].rstrip(b"\r\n$") == bytes.fromhex(case["frame"]).rstrip(b"\r\n$")
    alone = bytearray.fromhex(case["stream"])[: case["consumed"]]
    assert protocol().frames(alone) == frames[:1]
    assert not alone


def test_exceptions_name_existing_cases() -> None:
    for name, numbers in EXCEPTIONS.items():
        known = {str(case["n"]) for case in cases_of(name)}
        assert set(numbers) <= known, name
        assert all(reason.strip() for reason in numbers.values())


def compare(case: dict[str, Any], result: dict[str, Any]) -> list[str]:
    """Where ``result`` differs from what the case expects. More values than expected are right."""
    wrong = []
    if result["error"] is not None:
        wrong.append(f"error: {result['error']}")
    if result["device_ids"] != case["device_ids"]:
        wrong.append(f"device_ids {result['device_ids']}, expected {case['device_ids']}")
    got, expected = result["messages"], case["messages"]
    if len(got) != len(expected):
        wrong.append(f"{len(got)} messages, expected {len(expected)}")
    for index, (one, want) in enumerate(zip(got, expected, strict=False)):
        wrong += [f"message {index}: {text}" for text in _message(one, want)]
    return wrong


def _message(got: dict[str, Any], want: dict[str, Any]) -> list[str]:
    wrong = []
    for name in ("time", "device_time"):
        # An expected null may be a time that the independent decoder passed over.
        if want.get(name) is not None and got[name] != want[name]:
            wrong.append(f"{name} {got[name]}, expected {want[name]}")
    if (got["location"] is None) != (want["location"] is None):
        wrong.append(f"location {got['location']}, expected {want['location']}")
    elif want["location"] is not None:
        wrong += _location(got["location"], want["location"])
    network = want.get("network") or {}
    wrong += _network(got, network)
    for name, value in want["values"].items():
        if not _same(got["values"].get(name), value):
            wrong.append(f"{name} {got['values'].get(name)!r}, expected {value!r}")
    return wrong


def _location(got: dict[str, Any], want: dict[str, Any]) -> list[str]:
    wrong = []
    close = {"latitude": 1e-5, "longitude": 1e-5, "speed": 0.1, "hdop": 0.01, "accuracy": 1}
    close |= {"altitude": 0.51, "heading": 0.51, "satellites": 0}
    for name, tolerance in close.items():
        value, expected = got.get("precision" if name == "accuracy" else name), want.get(name)
        if expected is None:
            continue
        if value is None and expected == 0 and name in ("altitude", "speed", "heading"):
            continue
        if value is None or abs(value - expected) > tolerance + 1e-9:
            wrong.append(f"{name} {value}, expected {expected}")
    if got["valid"] != want["valid"]:
        wrong.append(f"valid {got['valid']}, expected {want['valid']}")
    return wrong


def _network(got: dict[str, Any], want: dict[str, Any]) -> list[str]:
    wrong = []
    cells = {(cell["lac"], cell["cell_id"]): cell for cell in got["mobile_cells"]}
    for cell in want.get("cells", ()):
        found = cells.get((cell["lac"], cell["cid"]))
        if found is None:
            wrong.append(f"no cell {cell}")
            continue
        for name in ("mcc", "mnc"):  # 0: unknown
            if cell[name] and found[name] != cell[name]:
                wrong.append(f"{name} {found[name]} of cell {cell}")
    points = {point["mac"]: point for point in got["wifi_points"]}
    for point in want.get("wifi", ()):
        if point["mac"] not in points:
            wrong.append(f"no access point {point}")
    return wrong


def _same(got: Any, want: Any) -> bool:
    if isinstance(want, bool) or isinstance(got, bool) or not isinstance(want, int | float):
        return bool(got == want and isinstance(got, bool) == isinstance(want, bool))
    return isinstance(got, int | float) and math.isclose(got, want, rel_tol=1e-4, abs_tol=0.006)
