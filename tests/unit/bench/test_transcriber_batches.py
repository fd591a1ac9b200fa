from __future__ import annotations

import pytest

from bench.transcriber.fairness import starts_s
from bench.transcriber.watching import BatchSeen, Book, Watched, fill
from services.transcriber.domain.hearing import Batch, Passage, Search
from services.transcriber.fakes import FakeRecognizer, window


def seen(*calls: str, begun_s: float = 0.0, passages: int = 1, repeated: bool = False) -> BatchSeen:
    return BatchSeen(
        calls=frozenset(calls),
        passages=passages,
        room=4,
        speech_s=10.0 * passages,
        axis_s=20.0 * passages,
        begun_s=begun_s,
        took_s=1.0,
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
    assert found["repeated"] == pytest.approx(1 / 5)
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
