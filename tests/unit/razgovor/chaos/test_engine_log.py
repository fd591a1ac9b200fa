from __future__ import annotations

import os
from pathlib import Path

from razgovor.chaos.engine_log import EngineLog, engine_calls, last_calls_of


def test_calls_are_told_by_the_process_that_heard_them(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    path.write_text("1 a/1\n", encoding="utf-8")
    log = EngineLog(path)
    for call in ("a/1", "b/1", "c/1"):
        log.begun(call)

    assert engine_calls(path) == {"a/1": 2, "b/1": 1, "c/1": 1}
    assert last_calls_of(path, os.getpid(), 2) == ["b/1", "c/1"]
    assert last_calls_of(path, 1, 2) == ["a/1"]
    assert last_calls_of(path, 2, 2) == []


def test_without_a_log_nothing_was_heard(tmp_path: Path) -> None:
    assert not engine_calls(tmp_path / "engine.log")
    assert last_calls_of(tmp_path / "engine.log", 1, 5) == []
