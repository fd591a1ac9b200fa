from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.health import MAX_AGE_S, complaint

NOW_S = 1_000_000.0


def status(folder: Path, state: str, age_s: float = 0.0) -> Path:
    path = folder / "status.json"
    path.write_text(json.dumps({"state": state, "pid": 1}))
    os.utime(path, (NOW_S - age_s, NOW_S - age_s))
    return path


@pytest.mark.parametrize("state", ["ready", "fused"])
def test_a_service_at_work_is_healthy(tmp_path: Path, state: str) -> None:
    assert complaint(status(tmp_path, state, MAX_AGE_S - 1), NOW_S) is None


@pytest.mark.parametrize("state", ["starting", "waiting", "draining", "stopped", "failed"])
def test_a_service_that_is_not_at_work_says_what_it_is(tmp_path: Path, state: str) -> None:
    assert complaint(status(tmp_path, state), NOW_S) == f"it is {state}"


def test_a_service_that_gives_no_sign_of_life_is_not_healthy(tmp_path: Path) -> None:
    assert complaint(status(tmp_path, "ready", MAX_AGE_S + 1), NOW_S) == "no sign of life for 31 s"


@pytest.mark.parametrize("text", [None, "", "[]", "{}", "no json"])
def test_a_file_that_says_nothing_is_not_healthy(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "status.json"
    if text is not None:
        path.write_text(text)
    assert complaint(path, NOW_S) is not None
