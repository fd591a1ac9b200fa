"""Each invariant broken in every way that its judge knows: a checker that never fails is worthless."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from pipeline.contracts import layout, states
from razgovor.audit.facts import JobFacts, RunRow, TopicRecord, TranscriptSays
from razgovor.audit.judges.answers import judge_loose
from tests.unit.razgovor.audit.world import (
    ACCEPTED_AT,
    JOB,
    NOW,
    READY,
    SHA,
    STATUS,
    UPLOADED,
    broken,
    called,
    completed_run,
    completed_twice,
    failed,
    healthy,
    job_row,
    legs,
    noted,
    nothing_passed,
    record,
    refused,
    seen,
    stored,
    submission,
    view,
    without,
)

TRANSCRIPT = layout.transcript_key(JOB, 1, SHA)
TEXT = layout.artefact_key(JOB, 1, SHA, "txt")
COMPLETED = f"{STATUS}:completed"
FAILED = f"{STATUS}:failed"


def other_object(key: str, job: JobFacts | None = None, **fields: object) -> JobFacts:
    """A healthy job, one object of which is another."""
    job = job or healthy()
    return replace(job, objects=tuple(replace(one, **fields) if one.key == key else one for one in job.objects))  # type: ignore[arg-type]


def other_legs(**fields: object) -> JobFacts:
    """A healthy job whose client's leg is another."""
    client, service = legs()
    return healthy(usage=(replace(client, **fields), service))  # type: ignore[arg-type]


@pytest.mark.parametrize("job", [healthy(), failed(), completed_twice(), completed_twice(waived=True)])
@pytest.mark.parametrize("drained", [True, False])
def test_a_healthy_job_breaks_nothing(job: JobFacts, *, drained: bool) -> None:
    assert broken(job, view(drained=drained)) == set()
    assert noted(job, view(drained=drained)) == set()


# --- I1


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (healthy(job=None, runs=(), results=(), artefacts=(), usage=(), seen=(), records=()), "unfinished"),
        (failed(submission=submission(2)), "unfinished"),
        (
            healthy(runs=(RunRow(job_id=JOB, run=1, state=states.TRANSCRIBED),), results=(), artefacts=(), usage=()),
            "unfinished",
        ),
        (failed(job=job_row(2), runs=(RunRow(job_id=JOB, run=2, state=states.FAILED),)), "run_never_started"),
        (healthy(submission=None), "never_accepted"),
        (failed(runs=(RunRow(job_id=JOB, run=1, state=states.CANCELED),)), "not_the_strongest_claim"),
        (
            healthy(runs=(RunRow(job_id=JOB, run=1, state=states.FAILED, completed_at=ACCEPTED_AT),)),
            "not_the_strongest_claim",
        ),
    ],
)
def test_i1(job: JobFacts, code: str) -> None:
    assert ("I1", code) in broken(job)


def test_i1_an_unfinished_job_is_none_while_work_goes_on() -> None:
    job = healthy(job=None, runs=(), results=(), artefacts=(), usage=(), seen=(), records=(record(UPLOADED),))
    assert broken(job, view(drained=False, commits=nothing_passed())) == set()
    assert ("I1", "unfinished") in noted(job, view(drained=False, commits=nothing_passed()))


def test_i1_two_ends_are_noted() -> None:
    told = healthy(seen=(*healthy().seen, seen(FAILED)), records=(*healthy().records, record(FAILED)))
    assert broken(told) == set()
    assert noted(told) == {("I1", "told_two_ends")}


def test_i1_erasure_may_come_over_every_end() -> None:
    job = healthy()
    erased = replace(job.runs[0], state=states.ERASED, erased_at=ACCEPTED_AT)
    also = replace(job.seen[0], event_id="e", state=states.ERASED)
    assert broken(replace(job, runs=(erased,), seen=(*job.seen, also), objects=())) == set()


# --- I2


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (healthy(usage=()), "completed_not_billed"),
        (failed(usage=legs()), "billed_not_completed"),
        (healthy(usage=legs()[:1]), "not_two_legs"),
        (healthy(usage=(*legs(), legs()[0])), "not_two_legs"),
        (other_legs(duration_ms=59_999), "legs_do_not_sum_to_0"),
        (other_legs(duration_ms=59_999), "another_duration"),
        (other_legs(amount=Decimal("1.49")), "legs_do_not_sum_to_0"),
        (other_legs(currency="RUB"), "two_currencies"),
        (other_legs(period="2026-12-01"), "another_period"),
        (other_legs(accepted_at=ACCEPTED_AT + timedelta(hours=1)), "another_acceptance"),
        (healthy(usage=(*legs(), *legs(kind="transcription_waived", sign=-1))), "waived_the_first"),
        (failed(usage=legs(kind="transcription_waived", sign=-1)), "waived_not_billed"),
        (
            replace(
                completed_twice(),
                usage=(*legs(), *legs(2), *legs(2, "transcription_waived", -1, duration_ms=0, amount=Decimal(0))),
            ),
            "waived_another_amount",
        ),
    ],
)
def test_i2(job: JobFacts, code: str) -> None:
    assert ("I2", code) in broken(job)


def test_i2_another_balanced_entry_of_a_completed_run_is_a_correction() -> None:
    assert broken(healthy(usage=(*legs(), *legs(kind="goodwill", sign=-1)))) == set()


# --- I3


@pytest.mark.parametrize(
    ("expired", "left"),
    [
        ({"audio_expired": True}, {TRANSCRIPT, TEXT}),
        ({"transcript_expired": True}, {layout.audio_key(JOB)}),
        ({"audio_expired": True, "transcript_expired": True}, set()),
    ],
)
def test_i3_what_expired_as_its_client_agreed_is_not_missing(expired: dict[str, bool], left: set[str]) -> None:
    objects = tuple(found for found in healthy().objects if found.key in left)
    assert broken(healthy(job=job_row(**expired), objects=objects)) == set()
    assert ("I3", "object_missing") in broken(healthy(objects=objects))


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (healthy(objects=without(healthy().objects, key=TRANSCRIPT)), "object_missing"),
        (healthy(objects=without(healthy().objects, key=TEXT)), "object_missing"),
        (healthy(objects=without(healthy().objects, key=layout.audio_key(JOB))), "object_missing"),
        (other_object(TEXT, size_bytes=8), "another_size"),
        (other_object(TEXT, sha256="b" * 64), "another_hash"),
        (other_object(layout.audio_key(JOB), failed(), sha256="b" * 64), "another_hash"),
        (healthy(results=()), "completed_without_result"),
        (healthy(results=(replace(healthy().results[0], transcript_sha256="b" * 64),)), "key_of_another_hash"),
    ],
)
def test_i3(job: JobFacts, code: str) -> None:
    assert ("I3", code) in broken(job)


def test_i3_what_was_not_read_is_compared_by_size_alone() -> None:
    assert broken(other_object(TEXT, sha256=None)) == set()
    assert ("I3", "another_size") in broken(other_object(TEXT, sha256=None, size_bytes=8))


def test_i3_what_retention_took_is_not_missed() -> None:
    gone = healthy(objects=())
    assert broken(gone, view(retention=timedelta(days=2))) == set()
    assert ("I3", "object_missing") in broken(gone, view(retention=timedelta(days=4)))


def test_i3_without_a_store_objects_are_not_asked_for() -> None:
    assert broken(healthy(objects=()), view(store=False)) == set()


# --- I4


def test_i4() -> None:
    orphan = JobFacts(job_id="nobody", objects=(stored("jobs/nobody/audio"),))
    assert broken(orphan) == {("I4", "orphan")}
    young = view(now=ACCEPTED_AT + timedelta(hours=23))
    assert broken(orphan, young) == set()
    assert noted(orphan, young) == {("I4", "young_orphan")}
    assert broken(orphan, view(now=ACCEPTED_AT + timedelta(hours=1), orphan_age=timedelta(0))) == {("I4", "orphan")}


def test_i4_one_young_object_keeps_a_prefix_young() -> None:
    late = replace(stored("jobs/nobody/call.json"), modified_at=NOW)
    assert broken(JobFacts(job_id="nobody", objects=(stored("jobs/nobody/audio"), late))) == set()


# --- I5 and I6


@pytest.mark.parametrize(
    "job",
    [
        healthy(seen=without(healthy().seen, state=states.COMPLETED)),
        healthy(  # the exporter has passed a transcript, and nobody completed the job
            seen=without(healthy().seen, state=states.COMPLETED),
            records=without(healthy().records, kind=COMPLETED),
        ),
        failed(  # the transcriber has passed a call, and told nothing
            seen=without(failed().seen, state=states.FAILED), records=without(failed().records, kind=FAILED)
        ),
    ],
)
def test_i5(job: JobFacts) -> None:
    assert ("I5", "passed_unfinished") in broken(job, view(drained=False))
    unpassed = view(commits=nothing_passed())
    assert ("I6", "in_flight") in broken(job, unpassed)
    working = view(drained=False, commits=nothing_passed())
    assert ("I6", "in_flight") in noted(job, working)
    assert {invariant for invariant, _ in broken(job, working)} <= {"I1"}


def test_i5_a_failure_of_the_transcriber_is_no_answer_of_the_exporter() -> None:
    job = healthy(
        runs=(RunRow(job_id=JOB, run=1, state=states.FAILED),),
        seen=(*without(healthy().seen, state=states.COMPLETED), seen(FAILED)),
        records=(*without(healthy().records, kind=COMPLETED), record(FAILED)),
        usage=(),
        results=(),
        artefacts=(),
    )
    assert broken(job) == {("I5", "passed_unfinished")}
    told = (*job.records[:-1], record(FAILED, stage="exporter"))
    assert broken(replace(job, records=told)) == set()
    # Where the log has the failure no more, nobody can tell who told it.
    assert broken(replace(job, records=job.records[:-1])) == set()


def test_i5_what_was_put_aside_or_retried_is_finished() -> None:
    lost = replace(failed(), seen=without(failed().seen, state=states.FAILED))
    lost = replace(lost, records=(record(UPLOADED),))
    everybody = frozenset({"transcriber"})
    assert ("I5", "passed_unfinished") in broken(lost)
    for answered in ({"aside_by": everybody}, {"retried": True}):
        records = tuple(replace(one, **answered) for one in lost.records)
        assert "I5" not in {invariant for invariant, _ in broken(replace(lost, records=records))}


def test_i5_a_call_that_was_named_becomes_a_job_or_is_refused() -> None:
    asked = healthy(records=(called(), *healthy().records))
    assert broken(asked) == broken(refused()) == set()
    forgotten = JobFacts(job_id=JOB, records=(called(),))
    assert broken(forgotten) == {("I5", "passed_unfinished")}
    assert broken(forgotten, view(commits=nothing_passed())) == {("I6", "in_flight")}
    untold = replace(refused(), refused=None)
    assert {("I1", "never_accepted"), ("I6", "event_of_no_submission")} <= broken(untold)


def test_i6_an_event_of_no_submission() -> None:
    assert ("I6", "event_of_no_submission") in broken(healthy(submission=None))


@pytest.mark.parametrize("cause", [UPLOADED, READY])
def test_i6_an_effect_without_its_cause(cause: str) -> None:
    job = healthy(
        seen=without(healthy().seen, event_id=record(cause).event_id), records=without(healthy().records, kind=cause)
    )
    assert ("I6", "effect_without_cause") in broken(job)
    assert ("I6", "effect_without_cause") in noted(job, view(drained=False))


def test_i6_a_cause_that_the_log_has_no_more_is_known_to_the_ledger() -> None:
    assert broken(healthy(records=without(healthy().records, kind=UPLOADED))) == set()


def loose(topic: str, **fields: object) -> TopicRecord:
    return TopicRecord(topic=topic, partition=3, offset=7, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record_", "left"),
    [
        (loose(UPLOADED), 2),  # transcriber and ledger
        (loose(UPLOADED, aside_by=frozenset({"transcriber"})), 1),
        (loose(UPLOADED, aside_by=frozenset({"transcriber", "ledger"})), 0),
        (loose(STATUS, aside_by=frozenset({"transcriber"})), 1),
        (loose(f"{UPLOADED}.dlq"), 1),
        (loose(f"{UPLOADED}.dlq", kept=True), 0),
    ],
)
def test_i5_what_nobody_can_decode_is_put_aside_by_everybody_who_reads_it(record_: TopicRecord, left: int) -> None:
    passed = list(judge_loose(record_, view()))
    assert [(one.invariant.value, one.violation) for one in passed] == [("I5", True)] * left
    unpassed = list(judge_loose(record_, view(commits=nothing_passed())))
    assert [(one.invariant.value, one.violation) for one in unpassed] == [("I6", True)] * left


def test_without_topics_nobody_is_asked_what_became_of_records() -> None:
    job = healthy(seen=without(healthy().seen, state=states.QUEUED))
    assert broken(job, view(topics=False)) == set()


# --- I7


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (healthy(job=job_row(client_id="other")), "another_client"),
        (other_legs(client_id="other"), "another_client"),
        (healthy(records=(*healthy().records[:-1], record(COMPLETED, client_id="other"))), "another_client"),
        (
            healthy(artefacts=(replace(healthy().artefacts[0], key="jobs/other/1/x/call.txt"),)),
            "key_of_another_job",
        ),
        (
            healthy(results=(replace(healthy().results[0], transcript_key="jobs/other/1/x/transcript.json"),)),
            "key_of_another_job",
        ),
        (healthy(submission=submission(audio_key="jobs/other/audio")), "key_of_another_job"),
        (
            other_object(TRANSCRIPT, says=TranscriptSays(job_id="other", run=1, client="acme")),
            "transcript_of_another_job",
        ),
        (other_object(TRANSCRIPT, says=TranscriptSays(job_id=JOB, run=2, client="acme")), "transcript_of_another_job"),
        (
            other_object(TRANSCRIPT, says=TranscriptSays(job_id=JOB, run=1, client="other")),
            "transcript_of_another_client",
        ),
        (
            other_object(TRANSCRIPT, says=TranscriptSays(job_id=None, run=None, client=None)),
            "transcript_of_another_job",
        ),
    ],
)
def test_i7(job: JobFacts, code: str) -> None:
    assert ("I7", code) in broken(job)


def test_the_second_run_of_a_failed_job_is_billed_alone() -> None:
    second = completed_run(2)
    job = replace(
        failed(),
        submission=submission(2),
        job=job_row(2),
        runs=(*failed().runs, *second["runs"]),
        seen=(*failed().seen, *second["seen"]),
        records=(*failed().records, *second["records"]),
        results=second["results"],
        artefacts=second["artefacts"],
        usage=second["usage"],
        objects=second["objects"],
    )
    assert broken(job) == set()
    assert ("I2", "completed_not_billed") in broken(replace(job, usage=()))
