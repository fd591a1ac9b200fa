from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from pipeline.contracts import states
from pipeline.contracts.events import Event
from pipeline.outcome import Outcome
from pipeline.testing import samples
from services.ledger.effects import Effect, KeepResult, MergeRun, OrderErasure, PostUsage, RecordEvent, WaiveReprocess
from services.ledger.handler import Arrival, handle

WRITTEN_AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def effects_of(event: Event, *, bill_reprocess: bool = True) -> tuple[Effect, ...]:
    outcome = handle(Arrival(event.TOPIC, 3, 41, WRITTEN_AT), event, bill_reprocess=bill_reprocess)
    assert outcome.events == ()
    return outcome.effects


def kinds_of(event: Event, *, bill_reprocess: bool = True) -> list[type[Effect]]:
    return [type(effect) for effect in effects_of(event, bill_reprocess=bill_reprocess)]


def only(kind: type[Effect], event: Event) -> Effect:
    (found,) = (effect for effect in effects_of(event) if isinstance(effect, kind))
    return found


def test_a_submission_is_recorded_and_merged_as_queued() -> None:
    event = samples.audio_uploaded(priority="bulk", language="kk")
    assert handle(Arrival(event.TOPIC, 3, 41, WRITTEN_AT), event, bill_reprocess=True) == Outcome(
        effects=(
            RecordEvent(
                event_id=event.event_id,
                job_id="job-1",
                run=1,
                state="queued",
                counted=True,
                topic="audio.uploaded",
                partition=3,
                offset=41,
                recorded_at=WRITTEN_AT,
            ),
            MergeRun(
                job_id="job-1",
                run=1,
                client_id="acme",
                call_id="call-job-1",
                accepted_at=samples.ACCEPTED_AT,
                state="queued",
                rank=0,
                claimed_at=WRITTEN_AT,
                priority="bulk",
                requested_language="kk",
            ),
        )
    )


def test_an_announced_transcript_gives_state_and_turns_but_no_result() -> None:
    event = samples.transcript_ready(turns=7)
    assert kinds_of(event) == [RecordEvent, MergeRun]
    merge = only(MergeRun, event)
    assert isinstance(merge, MergeRun)
    assert (merge.state, merge.turns, merge.announced_sha256) == ("transcribed", 7, samples.SHA256)


def test_a_failure_keeps_its_reason_and_figures() -> None:
    merge = only(MergeRun, samples.job_status(state="failed", reason="too_long", details={"limit_s": "7200"}))
    assert isinstance(merge, MergeRun)
    assert (merge.state, merge.reason, merge.details) == ("failed", "too_long", {"limit_s": "7200"})


def test_a_completion_brings_the_whole_result_and_the_bill() -> None:
    event = samples.job_status()
    assert kinds_of(event) == [RecordEvent, MergeRun, KeepResult, PostUsage]
    result = only(KeepResult, event)
    assert isinstance(result, KeepResult)
    assert event.completion is not None
    assert result.transcript == event.completion.transcript
    assert result.artefacts == event.completion.artefacts
    assert result.timings == event.completion.timings


def test_the_bill_is_the_length_of_the_call_whatever_its_channels() -> None:
    stereo = samples.completion()
    mono = stereo.model_copy(update={"channels": 1, "channel_mode": "mono"})
    bills = [only(PostUsage, samples.job_status(completion=completion)) for completion in (stereo, mono)]
    assert bills[0] == bills[1]
    assert isinstance(bills[0], PostUsage)
    assert bills[0].duration_ms == stereo.duration_ms


def test_a_call_in_which_nobody_speaks_is_billed_by_its_length_too() -> None:
    silent = samples.completion().model_copy(update={"speech_ms": 0, "words": 0, "confidence": None})
    usage = only(PostUsage, samples.job_status(completion=silent))
    assert isinstance(usage, PostUsage)
    assert usage.duration_ms == silent.duration_ms > 0


@pytest.mark.parametrize(
    ("accepted_at", "period"),
    [
        (datetime(2026, 12, 1, 2, 59, tzinfo=timezone(timedelta(hours=3))), date(2026, 11, 1)),
        (datetime(2026, 12, 1, 3, 0, tzinfo=timezone(timedelta(hours=3))), date(2026, 12, 1)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), date(2026, 12, 1)),
    ],
)
def test_the_period_is_the_month_of_acceptance_in_utc(accepted_at: datetime, period: date) -> None:
    usage = only(PostUsage, samples.job_status(accepted_at=accepted_at))
    assert isinstance(usage, PostUsage)
    assert usage.period == period


def test_a_negative_duration_bills_nothing() -> None:
    completion = samples.completion().model_copy(update={"duration_ms": -5})
    usage = only(PostUsage, samples.job_status(completion=completion))
    assert isinstance(usage, PostUsage)
    assert usage.duration_ms == 0


@pytest.mark.parametrize("run", [1, 2])
def test_the_setting_says_whether_a_reprocess_is_taken_back(run: int) -> None:
    completed = samples.job_status(run=run)
    assert kinds_of(completed, bill_reprocess=True)[-1] is PostUsage
    assert kinds_of(completed, bill_reprocess=False)[-2:] == [PostUsage, WaiveReprocess]


@pytest.mark.parametrize("state", ["transcribing", "failed", "canceled"])
def test_nothing_but_completion_brings_a_result(state: str) -> None:
    assert kinds_of(samples.job_status(state=state, completion=samples.completion())) == [RecordEvent, MergeRun]


def test_an_erased_job_is_to_go_from_the_store() -> None:
    event = samples.job_status(state="erased", completion=samples.completion())
    assert kinds_of(event) == [RecordEvent, MergeRun, OrderErasure]
    assert effects_of(event)[-1] == OrderErasure(job_id=event.job_id)


def test_completed_without_a_completion_is_a_state_and_no_bill() -> None:
    assert kinds_of(samples.job_status(completion=None)) == [RecordEvent, MergeRun]


def test_a_state_of_a_newer_release_is_recorded_raw_and_changes_nothing() -> None:
    (record,) = effects_of(samples.job_status(state="held"))
    assert isinstance(record, RecordEvent)
    assert (record.state, record.counted) == ("held", False)


def test_an_event_of_a_newer_release_is_recorded_and_changes_nothing() -> None:
    class CallScored(Event):
        TOPIC = "call.scored"
        SCHEMA = "call_scored"
        VERSION = 1

    fields = samples.audio_uploaded().model_dump(include=set(Event.model_fields))
    (record,) = effects_of(CallScored(**fields))
    assert isinstance(record, RecordEvent)
    assert (record.state, record.counted) == (None, False)


def test_the_ranks_that_lie_in_databases_never_change_without_a_migration() -> None:
    assert {state: states.rank(state) for state in states.ORDER} == {
        "queued": 0,
        "transcribing": 1,
        "transcribed": 2,
        "failed": 3,
        "canceled": 4,
        "completed": 5,
        "erased": 6,
    }
