"""`razgovor doctor`: how findings are shown, and what the exit code says."""

from __future__ import annotations

import json

import pytest
import typer

from razgovor.commands.doctor import present
from razgovor.doctor.finding import missing, ok, warning

HEALTHY = [ok("python", "3.11.7"), warning("disk", "2 GB", "Free some room.")]
SICK = [*HEALTHY, missing("broker", "no answer [at all]", "Start Kafka.")]


def test_warnings_do_not_fail(capsys: pytest.CaptureFixture[str]) -> None:
    present(HEALTHY, as_json=False)
    output = capsys.readouterr().out
    assert "Free some room." in output


def test_something_missing_fails_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        present(SICK, as_json=False)
    assert caught.value.exit_code == 1
    output = capsys.readouterr().out
    assert "Start Kafka." in output
    assert "[at all]" in output


def test_json_holds_every_finding(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        present(SICK, as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert [(row["subject"], row["state"]) for row in answer["findings"]] == [
        ("python", "ok"),
        ("disk", "warning"),
        ("broker", "missing"),
    ]
    assert answer["findings"][2]["advice"] == "Start Kafka."
