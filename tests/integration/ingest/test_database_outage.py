"""PostgreSQL dies, or its connection breaks in COMMIT, under uploads: a real server over TCP, with a proxy before it."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from starlette.testclient import TestClient

from pipeline.audio import sniff
from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.stream.kafka_mock import MockCluster
from pipeline.telemetry.metrics import Metrics
from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies.faults import CutAt
from razgovor.chaos.proxies.tcp_proxy import TcpProxy
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import PostgresServer
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.memory_reports import MemoryReports
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresRates,
    PostgresRuns,
    PostgresSessions,
    PostgresStops,
    PostgresSubmissions,
    PostgresUsage,
    PostgresWebhookBook,
)
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.ingest.rates import RateLimiter
from services.ingest.recent_keys import RecentKeys
from services.ingest.waveforms import Waveforms
from services.ingest.web.app import create_app
from services.ingest.web.ports import WebPorts
from services.ledger.adapters.postgres import PostgresKnownJobs, PostgresLedger
from services.ledger.janitor import Janitor
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import drawn, known, wav

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BACK_S = 15.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with temporary_folder() as folder:
        home = PostgresServer(folder / "postgres", fallback_root=folder / "fallback")
        with home:
            yield home
        home.remove()


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[TcpProxy]:
    with TcpProxy(f"127.0.0.1:{server.port}") as proxy:
        yield proxy


@pytest.fixture
def urls(server: PostgresServer, request: pytest.FixtureRequest) -> DatabaseUrls:
    """A database of the test's own, past the proxy."""
    urls = server.create_database(f"test_{abs(hash(request.node.name))}")
    ledger = PostgresLedger(urls.ledger)
    ledger.migrate()
    ledger.close()
    return urls


@pytest.fixture
def key(urls: DatabaseUrls) -> str:
    return create_key(urls.ingest, Client(client_id="acme", name="Acme"))


@pytest.fixture
def ingest(urls: DatabaseUrls, server: PostgresServer, proxy: TcpProxy, tmp_path: Path) -> Iterator[IngestProcess]:
    with MockCluster() as broker:
        broker.create_topic("audio.uploaded")
        through_proxy = urls.ingest.replace(f":{server.port}/", f":{proxy.port}/")
        with running(tmp_path, through_proxy, broker.address) as process:
            yield process


class Caller(threading.Thread):
    """Uploads one recording after another, each under a key of its own, and repeats it until it is accepted.

    Attributes:
        jobs: By key.
        accepted_at: When each was accepted, in monotonic seconds.
        refusals: Status and Retry-After of each answer that was no 202.
    """

    def __init__(self, ingest: IngestProcess, key: str) -> None:
        super().__init__(name="caller")
        self.jobs: dict[str, str] = {}
        self.accepted_at: list[float] = []
        self.refusals: list[tuple[int, str | None]] = []
        self.over = threading.Event()
        self._url = f"{ingest.url}/v1/jobs"
        self._key = key

    def run(self) -> None:
        number = 0
        with httpx.Client(headers={"Authorization": f"Bearer {self._key}"}, timeout=60) as http:
            while not self.over.is_set():
                answer = http.post(self._url, content=wav(), headers={"Idempotency-Key": str(number)})
                if answer.status_code == 202:
                    self.jobs[str(number)] = answer.json()["job_id"]
                    self.accepted_at.append(time.monotonic())
                    number += 1
                else:
                    self.refusals.append((answer.status_code, answer.headers.get("retry-after")))


def accepted(urls: DatabaseUrls) -> list[tuple[str, str]]:
    """Idempotency keys and their jobs, as the database has them; every one has its submission and its announcement."""
    with psycopg.connect(urls.ingest) as connection:
        rows = connection.execute(
            "SELECT key, i.job_id FROM ingest.idempotency i JOIN ingest.submissions USING (job_id)"
            " JOIN ingest.outbox USING (job_id)"
        ).fetchall()
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM ingest.idempotency), (SELECT count(*) FROM ingest.submissions)"
        ).fetchone()
    assert counts == (len(rows), len(rows))
    return rows


def jobs_in_store(folder: Path) -> set[str | None]:
    return {layout.job_of(found.key) for found in FolderStore(folder / "store").list(layout.JOBS_PREFIX)}


def sweep(folder: Path, urls: DatabaseUrls) -> tuple[str, ...]:
    known = PostgresKnownJobs(urls.ledger, threading.Event().wait)
    swept = Janitor(FolderStore(folder / "store"), known, timedelta(0), Metrics()).sweep()
    assert swept is not None
    return swept.orphans


def test_a_server_that_dies_is_answered_with_503_and_uploads_are_back_with_it(
    server: PostgresServer, ingest: IngestProcess, urls: DatabaseUrls, tmp_path: Path
) -> None:
    keys = [create_key(urls.ingest, Client(client_id=name, name=name)) for name in ("a", "b", "c")]
    callers = [Caller(ingest, key) for key in keys]
    for caller in callers:
        caller.start()
    try:
        eventually(lambda: all(caller.jobs for caller in callers))
        server.crash()
        eventually(lambda: not server.is_running)
        server.kill()  # what is left of it
        eventually(lambda: all(len(caller.refusals) >= 2 for caller in callers), deadline_s=40)
        server.start()
        started_s = time.monotonic()
        eventually(
            lambda: all(caller.accepted_at[-1] > started_s for caller in callers), deadline_s=BACK_S, every_s=0.005
        )
    finally:
        for caller in callers:
            caller.over.set()
            caller.join()
    refusals = [refusal for caller in callers for refusal in caller.refusals]
    assert {status for status, _ in refusals} == {503}
    assert all(after is not None and int(after) >= 1 for _, after in refusals)
    jobs = {job for caller in callers for job in caller.jobs.values()}
    assert {job for _key, job in accepted(urls)} == jobs
    sweep(tmp_path, urls)
    assert jobs_in_store(tmp_path) == jobs


@pytest.fixture
def http(urls: DatabaseUrls, server: PostgresServer, proxy: TcpProxy, key: str, tmp_path: Path) -> Iterator[TestClient]:
    """The application in this process, without the relay: every COMMIT is an upload's. One connection, through the proxy."""
    store = FolderStore(tmp_path / "store")
    through_proxy = urls.ingest.replace(f":{server.port}/", f":{proxy.port}/")
    database = Database(through_proxy, max_connections=1, timeout_s=10)
    database.open()
    ports = WebPorts(
        store=store,
        keys=RecentKeys(PostgresClients(database), 60.0, time.monotonic),
        jobs=PostgresJobs(database),
        acceptance=Acceptance(store, PostgresSubmissions(database), known, lambda: None),
        stops=PostgresStops(database),
        runs=PostgresRuns(database),
        reports=MemoryReports(PostgresJobs(database), store),
        usage=PostgresUsage(database),
        sessions=PostgresSessions(database),
        waveforms=Waveforms(store, drawn),
        new_token=lambda: bytes(32),
        webhooks=PostgresWebhookBook(database),
        rates=RateLimiter(PostgresRates(database), time.monotonic),
        sniff=sniff,
        new_id=lambda: str(uuid.uuid4()),
    )
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
    with TestClient(create_app(ports), headers=headers) as client:
        assert client.get("/v1/jobs").status_code == 200  # connected
        yield client
    database.close()


def cut(proxy: TcpProxy, http: TestClient, pattern: str, *, carried_out: bool) -> None:
    """Upload, and lose the connection when it says this; the answer says to come again."""
    proxy.set(CutAt(pattern=pattern, forwarded=carried_out))
    answer = http.post("/v1/jobs", content=wav())
    assert proxy.befallen["cut_at"] == 1
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "5")
    proxy.set()


@pytest.mark.parametrize("carried_out", [True, False])
def test_a_connection_cut_in_commit_has_no_double_effect(
    http: TestClient, proxy: TcpProxy, urls: DatabaseUrls, tmp_path: Path, *, carried_out: bool
) -> None:
    cut(proxy, http, "COMMIT", carried_out=carried_out)
    assert len(accepted(urls)) == (1 if carried_out else 0)
    assert len(jobs_in_store(tmp_path)) == 1  # it may have been accepted, so nothing is thrown away
    answer = http.post("/v1/jobs", content=wav())
    assert answer.status_code == 202
    assert accepted(urls) == [("k", answer.json()["job_id"])]
    assert len(sweep(tmp_path, urls)) == (0 if carried_out else 1)
    assert jobs_in_store(tmp_path) == {answer.json()["job_id"]}


@pytest.mark.parametrize("pattern", ["INSERT INTO ingest.idempotency", "INSERT INTO ingest.outbox"])
def test_a_connection_cut_before_commit_leaves_nothing_at_all(
    http: TestClient, proxy: TcpProxy, urls: DatabaseUrls, tmp_path: Path, pattern: str
) -> None:
    cut(proxy, http, pattern, carried_out=True)
    assert accepted(urls) == []
    assert jobs_in_store(tmp_path) == set()
    assert http.post("/v1/jobs", content=wav()).status_code == 202


def test_the_server_notices_a_client_that_vanished(urls: DatabaseUrls) -> None:
    database = Database(urls.ingest)
    database.open()
    with database.statement("look") as connection:
        found = {
            name: (connection.execute(f"SHOW {name}".encode()).fetchone() or {}).get(name)
            for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        }
    database.close()
    assert found == {
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        "tcp_user_timeout": "30000",
    }
