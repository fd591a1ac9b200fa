"""The shipped fakes of `ports`: submissions, jobs and outbox of one process, in memory; clients: `memory_clients`."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipeline.contracts import states
from pipeline.contracts.call_info import chain_of
from pipeline.errors import Transient
from pipeline.stream.ports import Delivered, TopicPartition
from services.ingest import handler
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.jobs import Cursor, Erasure, Job, Outcome, StoredObject
from services.ingest.listing import Wanted
from services.ingest.problems import IDEMPOTENCY_MISMATCH, Problem
from services.ingest.quotas import Used, check, reserved_ms
from services.ingest.relay import AnnouncedLog, Sent
from services.ingest.runs import shown_state
from services.ingest.submissions import Accepted, Announcement, IdempotencyKey, Submission

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class OutboxRow:
    """A row of the outbox."""

    announcement: Announcement
    sent: Sent | None = None
    passed_at: datetime | None = None
    announcements: int = 0
    closed: bool = False


class MemorySubmissions:
    """See `ports.Submissions`, `ports.Jobs` and `ports.Outbox`, over one set of rows.

    `outcomes` and `billed` (client, when accepted, milliseconds) stand for the ledger's views; `clock` for PostgreSQL's
    clock; `concurrent_jobs` for that setting of clients; `fail_submit` is raised by `submit`.
    """

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self.billed: list[tuple[str, datetime, int]] = []
        self.concurrent_jobs: dict[str, int] = {}
        self.canceled_runs: dict[str, int] = {}
        self.erased: dict[str, datetime] = {}
        self.receipts: dict[str, tuple[datetime, int]] = {}
        self.submissions: dict[str, tuple[Submission, datetime]] = {}
        self.outbox: dict[int, OutboxRow] = {}
        self.fail_submit: Exception | None = None
        self.down = False
        self._served: dict[str, str] = {}
        self._keys: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._lock = threading.Lock()
        self._turn_lock = threading.Lock()
        self._clock = clock or self._tick

    def _tick(self) -> datetime:
        return _EPOCH + timedelta(seconds=len(self.submissions))

    def submit(self, submission: Submission, idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED) -> Accepted:
        """See `Submissions.submit`."""
        with self._lock:
            if self.fail_submit is not None:
                raise self.fail_submit
            earlier = None if idempotency is None else self._earlier(submission, idempotency)
            if earlier is not None:
                return earlier
            accepted_at = self._clock()
            self.check_quota(submission, quota)
            if idempotency is not None:
                self._keys[submission.client_id, idempotency.key] = (idempotency.request_sha256, submission.job_id)
            self.submissions[submission.job_id] = (submission, accepted_at)
            outbox_id = len(self.outbox) + 1
            event = handler.announcement(submission, accepted_at)
            self.outbox[outbox_id] = OutboxRow(Announcement(outbox_id, event))
            return Accepted(submission.job_id, accepted_at)

    def _earlier(self, submission: Submission, idempotency: IdempotencyKey) -> Accepted | None:
        known = self._keys.get((submission.client_id, idempotency.key))
        if known is None:
            return None
        request_sha256, job_id = known
        if request_sha256 != idempotency.request_sha256:
            raise Problem(
                IDEMPOTENCY_MISMATCH,
                "this Idempotency-Key came with another file or other fields before",
                field="Idempotency-Key",
            )
        return Accepted(job_id, self.submissions[job_id][1], repeated=True)

    def check_quota(self, submission: Submission, quota: Quota) -> None:
        """Refuse what goes beyond the quota, as `submit` does."""
        check(quota, self._used(submission.client_id, self._clock()), reserved_ms(submission.audio))

    def _used(self, client_id: str, now: datetime) -> Used:
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        month = day.replace(day=1)
        open_jobs = {row.announcement.event.job_id for row in self.outbox.values() if not row.closed}
        reserved = [
            (accepted_at, reserved_ms(submission.audio))
            for submission, accepted_at in (self.submissions[job_id] for job_id in open_jobs)
            if submission.client_id == client_id
        ]
        used = [*reserved, *((at, ms) for client, at, ms in self.billed if client == client_id)]
        return Used(
            day_ms=sum(ms for at, ms in used if at >= day),
            month_ms=sum(ms for at, ms in used if at >= month),
            day_ends_at=day + timedelta(days=1),
            month_ends_at=(month + timedelta(days=32)).replace(day=1),
        )

    def verify(self) -> None:
        """See `Submissions.verify`."""
        if self.down:
            raise Transient("memory is down")

    def fetch(self, client_id: str, job_id: str) -> Job | None:
        """See `Jobs.fetch`."""
        found = self.submissions.get(job_id)
        return None if found is None or found[0].client_id != client_id else self._job(*found)

    def several(self, client_id: str, job_ids: Sequence[str]) -> list[Job]:
        """See `Jobs.several`."""
        found = [self.fetch(client_id, job_id) for job_id in job_ids]
        return [replace(job, outcome=replace(job.outcome, artefacts={})) for job in found if job is not None]

    def page(self, client_id: str, wanted: Wanted, *, after: Cursor | None, limit: int) -> list[Job]:
        """See `Jobs.page`."""
        jobs = [self._job(*row) for row in self.submissions.values() if row[0].client_id == client_id]
        jobs.sort(key=lambda job: (job.accepted_at, job.job_id), reverse=True)
        return [
            replace(job, outcome=replace(job.outcome, artefacts={}))
            for job in jobs
            if wanted.means(job)
            and (after is None or (job.accepted_at, job.job_id) < (after.accepted_at, after.job_id))
        ][:limit]

    def by_chains(self, client_id: str, *, since: datetime, before: datetime, limit: int) -> list[str]:
        """See `Jobs.by_chains`."""
        jobs = self.page(client_id, Wanted(since=since, before=before), after=None, limit=limit)
        chains: dict[str, list[Job]] = {}
        for job in jobs:  # newest first, so each chain has the place of its newest
            chains.setdefault(job.chain_id or job.job_id, []).append(job)
        return [job.job_id for parts in chains.values() for job in sorted(parts, key=_began)]

    def _erasure(self, job_id: str) -> Erasure | None:
        requested_at = self.erased.get(job_id)
        if requested_at is None:
            return None
        erased_at, objects = self.receipts.get(job_id, (None, 0))
        return Erasure(requested_at=requested_at, erased_at=erased_at, objects=objects)

    def _outcome(self, submission: Submission) -> Outcome:
        outcome = self.outcomes.get(submission.job_id)
        if outcome is None or outcome.run < submission.run:
            outcome = Outcome(run=submission.run)
        canceled = self.canceled_runs.get(submission.job_id) == outcome.run
        state = shown_state(outcome.state, canceled=canceled, erased=submission.job_id in self.erased)
        return replace(outcome, state=state)

    def _has_other_parts(self, submission: Submission) -> bool:
        chain = chain_of(submission.call_info.metadata)
        return chain is not None and any(
            chain_of(other.call_info.metadata) == chain
            for other, _ in self.submissions.values()
            if other.client_id == submission.client_id and other.job_id != submission.job_id
        )

    def _job(self, submission: Submission, accepted_at: datetime) -> Job:
        call, audio = submission.call_info, submission.audio
        return Job(
            job_id=submission.job_id,
            client_id=submission.client_id,
            call_id=submission.call_id,
            accepted_at=accepted_at,
            priority=submission.priority,
            language=submission.language,
            locale=submission.locale,
            formats=submission.formats,
            channel_roles=submission.channel_roles,
            audio=StoredObject(key=audio.key, sha256=audio.sha256, size_bytes=audio.size_bytes),
            media_type=audio.media_type,
            declared_duration_ms=audio.declared_duration_ms,
            file_name=call.file_name,
            started_at=call.started_at,
            direction=call.direction,
            operator=call.operator,
            customer_number=call.customer_number,
            queue=call.queue,
            metadata=dict(call.metadata),
            other_parts=self._has_other_parts(submission),
            outcome=self._outcome(submission),
            erasure=self._erasure(submission.job_id),
        )

    @contextmanager
    def turn(self) -> Iterator[_MemoryTurn | None]:
        """See `Outbox.turn`."""
        if self.down:
            raise Transient("memory is down")
        if not self._turn_lock.acquire(blocking=False):
            yield None
            return
        try:
            yield _MemoryTurn(self.outbox, self.outcomes, self._served, self._clock, self.concurrent_jobs)
        finally:
            self._turn_lock.release()


def _began(job: Job) -> tuple[datetime, datetime, str]:
    return (job.started_at or job.accepted_at, job.accepted_at, job.job_id)


class _MemoryTurn:
    def __init__(
        self,
        rows: dict[int, OutboxRow],
        outcomes: dict[str, Outcome],
        served: dict[str, str],
        clock: Callable[[], datetime],
        concurrent_jobs: Mapping[str, int],
    ) -> None:
        self._concurrent_jobs = concurrent_jobs
        self._rows = rows
        self._outcomes = outcomes
        self._served = served
        self._clock = clock

    def _open(self) -> list[OutboxRow]:
        return [row for row in self._rows.values() if row.sent is not None and not row.closed]

    def close_finished(self) -> None:
        for row in self._open():
            event = row.announcement.event
            outcome = self._outcomes.get(event.job_id)
            if outcome is not None and (
                outcome.run > event.run or (outcome.run == event.run and outcome.state in states.TERMINAL)
            ):
                row.closed = True

    def logs(self) -> list[AnnouncedLog]:
        found: dict[tuple[str, TopicPartition], list[int]] = {}
        for row in self._open():
            if row.sent is not None:
                found.setdefault((row.sent.cluster_id, row.sent.topic_partition), []).append(row.sent.offset)
        return [
            AnnouncedLog(cluster_id=cluster_id, topic_partition=log, jobs=len(offsets), last_offset=max(offsets))
            for (cluster_id, log), offsets in found.items()
        ]

    def sent(self) -> list[Sent]:
        now = self._clock()
        return [
            replace(
                row.sent,
                passed_s=None if row.passed_at is None else (now - row.passed_at).total_seconds(),
                announcements=row.announcements,
            )
            for row in self._open()
            if row.sent is not None
        ]

    def rooms(self) -> dict[str, int]:
        busy = Counter(row.announcement.event.client_id for row in self._open())
        return {client_id: max(0, bound - busy[client_id]) for client_id, bound in self._concurrent_jobs.items()}

    def waiting(self, priority: str, limit: int, rooms: Mapping[str, int]) -> list[Announcement]:
        queues: dict[str, list[Announcement]] = {}
        for row in self._rows.values():
            event = row.announcement.event
            if row.sent is None and not row.closed and event.priority == priority:
                queue = queues.setdefault(event.client_id, [])
                if len(queue) < rooms.get(event.client_id, limit):
                    queue.append(row.announcement)
        last = self._served.get(priority, "")
        turns = sorted(queues, key=lambda client_id: (client_id <= last, client_id))
        rounds = itertools.zip_longest(*(queues[client_id] for client_id in turns))
        return [found for served in rounds for found in served if found is not None][:limit]

    def fetch(self, outbox_ids: Sequence[int]) -> list[Announcement]:
        return [self._rows[outbox_id].announcement for outbox_id in sorted(outbox_ids)]

    def mark_sent(self, outbox_ids: Sequence[int], cluster_id: str, delivered: Sequence[Delivered]) -> None:
        for outbox_id, place in zip(outbox_ids, delivered, strict=True):
            row = self._rows[outbox_id]
            row.announcements += 1
            row.passed_at = None
            row.sent = Sent(
                outbox_id=outbox_id,
                cluster_id=cluster_id,
                topic=place.topic,
                partition=place.partition,
                offset=place.offset,
            )

    def mark_served(self, priority: str, client_id: str) -> None:
        self._served[priority] = client_id

    def mark_passed(self, outbox_ids: Sequence[int]) -> None:
        for outbox_id in outbox_ids:
            self._rows[outbox_id].passed_at = self._clock()

    def mark_unread(self, outbox_ids: Sequence[int]) -> None:
        for outbox_id in outbox_ids:
            self._rows[outbox_id].passed_at = None

    def mark_lost(self, logs: Sequence[TopicPartition]) -> None:
        for row in self._open():
            if row.sent is not None and row.sent.topic_partition in logs:
                row.sent = replace(row.sent, cluster_id="")
