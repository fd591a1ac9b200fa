"""The whole system under test: peers, workers of the four services, clients, and the book of what was promised."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from razgovor.chaos.book import Book, Order
from razgovor.chaos.clients import Clients
from razgovor.chaos.crew import Crew
from razgovor.chaos.ground import Ground
from razgovor.chaos.hands import in_hands
from razgovor.chaos.poison import Poison
from razgovor.chaos.recordings import DURATION_S, recording
from razgovor.chaos.upstream import source_of
from razgovor.chaos.worker import Worker
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.peers.ports import free_port
from services.ingest.admin import create_key
from services.ingest.clients import Client

SERVICES: Final = ("ledger", "ingest", "transcriber", "exporter")
LOOK_EVERY_S: Final = 0.3
#: Of calls that may come either way, one in so many comes by event.
EVENT_EVERY: Final = 5
CLIENTS: Final = ("acme", "bravo", "carmen")
#: What an operator sets in minutes and hours, in seconds: so that a run sees in minutes what a year would bring.
SHORTENED: Final[Mapping[str, Mapping[str, str]]] = {
    "ingest": {
        "RELAY_POLL_S": "0.2",
        "RELAY_REVIEW_S": "1",
        "REANNOUNCE_AFTER_S": "45",
        "PROBE_CHILDREN": "1",
        "SLOTS": "100",
    },
    "transcriber": {
        "RETRY_DELAY_S": "5",
        "TAKEOVER_AFTER_S": "3",
        "MAX_IN_FLIGHT": "32",
        "ENGINE_BASE_TIMEOUT_S": "3",
        "ENGINE_TIMEOUT_PER_SPEECH_S": "1",
        "ENGINE_MEMORY_BYTES": str(2**29),
        "DECODE_TIMEOUT_S": "6",
        "DECODE_MEMORY_BYTES": str(2**28),
    },
    "exporter": {},
    "ledger": {"SWEEP_EVERY_S": "5", "ORPHAN_AFTER_S": "30"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many of what.

    Attributes:
        workers: Processes by service.
        settings: Of services, over `SHORTENED`, without their prefix.
        posters: Requests of clients under way at once, at most.
        call_events: Whether ingest also takes calls by `call.recorded`.
    """

    workers: Mapping[str, int] = field(
        default_factory=lambda: {"ledger": 2, "ingest": 2, "transcriber": 3, "exporter": 2}
    )
    settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    posters: int = 12
    call_events: bool = True


class System:
    """Everything that runs. Also a context manager.

    Args:
        folder: Logs and state files of the workers go to its `workers`.
        ground: What they stand on, started.
        seed: Of the recordings and of the clients' choices.
        size: How many of what.
    """

    def __init__(self, folder: Path, ground: Ground, *, seed: int, size: Size | None = None) -> None:
        self.folder = folder
        self.ground = ground
        self.seed = seed
        self.size = size or Size()
        self.book = Book()
        self.engine_log = folder / "engine.log"
        self._numbers = itertools.count()  # drawn from by several threads
        self._stack = ExitStack()

    def start(self) -> None:
        """Start all workers and make the clients' keys."""
        logs = self.folder / "workers"
        logs.mkdir(parents=True, exist_ok=True)
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        ports = [free_port() for _ in range(self.size.workers["ingest"])]
        workers = [
            Worker(
                service,
                number,
                logs,
                self._environment(service, scratch, ports[number] if service == "ingest" else None),
            )
            for service in SERVICES
            for number in range(self.size.workers[service])
        ]
        self.crew = Crew(workers)
        self._stack.enter_context(self.crew)
        ingest_url = self.ground.postgres.urls().ingest
        self.keys = {
            name: create_key(ingest_url, Client(client_id=name, name=name, sources=(source_of(name),)))
            for name in CLIENTS
        }
        self.addresses = [f"127.0.0.1:{port}" for port in ports]
        upstream = self._stack.enter_context(closing(self.ground.upstream())) if self.size.call_events else None
        self.clients = Clients(
            self.addresses, self.keys, self.book, upstream=upstream, seed=self.seed, posters=self.size.posters
        )
        self._stack.callback(self.clients.close)

    def _environment(self, service: str, scratch: Path, port: int | None) -> dict[str, str]:
        prefix = service.upper()
        told = {
            **SHORTENED[service],
            "STOP_WITH_PARENT": "true",
            "METRICS_PORT": "0",
            "SCRATCH_DIR": str(scratch),
            **({} if port is None else {"PORT": str(port), **self._taking_events()}),
            **self.size.settings.get(service, {}),
        }
        named = {f"{prefix}_{name}": value for name, value in told.items()}
        return {**self.ground.environment(service), **named, "RAZGOVOR_ENGINE_LOG": str(self.engine_log)}

    def _taking_events(self) -> dict[str, str]:
        return {"CALL_EVENTS": "true", "SOURCE_URL": self.ground.source_url} if self.size.call_events else {}

    def orders(
        self,
        count: int,
        *,
        poison: Poison | None = None,
        duration_s: float = DURATION_S,
        priority: str = "normal",
        by_events: bool = False,
    ) -> Iterator[Order]:
        """So many further calls, of all clients in turn; `by_events`: a share of them by event."""
        for _ in range(count):
            number = next(self._numbers)
            yield Order(
                number=number,
                client=CLIENTS[number % len(CLIENTS)],
                data=recording(self.seed, number, poison=poison, duration_s=duration_s),
                poison=poison,
                priority=priority,
                by_event=by_events and self.size.call_events and number % EVENT_EVERY == 0,
            )

    def wait_ended(self, timeout_s: float, since: int = 0) -> None:
        """Wait until every promised job has ended.

        Raises:
            EmbeddedFailed: Not in time.
        """
        self.wait_ended_of([promise.job_id for promise in self.book.since(since)], timeout_s)

    def wait_ended_of(self, job_ids: Sequence[str], timeout_s: float) -> None:
        """Wait until these jobs have ended. Asks only for those that had not when it last asked.

        Raises:
            EmbeddedFailed: Not in time.
        """
        deadline_s = time.monotonic() + timeout_s
        left = self.open_jobs_of(job_ids)
        while left:
            if time.monotonic() > deadline_s:
                raise EmbeddedFailed(f"{len(left)} promised jobs did not end within {timeout_s:.0f} s: {left[:3]}")
            time.sleep(LOOK_EVERY_S)
            left = self.open_jobs_of(left)

    def wait_let_go(self, job_ids: Sequence[str], timeout_s: float) -> None:
        """Wait until what transcribers have in their hands of these now, or had when they died, is heard or let go of.

        Raises:
            EmbeddedFailed: Not in time.
        """
        deadline_s = time.monotonic() + timeout_s
        left = self._in_hands(job_ids)
        while left:
            if time.monotonic() > deadline_s:
                raise EmbeddedFailed(f"{len(left)} calls were not heard within {timeout_s:.0f} s: {left[:3]}")
            time.sleep(LOOK_EVERY_S)
            left = self._in_hands(left)

    def _in_hands(self, job_ids: Sequence[str]) -> list[str]:
        """The record tells which are over, also without a transcript; the store what was begun, sooner than any event."""
        return in_hands(self.ground.store, self.ground.record.unheard(job_ids))

    def open_jobs_of(self, job_ids: Sequence[str]) -> list[str]:
        """Those of these jobs that have not ended."""
        ends = self.ground.record.ends(job_ids)
        return [job for job in job_ids if job not in ends or ends[job].state is None]

    def mend(self) -> None:
        """Start peers that are down, and let every worker live that sleeps or rests."""
        for server in self.ground.servers:
            if not server.is_running:
                server.start()
        self.ground.make_topics()
        for worker in self.crew.workers():
            self.crew.thaw(worker)
        self.crew.wake_all()

    def workers(self, service: str) -> Sequence[Worker]:
        """Those of a service."""
        return self.crew.workers(service)

    def stop(self) -> None:
        """End clients and workers."""
        self._stack.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
