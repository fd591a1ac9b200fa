from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts.events import AudioObject, Event
from pipeline.testing import samples
from services.ledger.board.counting import Board, Picture

AT = samples.ACCEPTED_AT


def uploaded(job_id: str, **fields: Any) -> Event:
    audio = AudioObject(key="k", sha256="s", size_bytes=1, media_type="audio/wav", declared_duration_ms=60_000)
    return samples.audio_uploaded(job_id, audio=audio, **fields)


def picture(*said: Event, **options: Any) -> Picture:
    board = Board(**options)
    for event in said:
        board.take(event, AT)
    return board.picture(AT)


def jobs(shown: Picture) -> dict[tuple[str, str], int]:
    return {(line.client_id, line.state): line.jobs for line in shown.lines}


def test_jobs_are_counted_by_client_and_state() -> None:
    shown = picture(
        uploaded("a"), uploaded("b", client_id="other"), uploaded("c"), samples.job_status("c", state="failed")
    )
    assert jobs(shown) == {("acme", "queued"): 1, ("acme", "failed"): 1, ("other", "queued"): 1}


def test_the_backlog_is_what_has_not_ended() -> None:
    shown = picture(uploaded("a"), uploaded("b"), samples.transcript_ready("b"), uploaded("c"), samples.job_status("c"))
    assert (shown.backlog_jobs, shown.backlog_audio_s) == (2, 120.0)


SAID = [
    uploaded("a"),
    samples.job_status("a", state="transcribing"),
    samples.transcript_ready("a"),
    samples.job_status("a"),
]


@given(st.permutations(SAID * 2))
def test_order_and_repetition_change_nothing_now(said: list[Event]) -> None:
    shown = picture(*said)
    assert jobs(shown)["acme", "completed"] == 1
    assert sum(jobs(shown).values()) == 1
    assert (shown.backlog_jobs, shown.backlog_audio_s) == (0, 0.0)


def test_a_further_run_puts_a_job_back() -> None:
    shown = picture(uploaded("a"), samples.job_status("a", state="failed"), uploaded("a", run=2))
    assert jobs(shown) | {("acme", "failed"): 0} == {("acme", "queued"): 1, ("acme", "failed"): 0}


def test_lately_is_within_the_window() -> None:
    board = Board(timedelta(minutes=10))
    board.take(uploaded("old"), AT)
    board.take(uploaded("new"), AT + timedelta(minutes=30))
    (line,) = board.picture(AT + timedelta(minutes=31)).lines
    assert (line.jobs, line.lately) == (2, 1)


def test_what_is_longest_untouched_is_forgotten_beyond_the_bound() -> None:
    shown = picture(*(uploaded(f"job-{number}") for number in range(50)), jobs_max=10)
    assert shown.backlog_jobs == 10


def test_a_claim_of_a_newer_release_counts_nothing() -> None:
    assert picture(samples.job_status(state="held")).lines == ()
