"""The bench itself, on a model of a megabyte: what it says of words and speeds here means nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from bench.transcriber.__main__ import main
from razgovor.demo import samples
from services.transcriber.testing.tiny_whisper import build


def test_a_round_of_ours_and_bare_arms_gives_ratios(tmp_path: Path) -> None:
    audio, model = tmp_path / "audio", build(tmp_path / "tiny")
    audio.mkdir()
    shutil.copy(samples.folder() / "clinic.wav", audio)
    (audio / "clinic.json").write_text(json.dumps({"channels": ["раз два", "три"]}), encoding="utf-8")

    main(rounds_=1, arms="ours,B", audio=audio, model=str(model), out=tmp_path)

    found = json.loads((tmp_path / "transcriber.json").read_text(encoding="utf-8"))
    assert set(found["arms"]) == {"ours", "B"}
    assert all(one["call_s_per_s"] > 0 and one["cpu_s"] > 0 for one in found["arms"].values())
    assert set(found["ratios"]) == {"B"}
    assert all(one["low"] <= one["median"] <= one["high"] for one in found["ratios"].values())
