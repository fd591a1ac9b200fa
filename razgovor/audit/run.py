"""One audit from its sources to its report. Called by `razgovor audit`, and by whoever breaks things on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from pipeline.stream.ports import TopicPartition
from razgovor.audit.facts import JobFacts, TopicRecord
from razgovor.audit.findings import Findings, Invariant
from razgovor.audit.gathering import by_job
from razgovor.audit.hashing import Hashing
from razgovor.audit.judges import JUDGES, answers, ends
from razgovor.audit.judges.objects import named_objects
from razgovor.audit.log_entries import LogEntry, consumers
from razgovor.audit.scratch import Flow, Scratch, scratch
from razgovor.audit.sources import Database, Objects, Snapshot, Topics
from razgovor.audit.view import Commits, View

#: Unfinished jobs that are named; all are counted.
UNFINISHED_MAX: Final = 20


class Progress(Protocol):
    """Is told how far an audit has come."""

    def begin(self, what: str, total: int) -> None:
        """A part begins: `topics` or `jobs`, with so many things in it."""

    def advance(self) -> None:
        """One more of them is done."""


class Silent:
    """Tells nobody."""

    def begin(self, what: str, total: int) -> None:
        """See `Progress.begin`."""

    def advance(self) -> None:
        """See `Progress.advance`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of an audit.

    Attributes:
        drained: Whether all work is over, so that what is unfinished is lost.
        orphan_age: See `View`.
        retention: See `View`.
        hash_share: The share of objects that are read, from 0 to 1.
        salt: Chooses which.
        scratch_folder: Where records are put in order meanwhile; None: the temporary folder.
    """

    drained: bool = False
    orphan_age: timedelta = timedelta(hours=24)
    retention: timedelta | None = None
    hash_share: float = 1.0
    salt: str = ""
    scratch_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A job that has not ended."""

    job_id: str
    run: int
    state: str
    age_s: float


@dataclass(slots=True)
class Report:
    """What an audit has found.

    Attributes:
        unfinished: The oldest jobs that have not ended.
        flows: What the topics hold.
    """

    taken_at: datetime
    drained: bool
    findings: Findings
    jobs: int = 0
    unfinished_count: int = 0
    unfinished: list[Unfinished] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is broken of what was checked."""
        return self.findings.ok


def audit(
    database: Database,
    objects: Objects | None,
    topics: Topics | None,
    question: Question,
    progress: Progress | None = None,
) -> Report:
    """Look at everything once; what has no source is not checked.

    Raises:
        Transient: A source does not answer.
        Fatal: A source refuses us.
    """
    progress = progress or Silent()
    with ExitStack() as opened:
        records = opened.enter_context(scratch(question.scratch_folder))
        commits = {} if topics is None else topics.commits()
        if topics is not None:
            progress.begin("topics", topics.count())
            records.fill(_told(topics.entries(), progress))
        snapshot = opened.enter_context(database.snapshot())
        records.keep(snapshot.letters())
        records.finish()
        view = _view(snapshot, objects, topics, commits, question)
        report = Report(view.now, question.drained, Findings(_unchecked(view)), flows=records.flows())
        progress.begin("jobs", snapshot.count_jobs())
        listed = () if objects is None else objects.list()
        jobs = by_job(snapshot, records.by_job(), listed)
        if objects is not None:
            jobs = Hashing(objects, share=question.hash_share, salt=question.salt).over(jobs, view)
        for job in jobs:
            _judge(job, view, report)
            if job.submission is not None:
                progress.advance()
        _judge_loose(records, view, report.findings)
    report.unfinished.sort(key=lambda one: -one.age_s)
    return report


def _told(entries: Iterable[LogEntry], progress: Progress) -> Iterator[LogEntry]:
    for entry in entries:
        progress.advance()
        yield entry


def _view(
    snapshot: Snapshot,
    objects: Objects | None,
    topics: Topics | None,
    commits: Mapping[str, Mapping[TopicPartition, int]],
    question: Question,
) -> View:
    return View(
        now=snapshot.now,
        drained=question.drained,
        orphan_age=question.orphan_age,
        retention=question.retention,
        store=objects is not None,
        topics=topics is not None,
        commits=Commits(of_groups=commits, consumers=consumers()),
    )


def _unchecked(view: View) -> dict[Invariant, str]:
    unchecked: dict[Invariant, str] = {}
    if not view.store:
        unchecked |= dict.fromkeys((Invariant.I3, Invariant.I4), "no store was named")
    if not view.topics:
        unchecked |= dict.fromkeys((Invariant.I5, Invariant.I6), "no topics were named")
    return unchecked


def _judge(job: JobFacts, view: View, report: Report) -> None:
    findings = report.findings
    findings.looked_at(Invariant.I1, job.submission is not None)
    findings.looked_at(Invariant.I2, len({(leg.run, leg.kind) for leg in job.usage}))
    findings.looked_at(Invariant.I3, sum(1 for _ in named_objects(job, view)))
    findings.looked_at(Invariant.I4, bool(job.objects))
    findings.looked_at(Invariant.I7)
    for record in job.records:
        _count(record, view, findings)
    for judge in JUDGES:
        findings.add(judge(job, view))
    report.jobs += job.known
    if job.submission is not None and not ends.is_over(job):
        _unfinished(job, view, report)


def _count(record: TopicRecord, view: View, findings: Findings) -> None:
    for group in view.commits.groups_of(record.topic):
        passed = view.commits.passed(group, record.topic, record.partition, record.offset)
        findings.looked_at(Invariant.I5, passed)
        findings.looked_at(Invariant.I6)


def _judge_loose(records: Scratch, view: View, findings: Findings) -> None:
    for record in records.loose():
        _count(record, view, findings)
        findings.add(answers.judge_loose(record, view))


def _unfinished(job: JobFacts, view: View, report: Report) -> None:
    submission = job.submission
    if submission is None:
        return
    state = next((run.state for run in job.runs if run.run == submission.run), "unheard of")
    report.unfinished_count += 1
    report.unfinished.append(Unfinished(job.job_id, submission.run, state, ends.age_s(submission, view)))
    if len(report.unfinished) > 2 * UNFINISHED_MAX:
        report.unfinished.sort(key=lambda one: -one.age_s)
        del report.unfinished[UNFINISHED_MAX:]
