"""The ledger at work while its database is killed, stalls, or is cut off in the middle of COMMIT: no double effect."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from pipeline.contracts.events import OF_JOBS, Event
from pipeline.errors import Permanent, Transient
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message
from pipeline.stream.runner import Limits, Runner
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies import TcpProxy
from razgovor.chaos.proxies.faults import Cut, CutAt
from razgovor.embedded.testing import temporary_folder
from razgovor.peers.postgres import PostgresServer
from services.ledger.adapters.postgres import PostgresLedger, checksum
from services.ledger.batch import BatchProcessor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

JOBS = 120
#: How soon the ledger must be at work again after its database is.
BACK_WITHIN_S = 15.0


class NoDlq:
    def check(self) -> None: ...

    def passed(self) -> None: ...

    def put_aside(self, message: Message, error: Permanent) -> None:
        raise AssertionError((message, error))


def said_of(job_id: str) -> list[Event]:
    return [samples.audio_uploaded(job_id), samples.transcript_ready(job_id), samples.job_status(job_id)]


class Work:
    """A ledger's runner over a broker in memory."""

    def __init__(self, url: str) -> None:
        self.broker = MemoryBroker()
        self.ledger = PostgresLedger(url)
        self._batches = BatchProcessor(wire.decode, self.ledger, NoDlq(), bill_reprocess=True)
        self.published = 0
        self.waits = 0

    def publish(self, first: int, last: int) -> None:
        events = [event for number in range(first, last) for event in said_of(f"job-{number}")]
        self.broker.producer().publish([wire.encode(event) for event in events])
        self.published += len(events)

    def committed(self) -> int:
        return sum(self.broker.group("ledger").committed.values())

    def done(self) -> bool:
        return self.committed() == self.published

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()

        def process(messages: Sequence[Message]) -> None:
            try:
                self._batches.process(messages)
            except Transient:
                self.waits += 1
                raise

        limits = Limits(batch_max=20, drain_timeout_s=5.0)
        runner = Runner(self.broker.consumer("ledger"), tuple(OF_JOBS), process, limits, lambda: None)
        thread = threading.Thread(target=runner.run, args=(stop,))
        thread.start()
        try:
            yield
            assert thread.is_alive()
        finally:
            stop.set()
            thread.join(20)
            self.ledger.close()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with (
        temporary_folder() as folder,
        PostgresServer(folder / "postgres", fallback_root=folder / "fallback") as running,
    ):
        yield running
        running.remove()


@pytest.fixture
def database(server: PostgresServer, request: pytest.FixtureRequest) -> str:
    name = f"test_{abs(hash(request.node.name)) % 10**9}"
    urls = server.create_database(name)
    ledger = PostgresLedger(urls.ledger)
    ledger.migrate()
    ledger.close()
    return name


def says(server: PostgresServer, database: str) -> tuple[str, Any]:
    with psycopg.connect(server.urls(database).ledger, autocommit=True) as connection:
        billed = connection.execute("SELECT calls, billed_ms FROM ledger.usage_v1").fetchone()
        return checksum(connection), billed


def undisturbed(server: PostgresServer, name: str) -> str:
    """What a ledger says that nothing happened to."""
    work = Work(server.create_database(f"{name}_calm").ledger)
    work.ledger.migrate()
    work.publish(0, JOBS)
    with work.running():
        eventually(work.done)
    return says(server, f"{name}_calm")[0]


@pytest.mark.parametrize("forwarded", [True, False], ids=["carried_out", "lost"])
def test_a_connection_cut_during_commit_counts_nothing_twice_and_nothing_never(
    server: PostgresServer, database: str, *, forwarded: bool
) -> None:
    with TcpProxy(f"127.0.0.1:{server.port}") as proxy:
        proxy.set(CutAt(pattern="COMMIT", forwarded=forwarded, skip=1, times=5))
        work = Work(server.urls(database, port=proxy.port).ledger)
        work.publish(0, JOBS)
        with work.running():
            eventually(work.done, deadline_s=60)
        assert proxy.befallen["cut_at"] == 5
    found, billed = says(server, database)
    assert billed == (JOBS, JOBS * 74_010)
    assert found == undisturbed(server, database)


def test_immediate_restarts_under_load_are_waited_for(server: PostgresServer, database: str) -> None:
    work = Work(server.urls(database).ledger)
    with work.running():
        for third in range(3):
            work.publish(third * JOBS // 3, (third + 1) * JOBS // 3)
            server.crash()
            eventually(lambda: not server.is_running)
            server.kill()  # what is left of it
            server.start()
            eventually(work.done, deadline_s=BACK_WITHIN_S)
    found, billed = says(server, database)
    assert billed == (JOBS, JOBS * 74_010)
    assert found == undisturbed(server, database)


def test_after_a_long_outage_the_ledger_is_back_in_time(server: PostgresServer, database: str) -> None:
    with TcpProxy(f"127.0.0.1:{server.port}") as proxy:
        work = Work(server.urls(database, port=proxy.port).ledger)
        work.publish(0, 10)
        with work.running():
            eventually(work.done)
            proxy.set(Cut())
            work.publish(10, 20)
            # Long enough for the pause between two questions to have grown to its longest.
            eventually(lambda: work.waits >= 6, deadline_s=90)
            proxy.set()
            eventually(work.done, deadline_s=BACK_WITHIN_S)
    assert says(server, database)[1] == (20, 20 * 74_010)
