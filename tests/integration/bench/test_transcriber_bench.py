"""The bench itself, on a model of a megabyte: what it says of words and speeds here means nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bench.transcriber.__main__ import main
from bench.transcriber.arms import BARE, OURS, Platform, make
from razgovor.demo import samples
from services.transcriber.testing.tiny_whisper import build


def test_a_round_of_ours_and_a_bare_arm_gives_ratios(tmp_path: Path) -> None:
    audio, model = tmp_path / "audio", build(tmp_path / "tiny")
    audio.mkdir()
    shutil.copy(samples.folder() / "clinic.wav", audio)
    (audio / "clinic.json").write_text(json.dumps({"channels": ["раз два", "три"]}), encoding="utf-8")

    main(rounds_=1, arms=f"{OURS},B", audio=audio, model=str(model), out=tmp_path)

    found = json.loads((tmp_path / "transcriber.json").read_text(encoding="utf-8"))
    assert set(found["arms"]) == {OURS, "B"}
    assert all(one["call_s_per_s"] > 0 and one["cpu_s"] > 0 for one in found["arms"].values())
    assert set(found["ratios"]) == {"B"}
    assert all(one["low"] <= one["median"] <= one["high"] for one in found["ratios"].values())


@pytest.mark.parametrize("name", BARE)
def test_every_bare_arm_hears_each_recording(tmp_path: Path, name: str) -> None:
    arm = make(name, Platform(model=build(tmp_path / "tiny")))
    recordings = [samples.folder() / "clinic.wav", samples.folder() / "silence.wav"]

    heard = dict(arm.hear(recordings))

    assert set(heard) == set(recordings)
    assert [heard[path].duration_s for path in recordings] == pytest.approx([54.5, 20.0], abs=0.2)
