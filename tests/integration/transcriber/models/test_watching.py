"""A downloading child: watched, ended when it stalls, its last words kept."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from services.transcriber.models.errors import SourceFailed
from services.transcriber.models.progress import silent
from services.transcriber.models.watching import Ended, Watch, run_watched


def watch(folder: Path, stall_timeout_s: float = 60.0) -> Watch:
    return Watch(folder=folder, stage="x", total_bytes=None, progress=silent, stall_timeout_s=stall_timeout_s)


def test_status_and_last_words_come_back(tmp_path: Path) -> None:
    program = "import sys; print('out'); sys.exit('why')"
    ended = run_watched([sys.executable, "-c", program], watch(tmp_path), extra_environment={})
    assert ended == Ended(1, "out\n", "why\n")


def test_the_environment_is_the_parents_and_more(tmp_path: Path) -> None:
    program = "import os; print(os.environ['MORE'], 'PATH' in os.environ)"
    ended = run_watched([sys.executable, "-c", program], watch(tmp_path), extra_environment={"MORE": "more"})
    assert ended.output == "more True\n"


def test_a_child_that_brings_nothing_is_ended(tmp_path: Path) -> None:
    program = f"import os, pathlib, signal; pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid())); signal.pause()"
    with pytest.raises(SourceFailed, match="nothing came"):
        run_watched([sys.executable, "-c", program], watch(tmp_path, stall_timeout_s=0.5), extra_environment={})
    pid = int((tmp_path / "pid").read_text())
    assert not Path("/proc", str(pid)).exists()


def test_the_growing_folder_is_the_progress(tmp_path: Path) -> None:
    seen: list[int] = []
    go = tmp_path / "go"
    folder = tmp_path / "growing"
    folder.mkdir()
    (folder / "half").write_bytes(b"x" * 100)
    program = f"import pathlib\nwhile not pathlib.Path({str(go)!r}).exists(): pass"

    def progress(stage: str, done_bytes: int, total_bytes: int | None) -> None:
        assert (stage, total_bytes) == ("x", 80)
        seen.append(done_bytes)
        go.touch()

    run_watched(
        [sys.executable, "-c", program],
        Watch(folder=folder, stage="x", total_bytes=80, progress=progress),
        extra_environment={},
    )
    assert set(seen) == {80}, "never more than the whole"
