"""The relay's law, whatever is submitted, ended, lost and killed in between."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import suppress
from typing import ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.errors import Transient
from services.ingest import relay
from services.ingest.announcer import GROUP
from services.ingest.priorities import PRIORITIES
from tests.unit.ingest.relay_world import LOG, World

CLIENTS = ("a", "b", "c")


class Relay(RuleBasedStateMachine):
    """Submissions come, jobs end, the group reads on. Faults come only where a subclass has them, as do bounds of clients
    on jobs worked on at once.
    """

    BOUNDS: ClassVar[dict[str, int]] = {}

    @initialize(bound=st.integers(1, 30), batch=st.integers(1, 8))
    def begin(self, bound: int, batch: int) -> None:
        self.bound = bound
        self.world = World(max_announced=bound, batch_max=batch, review_every_s=0.0)
        self.world.outbox.concurrent_jobs.update(self.BOUNDS)
        self.numbers = itertools.count()
        self.submitted: list[str] = []

    @rule(client=st.sampled_from(CLIENTS), priority=st.sampled_from(PRIORITIES), count=st.integers(1, 6))
    def submit(self, client: str, priority: str, count: int) -> None:
        jobs = [f"{priority}/{client}/{next(self.numbers)}" for _ in range(count)]
        self.submitted += jobs
        self.world.submit(*jobs, client_id=client, priority=priority)

    @rule(times=st.integers(1, 5))
    def step(self, times: int) -> None:
        for _ in range(times):
            with suppress(Transient):
                self.world.later(1.0)

    @rule(data=st.data())
    def some_end(self, data: st.DataObject) -> None:
        running = self.world.open()
        if running:
            self.world.end(*data.draw(st.lists(st.sampled_from(running), unique=True)))

    @rule(share=st.floats(0, 1))
    def the_group_reads_on(self, share: float) -> None:
        committed = self.world.broker.group(GROUP).committed.get(LOG, 0)
        self.world.commit(committed + int(share * (len(self.world.announced()) - committed)))

    @rule()
    def another_replica_goes_on(self) -> None:
        self.world.relay = self.world.another_relay()

    def waiting(self, priority: str) -> list[str]:
        rows = self.world.outbox.outbox.values()
        events = [row.announcement.event for row in rows if row.sent is None]
        return [event.job_id for event in events if event.priority == priority]

    @invariant()
    def no_more_than_the_bound_is_ahead(self) -> None:
        assert len(self.world.open()) <= self.bound

    @invariant()
    def no_client_is_beyond_its_own_bound(self) -> None:
        for client, bound in self.BOUNDS.items():
            assert sum(f"/{client}/" in job for job in self.world.open()) <= bound

    def run_dry(self) -> None:
        """Let every job end that is announced, until nothing waits."""
        for _ in range(10 * len(self.submitted) + 10):
            with suppress(Transient):
                self.world.later(1.0)
            self.world.end(*self.world.announced())
            if not any(self.waiting(priority) for priority in PRIORITIES):
                return

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.run_dry()
        assert set(self.world.announced()) | set(self.world.outbox.outcomes) >= set(self.submitted)
        self.world.later(1.0)
        assert self.world.open() == []


class Undisturbed(Relay):
    """Nothing is lost, so nothing is announced twice, however long it waits."""

    @rule()
    def interactive_ones_go_at_once(self) -> None:
        self.submit(CLIENTS[0], "interactive", 1)
        free = relay.room("interactive", self.bound, len(self.world.open()))
        before = self.waiting("interactive")
        self.step(1)
        assert len(self.waiting("interactive")) <= max(0, len(before) - min(free, int(self.world.pace.batch_max)))

    @rule(days=st.integers(1, 8))
    def a_week_passes(self, days: int) -> None:
        self.world.commit(0)  # and the group has not even begun
        self.world.later(days * 86_400.0)

    @invariant()
    def nothing_is_announced_twice(self) -> None:
        assert not [job for job, times in Counter(self.world.announced()).items() if times > 1]

    @invariant()
    def each_client_keeps_its_order_and_no_other_is_passed_over(self) -> None:
        for priority, client in itertools.product(PRIORITIES, CLIENTS):
            mine = [job for job in self.world.announced() if job.startswith(f"{priority}/{client}/")]
            assert mine == sorted(mine, key=lambda job: int(job.rpartition("/")[2]))


class Bounded(Relay):
    """Clients with a bound of their own wait for themselves alone, and nothing of theirs is forgotten."""

    BOUNDS: ClassVar[dict[str, int]] = {"a": 1, "c": 2}

    @rule()
    def who_has_no_bound_goes_at_once(self) -> None:
        self.submit("b", "interactive", 1)
        free = relay.room("interactive", self.bound, len(self.world.open()))
        before = [job for job in self.waiting("interactive") if "/b/" in job]
        bounded = sum(self.BOUNDS.values())
        self.step(1)
        room = min(free, int(self.world.pace.batch_max)) - bounded
        assert sum("/b/" in job for job in self.waiting("interactive")) <= max(0, len(before) - max(0, room))


class Disturbed(Relay):
    """Broker and relay die at every point; everything accepted is announced all the same."""

    @rule()
    def the_broker_loses_all(self) -> None:
        self.world.broker.wipe()

    @rule()
    def the_topic_is_made_anew(self) -> None:
        self.world.recreate_topic()

    @rule()
    def killed_between_publishing_and_marking(self) -> None:
        self.world.producer.dies_after = True
        self.step(1)
        self.another_replica_goes_on()

    @rule(taken=st.integers(0, 3))
    def some_are_refused(self, taken: int) -> None:
        self.world.producer.acknowledges = taken
        self.step(1)

    @rule(down=st.booleans())
    def the_broker_comes_and_goes(self, down: bool) -> None:  # noqa: FBT001  hypothesis draws it
        self.world.broker.down = down

    @rule(data=st.data())
    def retention_takes_the_start(self, data: st.DataObject) -> None:
        self.world.low = data.draw(st.integers(0, len(self.world.announced())))

    def run_dry(self) -> None:
        self.world.broker.down, self.world.low = False, 0
        self.world.producer.acknowledges, self.world.producer.dies_after = None, False
        for _ in range(2):  # one step keeps what a log lost, the next one announces it
            self.world.later(1.0)
        # What a log lost is in the log again now, or the job has ended.
        held = set(self.world.announced())
        assert all(job in held for job in self.world.open() if job not in self.world.outbox.outcomes)
        super().run_dry()


for machine in (Undisturbed, Bounded, Disturbed):
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)

TestUndisturbed = Undisturbed.TestCase
TestBounded = Bounded.TestCase
TestDisturbed = Disturbed.TestCase
