"""The law of orders, whatever is submitted, canceled, requeued and erased while workers, log and ledger do as they like.

Events reach the ledger late, twice and in any order; workers drop what is called off, or were too fast. The law holds over
any `Tables`: `test_orders_law` runs it over the shipped fakes, and the integration tests' over PostgreSQL.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import events, layout, states
from pipeline.contracts.events import AudioUploaded, Event, JobStatus
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Delivered
from pipeline.testing import samples
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_runs import MemoryRuns
from services.ingest.adapters.memory_stops import MemoryStops
from services.ingest.clients import Quota
from services.ingest.jobs import Job, Outcome
from services.ingest.ports import Jobs, Outbox, Submissions
from services.ingest.problems import Problem
from services.ingest.quotas import MS_PER_MINUTE
from services.ingest.runs import CALLED_OFF, REPROCESSED, Runs, Started
from services.ingest.stopper import Stopper
from services.ingest.stops import Stops
from tests.unit.ingest.relay_world import submission

START = datetime(2026, 1, 1, tzinfo=UTC)
#: Every recording of one byte reserves nothing; a completed run is billed with a minute.
QUOTA: Final = Quota(daily_minutes=3)


@dataclass(frozen=True, kw_only=True)
class Tables:
    """Ingest's repositories beside a ledger, with one client in them and no job.

    Attributes:
        client_id: That client, whose quota is `QUOTA`.
        hear: Has the ledger hear events.
        heard: The state that the ledger shows of a job; None: it has heard of none.
        wait: Lets so many seconds pass for those who tell again what was told.
    """

    client_id: str
    submissions: Submissions
    jobs: Jobs
    outbox: Outbox
    runs: Runs
    stops: Stops
    hear: Callable[[Sequence[JobStatus]], None]
    heard: Callable[[str], str | None]
    wait: Callable[[int], None]


class _Memory:
    """What stands behind the shipped fakes: a clock, and a ledger that keeps the strongest state of the newest run."""

    def __init__(self) -> None:
        self.now = START
        self.rows = MemorySubmissions(lambda: self.now)
        self._billed: set[tuple[str, int]] = set()

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def hear(self, said: Sequence[JobStatus]) -> None:
        for event in said:
            known = self.rows.outcomes.get(event.job_id, Outcome(run=0))
            if (event.run, states.rank(event.state)) > (known.run, states.rank(known.state)):
                self.rows.outcomes[event.job_id] = Outcome(run=event.run, state=event.state)
            if event.completion is not None and (event.job_id, event.run) not in self._billed:
                self._billed.add((event.job_id, event.run))
                self.rows.billed.append((event.client_id, event.accepted_at, event.completion.duration_ms))

    def heard(self, job_id: str) -> str | None:
        known = self.rows.outcomes.get(job_id)
        return None if known is None else known.state


def in_memory() -> Tables:
    """The shipped fakes."""
    memory = _Memory()
    return Tables(
        client_id="acme",
        submissions=memory.rows,
        jobs=memory.rows,
        outbox=memory.rows,
        runs=MemoryRuns(memory.rows),
        stops=MemoryStops(memory.rows, lambda: memory.now),
        hear=memory.hear,
        heard=memory.heard,
        wait=memory.wait,
    )


class Orders(RuleBasedStateMachine):
    """The law; who runs it says over which tables."""

    jobs: Bundle[str] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.tables = self.made()
        self.client_id = self.tables.client_id
        self.store = MemoryStore()
        self.broker = MemoryBroker(partitions=1)
        self.stopper = Stopper(self.tables.stops, self.store, self.broker.producer())
        self.numbers = itertools.count()
        self.kept: list[str] = []
        self.log: list[AudioUploaded] = []
        self.said: list[JobStatus] = []
        self.read = 0
        self.erased: dict[str, int] = {}

    def made(self) -> Tables:
        """The tables of one example: nobody else has been at them."""
        raise NotImplementedError

    @rule(target=jobs)
    def submit(self) -> str:
        job_id = f"{self.client_id}-{next(self.numbers)}"
        with suppress(Problem):
            self.tables.submissions.submit(submission(job_id, self.client_id), None, QUOTA)
            self.kept.append(job_id)
        return job_id

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        self.tables.stops.cancel(self.client_id, job)

    @rule(job=jobs)
    def erase(self, job: str) -> None:
        if self.tables.stops.erase(self.client_id, job) is not None:
            self.erased.setdefault(job, sum(event.job_id == job for event in self.log))

    @rule(job=jobs, reprocess=st.booleans())
    def requeue(self, job: str, reprocess: bool) -> None:  # noqa: FBT001  hypothesis draws it
        allowed = CALLED_OFF | REPROCESSED if reprocess else CALLED_OFF
        before = self.run_of(job)
        with suppress(Problem):
            answer = self.tables.runs.start(job, client_id=self.client_id, allowed=allowed, quota=QUOTA)
            assert not isinstance(answer, Started) or answer.run > before

    def run_of(self, job: str) -> int:
        found = self.tables.jobs.fetch(self.client_id, job)
        return 0 if found is None else found.outcome.run

    @rule()
    def the_relay_announces(self) -> None:
        with self.tables.outbox.turn() as turn:
            assert turn is not None
            turn.close_finished()
            rows = turn.waiting("normal", 100, {})
            turn.mark_sent([row.outbox_id for row in rows], "c", [Delivered("audio.uploaded", 0, 0)] * len(rows))
        self.log += [row.event for row in rows]

    @rule(seconds=st.integers(0, 200))
    def the_stopper_steps(self, seconds: int) -> None:
        self.tables.wait(seconds)
        self.stopper.step()
        messages = self.broker.messages("job.status")
        found: list[Event] = [wire.decode(message) for message in messages[self.read :]]
        self.read = len(messages)
        self.said += [event for event in found if isinstance(event, JobStatus)]

    @rule(data=st.data(), fails=st.booleans(), looks=st.booleans())
    def a_worker_ends_a_call(self, data: st.DataObject, fails: bool, looks: bool) -> None:  # noqa: FBT001  hypothesis draws them
        """`looks` is false for one that looked a moment before it was called off."""
        if not self.log:
            return
        event = data.draw(st.sampled_from(self.log))
        if looks and self.is_called_off(event):
            return
        self.said.append(events.failure(event, "transcriber", "no_audio") if fails else completed(event))

    def is_called_off(self, event: AudioUploaded) -> bool:
        return self.store.stat(layout.called_off_key(event.job_id, event.run)) is not None

    @rule(data=st.data())
    def the_ledger_hears_something(self, data: st.DataObject) -> None:
        if self.said:
            self.tables.hear([data.draw(st.sampled_from(self.said))])

    @invariant()
    def what_was_erased_is_erased_and_announced_no_more(self) -> None:
        found: dict[str, Job] = {job.job_id: job for job in self.tables.jobs.several(self.client_id, list(self.erased))}
        for job_id, announced in self.erased.items():
            job = found[job_id]
            assert (job.outcome.state, job.operator, job.metadata) == ("erased", None, {})
            assert sum(event.job_id == job_id for event in self.log) == announced

    @invariant()
    def a_run_is_announced_once(self) -> None:
        announced = [(event.job_id, event.run) for event in self.log]
        assert len(announced) == len(set(announced))

    def teardown(self) -> None:
        """Once everybody has done what there is to do, every job has ended, and what was erased is erased in the ledger too."""
        for _ in range(3):
            self.the_relay_announces()
            self.the_stopper_steps(86_400)
            self.said += [completed(event) for event in self.log if not self.is_called_off(event)]
            self.tables.hear(self.said[::-1])
        self.what_was_erased_is_erased_and_announced_no_more()
        self.a_run_is_announced_once()
        for job_id in self.kept:
            assert self.tables.heard(job_id) in states.TERMINAL
            if job_id in self.erased:
                assert self.tables.heard(job_id) == states.ERASED
        with self.tables.stops.turn() as turn:
            assert turn is not None
            turn.settle()
            assert turn.due(100) == []


def completed(event: AudioUploaded) -> JobStatus:
    """What the exporter says of a call of a minute."""
    made = samples.completion(event.job_id, event.run).model_copy(update={"duration_ms": MS_PER_MINUTE})
    return events.status(event, states.COMPLETED, "exporter", completion=made)
