from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.errors import CallFault
from razgovor.local_transcriber import local_transcriber, settings
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine, FakeFrontEnd
from services.transcriber.ports import EngineCrashed
from tests.unit.razgovor.fake_children import Children


class Meeting(FakeEngine):
    """Hears only when so many calls are inside at once."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self._barrier = threading.Barrier(calls, timeout=30)

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        self._barrier.wait()
        return super().transcribe(windows, hearing)


def files(folder: Path, number: int) -> list[Path]:
    paths = [folder / f"{index}.wav" for index in range(number)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_every_file_is_heard_several_at_once(tmp_path: Path) -> None:
    children = Children(Meeting(4))
    with local_transcriber(settings(max_in_flight=4, scratch_dir=tmp_path), children=children) as transcriber:
        recordings = files(tmp_path, 8)
        heard = list(transcriber.hear(recordings))

    assert sorted(one.path for one in heard) == recordings
    assert all(one.transcript is not None and one.transcript.words and one.reason is None for one in heard)
    assert children.closed
    assert not list(tmp_path.glob("razgovor-local-*"))


@pytest.mark.parametrize(
    ("children", "reason"),
    [
        (Children(FakeEngine(CallFault("engine_failed"))), "engine_failed"),
        (Children(FakeEngine(EngineCrashed("died"))), "engine_failed"),
        (Children(FakeEngine(), FakeFrontEnd(error=CallFault("no_audio"))), "no_audio"),
    ],
)
def test_a_call_that_fails_says_why(tmp_path: Path, children: Children, reason: str) -> None:
    with local_transcriber(settings(scratch_dir=tmp_path), children=children) as transcriber:
        [heard] = transcriber.hear(files(tmp_path, 1))

    assert (heard.transcript, heard.reason) == (None, reason)


def test_the_same_file_may_be_heard_again(tmp_path: Path) -> None:
    with local_transcriber(settings(scratch_dir=tmp_path), children=Children(FakeEngine())) as transcriber:
        [path] = files(tmp_path, 1)
        assert [one.reason for _ in range(2) for one in transcriber.hear([path])] == [None, None]
