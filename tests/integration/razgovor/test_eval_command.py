"""`razgovor eval` with the real model over shipped samples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from razgovor.__main__ import app
from razgovor.demo import samples

pytestmark = [pytest.mark.model, pytest.mark.slow]


def evaluate(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["eval", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_recordings_are_held_against_what_was_said_and_against_silence(tmp_path: Path) -> None:
    people = samples.folder() / "people"
    refs = tmp_path / "refs"
    refs.mkdir()
    (refs / "golos_04.txt").write_text("ищи телеканал про бизнес на тиви", encoding="utf-8")

    silence = str(samples.folder() / "silence.wav")
    shown = evaluate(
        *("--out", str(tmp_path / "out"), "--refs", str(refs), "--silence", silence, "--lang", "en"),
        *(str(people / name) for name in ("golos_04.wav", "golos_01.wav")),
    )

    assert "golos_04.wav" in shown
    assert "1 recordings without a reference" in shown
    [facts] = json.loads((tmp_path / "out" / "eval.json").read_text(encoding="utf-8"))
    assert facts["silence_words"] == 0
    assert {call["recording"]: call["failed"] for call in facts["calls"]} == {"golos_04.wav": None, "silence.wav": None}
    assert facts["wer"] < 0.5
    assert "ищи" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_without_any_reference_there_is_nothing_to_say(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["eval", str(samples.folder() / "silence.wav"), "--refs", str(tmp_path)])

    assert result.exit_code == 2
    assert "no recording has a reference" in result.output
