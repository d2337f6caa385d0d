"""``waypost decode``: a line for a line, at once; and by hand."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from waypost.cli import main

POSITION = "2000000001,20140529213210,-63.179111,9.781493,7,12,54.0,8,2,3.5,5"


def test_a_line_for_a_line_as_they_come() -> None:
    lines = [
        {"protocol": "wondex", "transport": "text", "payload": POSITION},
        "nonsense",
        {"protocol": "wondex", "transport": "text", "payload": "x"},
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "waypost.cli", "decode"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        results = []
        for line in lines:
            process.stdin.write(line if isinstance(line, str) else json.dumps(line))
            process.stdin.write("\n")
            process.stdin.flush()
            results.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        assert process.stdout.read() == ""
    assert process.returncode == 0
    assert results[0]["device_ids"] == ["2000000001"]
    assert results[0]["messages"][0]["location"]["latitude"] == 9.781493
    assert [result["error"] is None for result in results] == [True, False, False]


def test_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["decode", "wondex", (POSITION + "\r\n").encode().hex()])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    for part in ("2000000001", "2014-05-29T21:32:10Z", "latitude: 9.781493", "input_status: 5"):
        assert part in shown


@pytest.mark.parametrize("arguments", [["wondex", "zz"], ["nothing", "00"]])
def test_by_hand_wrongly(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["decode", *arguments])
    assert caught.value.code == 1
    assert capsys.readouterr().err.startswith("waypost: ")
