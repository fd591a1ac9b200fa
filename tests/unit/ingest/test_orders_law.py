"""The law of orders, whatever is submitted, canceled, requeued and erased while workers, log and ledger do as they like.

Events reach the ledger late, twice and in any order; workers drop what is called off, or were too fast.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import events, layout, states
from pipeline.contracts.events import AudioUploaded, Event, JobStatus
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Delivered
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_runs import MemoryRuns
from services.ingest.adapters.memory_stops import MemoryStops
from services.ingest.clients import Quota
from services.ingest.jobs import Outcome
from services.ingest.problems import Problem
from services.ingest.quotas import MS_PER_MINUTE
from services.ingest.runs import CALLED_OFF, REPROCESSED, Started
from services.ingest.stopper import Stopper
from tests.unit.ingest.relay_world import submission

START = datetime(2026, 1, 1, tzinfo=UTC)
#: Every recording of one byte reserves nothing; a completed run is billed with a minute.
QUOTA = Quota(daily_minutes=3)


class Orders(RuleBasedStateMachine):
    jobs: Bundle[str] = Bundle("jobs")

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.rows = MemorySubmissions(lambda: self.now)
        self.runs = MemoryRuns(self.rows)
        self.stops = MemoryStops(self.rows, lambda: self.now)
        self.store = MemoryStore()
        self.broker = MemoryBroker(partitions=1)
        self.stopper = Stopper(self.stops, self.store, self.broker.producer())
        self.numbers = itertools.count()
        self.log: list[AudioUploaded] = []
        self.said: list[JobStatus] = []
        self.read = 0
        self.erased: dict[str, int] = {}
        self.billed: set[tuple[str, int]] = set()

    @rule(target=jobs)
    def submit(self) -> str:
        job_id = f"job-{next(self.numbers)}"
        with suppress(Problem):
            self.rows.submit(submission(job_id), None, QUOTA)
        return job_id

    @rule(job=jobs)
    def cancel(self, job: str) -> None:
        self.stops.cancel("acme", job)

    @rule(job=jobs)
    def erase(self, job: str) -> None:
        if self.stops.erase("acme", job) is not None:
            self.erased.setdefault(job, sum(event.job_id == job for event in self.log))

    @rule(job=jobs, reprocess=st.booleans())
    def requeue(self, job: str, reprocess: bool) -> None:  # noqa: FBT001  hypothesis draws it
        with suppress(Problem):
            before = self.run_of(job)
            answer = self.runs.start(job, allowed=CALLED_OFF | REPROCESSED if reprocess else CALLED_OFF, quota=QUOTA)
            assert not isinstance(answer, Started) or answer.run > before

    def run_of(self, job: str) -> int:
        return self.rows.submissions[job][0].run if job in self.rows.submissions else 0

    @rule()
    def the_relay_announces(self) -> None:
        with self.rows.turn() as turn:
            assert turn is not None
            turn.close_finished()
            rows = turn.waiting("normal", 100, {})
            turn.mark_sent([row.outbox_id for row in rows], "c", [Delivered("audio.uploaded", 0, 0)] * len(rows))
        self.log += [row.event for row in rows]

    @rule(seconds=st.integers(0, 200))
    def the_stopper_steps(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.stopper.step()
        self.heard()

    def heard(self) -> None:
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
        if looks and self.store.stat(layout.called_off_key(event.job_id, event.run)) is not None:
            return
        if fails:
            self.said.append(events.failure(event, "transcriber", "no_audio"))
        else:
            self.said.append(events.status(event, states.COMPLETED, "exporter"))

    @rule(data=st.data())
    def the_ledger_hears_something(self, data: st.DataObject) -> None:
        if self.said:
            self.hear(data.draw(st.sampled_from(self.said)))

    def hear(self, event: JobStatus) -> None:
        known = self.rows.outcomes.get(event.job_id, Outcome(run=0))
        if (event.run, states.rank(event.state)) > (known.run, states.rank(known.state)):
            self.rows.outcomes[event.job_id] = Outcome(run=event.run, state=event.state)
        if event.state == states.COMPLETED and (event.job_id, event.run) not in self.billed:
            self.billed.add((event.job_id, event.run))
            self.rows.billed.append(("acme", self.rows.submissions[event.job_id][1], MS_PER_MINUTE))

    @invariant()
    def what_was_erased_is_erased_and_announced_no_more(self) -> None:
        for job, announced in self.erased.items():
            found = self.rows.fetch("acme", job)
            assert found is not None
            assert (found.outcome.state, found.operator, found.metadata) == ("erased", None, {})
            assert sum(event.job_id == job for event in self.log) == announced

    @invariant()
    def a_run_is_announced_once(self) -> None:
        announced = [(event.job_id, event.run) for event in self.log]
        assert len(announced) == len(set(announced))

    def teardown(self) -> None:
        """Once everybody has done what there is to do, every job has ended, and what was erased is erased in the ledger too."""
        for _ in range(3):
            self.the_relay_announces()
            self.the_stopper_steps(86_400)
            for event in self.log:
                if self.store.stat(layout.called_off_key(event.job_id, event.run)) is None:
                    self.said.append(events.status(event, states.COMPLETED, "exporter"))
            for said in reversed(self.said):
                self.hear(said)
        for job_id in self.rows.submissions:
            assert self.rows.outcomes[job_id].state in states.TERMINAL
            if job_id in self.erased:
                assert self.rows.outcomes[job_id].state == states.ERASED
        with self.stops.turn() as turn:
            assert turn is not None
            turn.settle()
            assert turn.due(100) == []


Orders.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestOrders = Orders.TestCase
