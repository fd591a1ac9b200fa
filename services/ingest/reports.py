"""The workbook over all calls of a period: rows out of the record, dialogues out of the store, one call after another.

Memory does not grow with what was said: the ids, a page of jobs and one transcript are held at a time, finished rows lie in the
temporary folder until the dialogues are written. Called in the child of `adapters.report_child`.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Final

from pipeline.blobs.ports import BlobNotFound, BlobStore
from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.transcript import Transcript
from pipeline.errors import CallFault
from pipeline.formats.call_rows import CallRow, Dialogue, call_row
from pipeline.formats.xlsx_calls import write_calls
from services.ingest.jobs import Job
from services.ingest.ports import Jobs
from services.ingest.report_questions import MAX_CALLS, ReportQuestion, TooManyCalls

PAGE: Final = 500
_IN_MEMORY_BYTES: Final = 8 << 20


def write_report(
    jobs: Jobs, store: BlobStore, question: ReportQuestion, target: BinaryIO, *, max_calls: int = MAX_CALLS
) -> int:
    """Write a report's workbook; how many calls are in it.

    Newest first, the parts of a transferred call together: the order of `Jobs.by_chains`.

    Args:
        jobs: The record.
        store: Where transcripts lie; what is not there any more has a row without a dialogue.
        question: What is asked for.
        target: Seekable.
        max_calls: More are refused.

    Raises:
        TooManyCalls: The period has more.
        Transient: Record, store or temporary folder do not answer.
    """
    with SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
        rows = _Rows(spool)
        dialogues = _dialogues(jobs, store, question, rows, max_calls)
        write_calls(target, rows, dialogues, question.locale, chained=lambda: rows.chained)
        return rows.count


class _Rows:
    """Finished rows, kept in a file until they are wanted. `chained`: any is part of a chain."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self.count = 0
        self.chained = False

    def keep(self, row: CallRow) -> None:
        pickle.dump(row, self._spool)
        self.count += 1
        self.chained = self.chained or row.chain is not None

    def __iter__(self) -> Iterator[CallRow]:
        self._spool.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._spool)  # noqa: S301  we have just written it


def _dialogues(
    jobs: Jobs, store: BlobStore, question: ReportQuestion, rows: _Rows, max_calls: int
) -> Iterator[Dialogue]:
    """What was said, call by call; leaves each call's row in `rows`."""
    for job in _all(jobs, question, max_calls):
        transcript = _transcript(store, job) if question.dialogues else None
        rows.keep(_row(job, transcript, question.locale))
        if transcript is not None:
            yield Dialogue(job.job_id, _name(job), transcript)


def _all(jobs: Jobs, question: ReportQuestion, max_calls: int) -> Iterator[Job]:
    """The order first, by ids alone: it needs all of the period, and a transaction over the whole report would last too long."""
    job_ids = jobs.by_chains(question.client_id, since=question.since, before=question.before, limit=max_calls + 1)
    if len(job_ids) > max_calls:
        raise TooManyCalls
    for begin in range(0, len(job_ids), PAGE):
        page = job_ids[begin : begin + PAGE]
        found = {job.job_id: job for job in jobs.several(question.client_id, page)}
        yield from (found[job_id] for job_id in page if job_id in found)


def _transcript(store: BlobStore, job: Job) -> Transcript | None:
    """None where there is none, or none any more, or none that can be read."""
    outcome = job.outcome
    if outcome.transcript is None or outcome.transcript_expired_at is not None or job.erasure is not None:
        return None
    with suppress(BlobNotFound, CallFault):
        return Transcript.from_bytes(store.read(outcome.transcript.key))
    return None


def _row(job: Job, transcript: Transcript | None, locale: str) -> CallRow:
    outcome = job.outcome
    row = call_row(
        key=job.job_id,
        name=_name(job),
        state=outcome.state,
        reason=outcome.reason,
        details=outcome.details,
        transcript=transcript,
        info=_info(job),
        locale=locale,
    )
    if transcript is not None:
        return row
    duration_s = None if outcome.duration_ms is None else outcome.duration_ms / 1000
    return replace(row, duration_s=duration_s, words=outcome.words, confidence=outcome.confidence)


def _name(job: Job) -> str:
    return job.file_name or job.call_id


def _info(job: Job) -> CallInfo:
    return CallInfo(
        file_name=job.file_name,
        started_at=job.started_at,
        direction=job.direction,
        operator=job.operator,
        customer_number=job.customer_number,
        queue=job.queue,
        metadata=job.metadata,
    )
