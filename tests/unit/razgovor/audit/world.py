"""One healthy job as the sources would tell of it, to be broken in one place at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pipeline.contracts import ids, layout, states
from pipeline.stream.ports import TopicPartition
from pipeline.testing import samples
from razgovor.audit.facts import (
    ArtefactRow,
    JobFacts,
    JobRow,
    RefusedCall,
    ResultRow,
    RunRow,
    Seen,
    StoredObject,
    Submission,
    TopicRecord,
    TranscriptSays,
    UsageLeg,
)
from razgovor.audit.findings import Finding
from razgovor.audit.judges import JUDGES
from razgovor.audit.log_entries import consumers
from razgovor.audit.view import Commits, View

JOB: Final = "job-1"
ACCEPTED_AT: Final = samples.ACCEPTED_AT
NOW: Final = ACCEPTED_AT + timedelta(days=3)
SHA: Final = "a" * 64
UPLOADED: Final = "audio.uploaded"
READY: Final = "transcript.ready"
STATUS: Final = "job.status"
CALLED: Final = "call.recorded"
CLAIMS: Final = {
    UPLOADED: states.QUEUED,
    f"{STATUS}:transcribing": states.TRANSCRIBING,
    READY: states.TRANSCRIBED,
    f"{STATUS}:completed": states.COMPLETED,
    f"{STATUS}:failed": states.FAILED,
}


def event_id(kind: str, run: int = 1) -> str:
    return ids.event_id(JOB, run, kind)


def record(kind: str, run: int = 1, **fields: Any) -> TopicRecord:
    topic = kind.partition(":")[0]
    values: dict[str, Any] = {
        "topic": topic,
        "partition": 3,
        "offset": run * 10 + list(CLAIMS).index(kind),
        "event_id": event_id(kind, run),
        "job_id": JOB,
        "run": run,
        "client_id": "acme",
        "kind": kind,
        "stage": "exporter" if kind.endswith("completed") else "transcriber" if topic == STATUS else None,
    }
    return TopicRecord(**{**values, **fields})


def seen(kind: str, run: int = 1) -> Seen:
    return Seen(job_id=JOB, event_id=event_id(kind, run), run=run, state=CLAIMS[kind])


def legs(run: int = 1, kind: str = "transcription", sign: int = 1, **fields: Any) -> tuple[UsageLeg, UsageLeg]:
    def leg(name: str, factor: int) -> UsageLeg:
        values: dict[str, Any] = {
            "job_id": JOB,
            "run": run,
            "kind": kind,
            "leg": name,
            "client_id": "acme",
            "period": "2026-11-01",
            "accepted_at": ACCEPTED_AT,
            "duration_ms": factor * 60_000,
            "amount": factor * Decimal("1.50"),
            "currency": "EUR",
        }
        return UsageLeg(**{**values, **fields})

    return leg("client", sign), leg("service", -sign)


def stored(key: str, sha256: str = SHA, size_bytes: int = 7, says: TranscriptSays | None = None) -> StoredObject:
    return StoredObject(key=key, size_bytes=size_bytes, modified_at=ACCEPTED_AT, sha256=sha256, says=says)


def completed_run(run: int = 1, *, audio: bool = True) -> dict[str, tuple[Any, ...]]:
    """The rows, records and objects of a run that was completed."""
    kinds = (UPLOADED, f"{STATUS}:transcribing", READY, f"{STATUS}:completed")
    transcript, text = layout.transcript_key(JOB, run, SHA), layout.artefact_key(JOB, run, SHA, "txt")
    says = TranscriptSays(job_id=JOB, run=run, client="acme")
    objects = (stored(text), stored(transcript, says=says))
    return {
        "runs": (RunRow(job_id=JOB, run=run, state=states.COMPLETED, completed_at=ACCEPTED_AT + timedelta(minutes=1)),),
        "results": (
            ResultRow(
                job_id=JOB,
                run=run,
                duration_ms=60_000,
                transcript_key=transcript,
                transcript_sha256=SHA,
                transcript_size_bytes=7,
            ),
        ),
        "artefacts": (ArtefactRow(job_id=JOB, run=run, format="txt", key=text, sha256=SHA, size_bytes=7),),
        "usage": legs(run),
        "seen": tuple(seen(kind, run) for kind in kinds),
        "records": tuple(record(kind, run) for kind in kinds),
        "objects": (*objects, stored(layout.audio_key(JOB))) if audio else objects,
    }


def submission(run: int = 1, **fields: Any) -> Submission:
    values: dict[str, Any] = {
        "job_id": JOB,
        "run": run,
        "client_id": "acme",
        "accepted_at": ACCEPTED_AT,
        "audio_key": layout.audio_key(JOB),
        "audio_sha256": SHA,
        "audio_size_bytes": 7,
    }
    return Submission(**{**values, **fields})


def job_row(run: int = 1, **fields: Any) -> JobRow:
    values: dict[str, Any] = {"job_id": JOB, "run": run, "client_id": "acme"}
    return JobRow(**{**values, **fields})


def called(**fields: Any) -> TopicRecord:
    """The record by which an upstream system asked for the job."""
    values: dict[str, Any] = {"topic": CALLED, "partition": 3, "offset": 1, "event_id": "theirs", "kind": CALLED}
    return TopicRecord(**{**values, "job_id": JOB, "run": 1, "client_id": "acme", **fields})


def refused() -> JobFacts:
    """A call that an upstream system named and ingest refused."""
    return JobFacts(
        job_id=JOB,
        refused=RefusedCall(job_id=JOB, run=1),
        job=job_row(),
        runs=(RunRow(job_id=JOB, run=1, state=states.FAILED),),
        seen=(seen(f"{STATUS}:failed"),),
        records=(called(), record(f"{STATUS}:failed", stage="ingest")),
    )


def healthy(**changes: Any) -> JobFacts:
    """A job whose first run was completed; `changes` replace what is told of it."""
    facts = JobFacts(job_id=JOB, submission=submission(), refused=None, job=job_row(), **completed_run())
    return replace(facts, **changes)


def failed(**changes: Any) -> JobFacts:
    """A job whose first run failed."""
    kinds = (UPLOADED, f"{STATUS}:transcribing", f"{STATUS}:failed")
    facts = JobFacts(
        job_id=JOB,
        submission=submission(),
        job=job_row(),
        runs=(RunRow(job_id=JOB, run=1, state=states.FAILED),),
        seen=tuple(seen(kind) for kind in kinds),
        records=tuple(record(kind) for kind in kinds),
        objects=(stored(layout.audio_key(JOB)),),
    )
    return replace(facts, **changes)


def completed_twice(*, waived: bool = False) -> JobFacts:
    """A job that was completed in two runs."""
    first, second = completed_run(), completed_run(2, audio=False)
    both: dict[str, Any] = {name: first[name] + second[name] for name in first}
    if waived:
        both["usage"] += legs(2, "transcription_waived", -1)
    return JobFacts(job_id=JOB, submission=submission(2), job=job_row(2), **both)


def without(facts: tuple[Any, ...], **fields: Any) -> tuple[Any, ...]:
    """All but those with these values; there is at least one such."""
    left = tuple(one for one in facts if any(getattr(one, name) != value for name, value in fields.items()))
    assert len(left) < len(facts)
    return left


def all_passed(offset: int = 1000) -> Commits:
    """Every group has committed past everything."""
    groups: dict[str, dict[TopicPartition, int]] = {}
    for topic, of_topic in consumers().items():
        for group in of_topic:
            groups.setdefault(group, {})[TopicPartition(topic, 3)] = offset
    return Commits(of_groups=groups, consumers=consumers())


def nothing_passed() -> Commits:
    return Commits(consumers=consumers())


def view(*, drained: bool = True, commits: Commits | None = None, now: datetime = NOW, **fields: Any) -> View:
    return View(now=now, drained=drained, commits=commits or all_passed(), **fields)


def judged(job: JobFacts, by: View | None = None) -> list[Finding]:
    by = by or view()
    return list(_all(job, by))


def _all(job: JobFacts, by: View) -> Iterator[Finding]:
    for judge in JUDGES:
        yield from judge(job, by)


def broken(job: JobFacts, by: View | None = None) -> set[tuple[str, str]]:
    """What is violated: invariant and code."""
    return {(one.invariant.value, one.code) for one in judged(job, by) if one.violation}


def noted(job: JobFacts, by: View | None = None) -> set[tuple[str, str]]:
    return {(one.invariant.value, one.code) for one in judged(job, by) if not one.violation}
