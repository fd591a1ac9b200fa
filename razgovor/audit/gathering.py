"""All facts of one job after another, out of sources that are each in the order of `scratch.job_order`. Streaming."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol, TypeVar

from pipeline.contracts import layout
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
    UsageLeg,
)
from razgovor.audit.scratch import job_order
from razgovor.audit.sources import Snapshot

KindT = TypeVar("KindT")
_Tagged = tuple[str, object]


class _OfAJob(Protocol):
    @property
    def job_id(self) -> str: ...


def by_job(
    snapshot: Snapshot, records: Iterable[TopicRecord] = (), objects: Iterable[StoredObject] = ()
) -> Iterator[JobFacts]:
    """Every job that any source names, once.

    Raises:
        ValueError: A source is not in order.
    """
    rows: tuple[Iterable[_OfAJob], ...] = (
        snapshot.submissions(),
        snapshot.refused(),
        snapshot.jobs(),
        snapshot.runs(),
        snapshot.results(),
        snapshot.artefacts(),
        snapshot.usage(),
        snapshot.seen(),
    )
    tagged = [_in_order(_tag(source, lambda row: row.job_id)) for source in rows]
    tagged.append(_in_order(_tag(records, lambda record: record.job_id)))
    tagged.append(_in_order(_tag(objects, lambda found: layout.job_of(found.key))))
    merged = heapq.merge(*tagged, key=itemgetter(0))
    for order, facts in groupby(merged, key=itemgetter(0)):
        yield _facts(order.removesuffix("/"), [fact for _, fact in facts])


def _tag(source: Iterable[Any], job_of: Callable[[Any], str | None]) -> Iterator[_Tagged]:
    for fact in source:
        job_id = job_of(fact)
        if job_id is not None:
            yield job_order(job_id), fact


def _in_order(tagged: Iterator[_Tagged]) -> Iterator[_Tagged]:
    last = ""
    for order, fact in tagged:
        if order < last:
            raise ValueError(f"{type(fact).__name__} is not in the order of jobs")
        last = order
        yield order, fact


def _facts(job_id: str, found: list[object]) -> JobFacts:
    return JobFacts(
        job_id=job_id,
        submission=next(_of(Submission, found), None),
        refused=next(_of(RefusedCall, found), None),
        job=next(_of(JobRow, found), None),
        runs=tuple(_of(RunRow, found)),
        results=tuple(_of(ResultRow, found)),
        artefacts=tuple(_of(ArtefactRow, found)),
        usage=tuple(_of(UsageLeg, found)),
        seen=tuple(_of(Seen, found)),
        records=tuple(_of(TopicRecord, found)),
        objects=tuple(_of(StoredObject, found)),
    )


def _of(kind: type[KindT], found: list[object]) -> Iterator[KindT]:
    return (fact for fact in found if isinstance(fact, kind))
