"""What a fault plays on: the system, a seeded draw, and the load and the measurements that all faults share."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from razgovor.chaos.book import Promise, Refusal
from razgovor.chaos.ground import Ground
from razgovor.chaos.poison import Poison
from razgovor.chaos.system import System
from razgovor.chaos.worker import Worker
from razgovor.embedded.waiting import until

#: Broken connections, workers that start: nothing of it takes so long unless something is lost.
PROBE_TIMEOUT_S: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much and how long.

    Attributes:
        jobs: Calls of a fault that does not need a certain number.
        rate_per_s: Calls a second under which things break.
        outage_s: How long a peer stays away.
        broker_outage_s: How long Kafka does.
        storm_kills: Kills in a storm.
        ingest_stream_steps: At so many of the stream's crash points, drawn, ingest is killed; the other services at each.
    """

    jobs: int = 60
    rate_per_s: float = 6.0
    outage_s: float = 8.0
    broker_outage_s: float = 8.0
    storm_kills: int = 8
    ingest_stream_steps: int = 3

    def of(self, jobs: int) -> Pace:
        """The same with so many jobs."""
        return replace(self, jobs=jobs)


SHORT: Final = Pace()
LONG: Final = Pace(
    jobs=500, rate_per_s=12.0, outage_s=20.0, broker_outage_s=60.0, storm_kills=110, ingest_stream_steps=9
)


@dataclass(slots=True)
class Notes:
    """What a fault found while it played.

    Attributes:
        problems: What should not have been; none is a pass.
        recoveries_s: Of peers: from their return until a call went through everything.
    """

    problems: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)

    def expect(self, condition: object, otherwise: str) -> None:
        """Note a problem unless the condition holds."""
        if not condition:
            self.problems.append(otherwise)


class Stage:
    """One fault's stage.

    Args:
        system: What runs.
        seed: Of the draw; the same seed draws the same.
        pace: How much and how long.
        limit_s: The fault's own.
        call_events: Whether a share of the calls comes by `call.recorded`.
        tell: Shows what is going on.
    """

    def __init__(
        self,
        system: System,
        *,
        seed: str,
        pace: Pace,
        limit_s: float,
        call_events: bool,
        tell: Callable[[str], None],
    ) -> None:
        self.system = system
        self.draw = random.Random(seed)  # noqa: S311  a script of faults, no secret
        self.pace = pace
        self.limit_s = limit_s
        self._call_events = call_events
        self.notes = Notes()
        self.tell = tell
        self.began_at_s = time.time()
        self.first_promise = len(system.book)
        self._first_refusal = len(system.book.refused_since())
        self._answers_before = system.clients.answers.copy()
        self.first_death = len(system.crew.deaths)

    @property
    def ground(self) -> Ground:
        """The peers."""
        return self.system.ground

    @property
    def kills(self) -> int:
        """Processes that were killed, or killed themselves, since the fault began."""
        return sum(death.status < 0 for death in self.system.crew.deaths[self.first_death :])

    @property
    def promises(self) -> list[Promise]:
        """What was promised since the fault began."""
        return self.system.book.since(self.first_promise)

    @property
    def refusals(self) -> list[Refusal]:
        """What was sent since the fault began and never promised."""
        return self.system.book.refused_since(self._first_refusal)

    @property
    def answers(self) -> Counter[int]:
        """Answers to uploads since the fault began, by status; 0: none."""
        return self.system.clients.answers - self._answers_before

    def send(
        self, jobs: int, *, poison: Poison | None = None, rate_per_s: float | None = None
    ) -> list[Future[Promise | None]]:
        """Have calls submitted, a share of the sound ones by event; does not wait for their answers."""
        by_events = self._call_events and poison is None
        return self.system.clients.submit(self.system.orders(jobs, poison=poison, by_events=by_events), rate_per_s)

    def send_and_wait(self, jobs: int, *, poison: Poison | None = None) -> list[Promise]:
        """Have calls submitted and wait for the promises."""
        answers = [under_way.result() for under_way in self.send(jobs, poison=poison)]
        return [promise for promise in answers if promise is not None]

    @contextmanager
    def flow(self, rate_per_s: float | None = None) -> Iterator[None]:
        """A steady flow of calls while the context lasts; at its end all of them have been answered."""
        over = threading.Event()
        under_way: list[Future[Promise | None]] = []
        pause_s = 1 / (rate_per_s or self.pace.rate_per_s)

        def pour() -> None:
            while not over.wait(pause_s):
                under_way.extend(self.send(1))

        tap = threading.Thread(target=pour, name="flow", daemon=True)
        tap.start()
        try:
            yield
        finally:
            over.set()
            tap.join()
            for answer in under_way:
                answer.result()

    def pause(self, seconds: float) -> None:
        """Let things go on for a while."""
        time.sleep(seconds)

    def renewed(self, lives: Mapping[Worker, Mapping[str, str]]) -> None:
        """Drain workers and start them anew with these variables, each its own; returns when the new ones are ready."""
        before = {worker.name: worker.starts for worker in lives}
        for worker, life in lives.items():
            self.system.crew.renew(worker, life)
        self.wait_for(
            lambda: all(worker.starts > before[worker.name] for worker in lives), "workers did not start anew"
        )
        self.system.crew.wait_ready(list(lives))

    def any_worker(self, *services: str) -> Worker:
        """One of the workers of these services, drawn."""
        return self.draw.choice([worker for worker in self.system.crew.workers() if worker.service in services])

    def recovered(self) -> float:
        """Send an interactive call, which waits behind no backlog, until its end: the seconds until everything flows."""
        begun_s = time.monotonic()
        promise = self.system.clients.submit(self.system.orders(1, priority="interactive"))[0].result()
        if promise is None:
            self.notes.problems.append("a call after the outage was not taken")
            return PROBE_TIMEOUT_S
        self.wait_for(lambda: self._has_ended(promise.job_id), "a call after the outage did not end", PROBE_TIMEOUT_S)
        took_s = time.monotonic() - begun_s
        self.notes.recoveries_s.append(took_s)
        return took_s

    def _has_ended(self, job_id: str) -> bool:
        end = self.ground.record.ends([job_id]).get(job_id)
        return end is not None and end.state is not None

    def wait_for(self, condition: Callable[[], bool], what: str, timeout_s: float = 60.0) -> None:
        """Wait until the condition holds.

        Raises:
            EmbeddedFailed: It did not in time.
        """
        until(condition, timeout_s, what)
