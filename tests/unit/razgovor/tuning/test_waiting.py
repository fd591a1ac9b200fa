from __future__ import annotations

import pytest

from pipeline.errors import Transient
from razgovor.tuning.waiting import Backlog, asked, told
from services.ingest.backlog import Waiting

URL = "postgresql://ingest@/razgovor"


def waiting(jobs: int, audio_s: float, *, priority: str = "normal", state: str = "waiting") -> Waiting:
    return Waiting(priority=priority, state=state, jobs=jobs, audio_s=audio_s, oldest_s=1.0)


def test_a_told_backlog_is_as_long_as_its_calls() -> None:
    assert told(120, 300.0) == Backlog(calls=120, audio_s=36_000.0)


def test_all_priorities_and_states_of_the_database_wait() -> None:
    urls: list[str] = []

    def look(url: str) -> list[Waiting]:
        urls.append(url)
        return [waiting(10, 900.0), waiting(2, 100.0, state="announced"), waiting(1, 60.0, priority="bulk")]

    assert asked(URL, 300.0, look=look) == Backlog(calls=13, audio_s=1_060.0)
    assert urls == [URL]


def test_calls_that_do_not_say_how_long_they_are_are_taken_for_usual_ones() -> None:
    assert asked(URL, 300.0, look=lambda _: [waiting(3, 0.0), waiting(1, 60.0)]) == Backlog(calls=4, audio_s=960.0)


def test_nothing_waits_in_an_empty_database() -> None:
    assert asked(URL, 300.0, look=lambda _: []) == Backlog(calls=0, audio_s=0.0)


def test_a_database_that_does_not_answer_is_no_empty_one() -> None:
    def look(_url: str) -> list[Waiting]:
        raise Transient("the database does not answer")

    with pytest.raises(Transient):
        asked(URL, 300.0, look=look)
