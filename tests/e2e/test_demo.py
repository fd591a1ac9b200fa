"""The demo as a stranger runs it: a process, its exit status, what it prints and leaves behind."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.command import run_razgovor, start_razgovor

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]

CALLS = {"bank.wav", "clinic.wav", "complaint.wav", "delivery.flac", "internet.ogg", "sales.mp3"}


def test_two_demos_side_by_side_transcribe_the_samples(tmp_path: Path) -> None:
    demos = [start_razgovor("demo", "--out", str(tmp_path / name), "--lang", name) for name in ("en", "ru")]
    printed = [demo.communicate(timeout=800)[0] for demo in demos]
    for demo, text in zip(demos, printed, strict=True):
        assert demo.returncode == 0, text
    assert "Every recording ended as expected." in printed[0]
    assert re.search(r"The page, in Russian and English: http://127\.0\.0\.1:\d+/\n", printed[0])
    assert re.search(r"Sign in once, within 15 minutes: http://127\.0\.0\.1:\d+/#/sign-in/[\w-]{43}\n", printed[0])
    assert "razgovor demo --keep" in printed[0]
    assert "Каждая запись закончилась так, как ожидалось." in printed[1]
    for folder in (tmp_path / "en", tmp_path / "ru"):
        judge(folder)


def judge(folder: Path) -> None:
    rows = {row["file"]: row for row in json.loads((folder / "summary.json").read_text(encoding="utf-8"))["rows"]}
    assert rows.keys() >= CALLS
    for name in CALLS:
        assert rows[name]["state"] == "completed"
        assert rows[name]["channel_mode"] == "stereo"
        for artefact in rows[name]["artefacts"].values():
            assert (folder / artefact).stat().st_size > 0
    assert (rows["broken.wav"]["state"], rows["broken.wav"]["reason"]) == ("failed", "invalid_header")
    assert (rows["silence.wav"]["state"], rows["silence.wav"]["words"]) == ("completed", 0)
    assert (folder / "calls.xlsx").read_bytes().startswith(b"PK")


def test_transcribe_does_only_what_is_new(tmp_path: Path) -> None:
    samples = Path(__file__).parents[2] / "razgovor" / "demo" / "samples"
    calls, out = tmp_path / "calls", tmp_path / "out"
    calls.mkdir()
    (calls / "silence.wav").write_bytes((samples / "silence.wav").read_bytes())
    (calls / "command.wav").write_bytes((samples / "people" / "golos_02.wav").read_bytes())
    (calls / "notes.wav").write_text("это не звук\n" * 100, encoding="utf-8")

    first = run_razgovor("transcribe", str(calls), "--out", str(out))
    assert first.returncode == 1, first.stdout  # one of them is no recording
    rows = {row["file"]: row for row in json.loads((out / "summary.json").read_text(encoding="utf-8"))["rows"]}
    assert rows["notes.wav"]["reason"] == "unsupported_media"
    assert rows["silence.wav"]["words"] == 0
    assert "яблоки" in (out / "command.txt").read_text(encoding="utf-8").lower()
    assert "моно" in first.stdout

    (calls / "notes.wav").unlink()
    written = (out / "command.json").stat().st_mtime_ns
    second = run_razgovor("transcribe", str(calls), "--out", str(out))
    assert second.returncode == 0, second.stdout
    assert (out / "command.json").stat().st_mtime_ns == written
    third: subprocess.CompletedProcess[str] = run_razgovor("transcribe", str(calls), "--out", str(out), "--redo")
    assert third.returncode == 0, third.stdout
    assert (out / "command.json").stat().st_mtime_ns > written


@pytest.mark.parametrize(
    "arguments",
    [
        ("transcribe", "nowhere.wav", "--out", "out"),
        ("transcribe", ".", "--out", "out"),
        ("transcribe", __file__, "--out", "out", "--formats", "pdf"),
        ("transcribe", __file__, "--out", "out", "--model", "no-such-model"),
    ],
)
def test_a_wrong_command_line_is_told_in_words_and_starts_nothing(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    answer = run_razgovor(*arguments, cwd=tmp_path)
    assert answer.returncode in {1, 2}
    assert "Traceback" not in answer.stdout
    assert not (tmp_path / "out" / "summary.json").exists()
