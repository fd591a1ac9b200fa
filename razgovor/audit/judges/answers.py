"""I5 and I6: what became of every record of every topic.

Event ids follow from (job, run, kind), so what must have followed from a record has a name before anybody looks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pipeline.contracts import ids, states
from pipeline.contracts.events import AudioUploaded, CallRecorded, JobStatus, TranscriptReady
from razgovor.audit.facts import JobFacts, TopicRecord
from razgovor.audit.findings import Finding, Invariant
from razgovor.audit.view import View

_LEDGER: Final = "ledger"
_EXPORTER: Final = "exporter"
_INGEST: Final = "ingest"


def _status(state: str) -> str:
    return f"{JobStatus.TOPIC}:{state}"


_FAILED: Final = _status(states.FAILED)
_STOPPED: Final = (_status(states.CANCELED), _status(states.ERASED))
#: What a group announces when it is done with a record.
_OUTCOMES: Final[Mapping[str, tuple[str, ...]]] = {
    "transcriber": (TranscriptReady.TOPIC, _FAILED, *_STOPPED),
    _EXPORTER: (_status(states.COMPLETED), _FAILED, *_STOPPED),
    _INGEST: (_FAILED,),
}
#: What must have been said before.
_CAUSES: Final[Mapping[str, str]] = {
    TranscriptReady.TOPIC: AudioUploaded.TOPIC,
    _status(states.TRANSCRIBING): AudioUploaded.TOPIC,
    _status(states.COMPLETED): TranscriptReady.TOPIC,
}


def judge(job: JobFacts, view: View) -> Iterator[Finding]:
    """What is wrong with what became of the job's records."""
    if not view.topics:
        return
    said = {seen.event_id for seen in job.seen} | {record.event_id for record in job.records if record.event_id}
    seen = {row.event_id for row in job.seen}
    for record in job.records:
        for group in view.commits.groups_of(record.topic):
            answered = _accepted(record, job) or _answered(record, group, seen, said, job.records)
            yield from verdict(record, group, view, answered=answered)
        yield from _cause(record, job, view, said)


def verdict(record: TopicRecord, group: str, view: View, *, answered: bool) -> Iterator[Finding]:
    """What it means that a group has, or has not, finished a record."""
    if answered:
        return
    where = f"{record.place} ({group})"
    if view.commits.passed(group, record.topic, record.partition, record.offset):
        yield Finding(Invariant.I5, "passed_unfinished", record.job_id, where)
    else:
        yield Finding(Invariant.I6, "in_flight", record.job_id, where, violation=view.drained)


def judge_loose(record: TopicRecord, view: View) -> Iterator[Finding]:
    """What is wrong with what became of a record of no job: one that can't be decoded, or one of a DLQ."""
    for group in view.commits.groups_of(record.topic):
        yield from verdict(record, group, view, answered=record.kept or group in record.aside_by)


def _accepted(record: TopicRecord, job: JobFacts) -> bool:
    """Whether it is an upstream system's call, and became a job."""
    return record.topic == CallRecorded.TOPIC and job.submission is not None


def _answered(
    record: TopicRecord, group: str, seen: set[str], said: set[str], records: tuple[TopicRecord, ...]
) -> bool:
    if group in record.aside_by or record.retried:
        return True
    if group == _LEDGER:
        return record.event_id in seen
    if record.job_id is None or record.run is None:
        return False
    outcomes = {ids.event_id(record.job_id, record.run, kind) for kind in _OUTCOMES.get(group, ())} & said
    if group == _EXPORTER and outcomes == {ids.event_id(record.job_id, record.run, _FAILED)}:
        return _failed_by_exporter(record.run, records)
    return bool(outcomes)


def _failed_by_exporter(run: int, records: tuple[TopicRecord, ...]) -> bool:
    """A failure that the transcriber told is no answer to a transcript; where the log has it no more, it may be."""
    stages = {record.stage for record in records if record.kind == _FAILED and record.run == run}
    return not stages or _EXPORTER in stages


def _cause(record: TopicRecord, job: JobFacts, view: View, said: set[str]) -> Iterator[Finding]:
    if job.submission is None:
        if job.refused is None and record.topic != CallRecorded.TOPIC:
            yield Finding(Invariant.I6, "event_of_no_submission", record.job_id, record.place)
        return
    cause = _CAUSES.get(record.kind or "")
    if cause is None or record.job_id is None or record.run is None:
        return
    # The topics are read one after another, so beside a system at work a cause may have been too young to be read.
    if ids.event_id(record.job_id, record.run, cause) not in said:
        yield Finding(Invariant.I6, "effect_without_cause", record.job_id, record.place, violation=view.drained)
