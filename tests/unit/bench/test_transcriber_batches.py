from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from bench.transcriber.fairness import starts_s
from bench.transcriber.watching import BatchSeen, Book, Watched, WatchedFrontEnd, fill
from services.transcriber.domain.hearing import Batch, Passage, Search
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.recording import Recording
from services.transcriber.fakes import FakeFrontEnd, FakeRecognizer, window


def seen(*calls: str, begun_s: float = 0.0, passages: int = 1, repeated: bool = False) -> BatchSeen:
    return BatchSeen(
        calls=frozenset(calls),
        call_s=0.0 if repeated else 30.0 * passages,
        passages=passages,
        room=4,
        speech_s=10.0 * passages,
        axis_s=20.0 * passages,
        begun_s=begun_s,
        took_s=1.0,
        stages_s={"encode": 0.5, "search": 0.25},
        repeated=repeated,
    )


def test_a_call_starts_with_the_first_batch_that_holds_a_window_of_it() -> None:
    batches = [seen("long", begun_s=1.0), seen("long", "a", begun_s=3.0), seen("a", "b", begun_s=2.5)]

    assert sorted(starts_s({"a": 2.0, "b": 2.0, "never": 1.0}, batches)) == [0.5, 0.5]


def test_batches_are_as_full_as_their_room() -> None:
    found = fill([seen("a", passages=4), seen("b", passages=1, repeated=True)])

    assert found["mean_batch"] == 2.5
    assert found["slot_fill"] == pytest.approx(5 / 8)
    assert found["window_fill"] == 0.5
    assert found["mean_window_s"] == 10.0
    assert found["mean_axis_s"] == 20.0
    assert found["repeated"] == pytest.approx(1 / 5)
    assert found["call_s"] == 120.0
    assert (found["took_s"], found["stage.encode_s"], found["stage.search_s"]) == (1.0, 0.5, 0.25)
    assert fill([]) == {}


def test_a_watched_recognizer_hears_the_same_and_writes_down_what_it_was_given() -> None:
    book, passages = Book(), tuple(Passage.whole(window(0, (0.0, 4.0), call=name)) for name in ("a", "b"))
    watched = Watched(FakeRecognizer(), book)

    heard = watched.hear(Batch(passages=passages, language="ru"))
    watched.hear(Batch(passages=passages[:1], language="ru", search=Search(whole_axis=True)))

    assert [bool(one.words) for one in heard] == [True, True]
    first, second = book.take()
    assert (first.calls, first.passages, first.speech_s, first.repeated) == (frozenset({"a", "b"}), 2, 8.0, False)
    assert second.repeated
    assert book.take() == []


def test_a_call_counts_by_its_windows_that_were_heard_and_each_of_them_once(tmp_path: Path) -> None:
    call = PreparedCall(
        duration_s=60.0,
        channels=(PreparedChannel(),),
        windows=tuple(replace(window(0, (0.0, 10.0), call="a"), index=index) for index in range(4)),
    )
    audio = tmp_path / "a.wav"
    audio.touch()
    book = Book()
    recording = Recording(call="a", sha256=sha256(b"").hexdigest())
    with WatchedFrontEnd(FakeFrontEnd(call), book).prepare(audio, recording) as prepared:
        passages = tuple(Passage.whole(one) for one in prepared.windows)
    watched = Watched(FakeRecognizer(), book)

    watched.hear(Batch(passages=passages[:3], language="ru"))
    watched.hear(Batch(passages=passages[:1], language="ru", search=Search(whole_axis=True)))

    assert [one.call_s for one in book.take()] == [45.0, 0.0]
