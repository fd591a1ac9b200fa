"""Retention: what a client sees of what expired, and what is due: one suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.stream.kafka_mock import MockCluster
from pipeline.telemetry.metrics import Metrics
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresSubmissions, migrate
from services.ingest.clients import Client
from services.ingest.clients import Retention as Agreed
from services.ledger.adapters.memory_retention import MemoryRetention
from services.ledger.adapters.postgres import PostgresRetention
from services.ledger.expirer import Expirer
from services.ledger.ports import AUDIO, TRANSCRIPT, Expiry, Retention, Rule
from tests.integration.databases import DATABASES
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import running
from tests.integration.ingest.repositories import submission
from tests.unit.ingest.rig import wav

DAY = timedelta(days=1)


@pytest.fixture
def granted(migrated: DatabaseUrls) -> DatabaseUrls:
    """Ingest grants once the ledger's role is there."""
    migrate(migrated.ingest)
    return migrated


def end(
    urls: DatabaseUrls, job_id: str, accepted_at: datetime, state: str = "completed", client_id: str = "acme"
) -> None:
    event = samples.job_status(job_id, 1, state, client_id=client_id, accepted_at=accepted_at)
    record(urls.ledger, event)


def age(urls: DatabaseUrls, days: int) -> None:
    """Have everything lie so far behind."""
    with psycopg.connect(urls.admin, autocommit=True) as admin:
        for statement in (
            b"UPDATE ledger.jobs SET accepted_at = accepted_at - %s",
            b"UPDATE ledger.runs SET completed_at = completed_at - %(t)s, failed_at = failed_at - %(t)s",
        ):
            time = timedelta(days=days)
            admin.execute(statement, {"t": time} if b"%(t)s" in statement else (time,))


def test_what_is_kept_no_longer_is_410_and_says_since_when(
    tmp_path: Path, granted: DatabaseUrls, key: str, broker: MockCluster, database: Database
) -> None:
    agreed = Agreed(audio_days=30, transcript_days=60)
    PostgresClients(database).change("acme", lambda _: Client(client_id="acme", name="Acme", retention=agreed))
    store = FolderStore(tmp_path / "store")
    expirer = Expirer(store, PostgresRetention(granted.ledger), Metrics())
    with (
        running(tmp_path, granted.ingest, broker.address) as ingest,
        httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}) as http,
    ):
        job = http.post("/v1/jobs", content=wav()).json()
        url = job["links"]["self"]
        event = samples.completion(job["job_id"])
        store.put(event.transcript.key, b"{}", media_type="application/json")
        end(granted, job["job_id"], datetime.fromisoformat(job["accepted_at"]))
        assert expirer.sweep() == 0
        assert (http.get(f"{url}/audio").status_code, http.get(f"{url}/transcript").status_code) == (200, 200)

        age(granted, 31)
        assert expirer.sweep() == 1
        gone = http.get(f"{url}/audio")
        assert (gone.status_code, gone.json()["code"]) == (410, "gone")
        shown = http.get(url).json()
        assert gone.json()["expired_at"] == datetime.fromisoformat(shown["audio"]["expired_at"]).isoformat()
        assert "audio" not in shown["links"]
        assert http.get(f"{url}/transcript").status_code == 200
        again = http.post(f"{url}/requeue", params={"reprocess": "true"})
        assert (again.status_code, again.json()["code"], again.json()["state"]) == (409, "not_requeuable", "expired")

        age(granted, 30)
        assert expirer.sweep() == 1
        assert http.get(f"{url}/transcript").status_code == 410
        shown = http.get(url).json()
        assert shown["state"] == "completed"
        assert shown["result"]["expired_at"]
        assert shown["result"]["words"] == event.words
        assert set(shown["links"]) == {"self", "events"}
        assert list(store.list(layout.job_prefix(job["job_id"]))) == []
        used = http.get("/v1/usage", params={"month": job["accepted_at"][:7]}).json()
        assert used["calls"] == 1


@pytest.fixture
def jobs(granted: DatabaseUrls, database: Database) -> dict[str, str]:
    """A job of each kind, all 40 days old, of a client that keeps recordings for 30 days; and one of another client."""
    clients, submissions = PostgresClients(database), PostgresSubmissions(database)
    clients.create(Client(client_id="acme", name="Acme", retention=Agreed(audio_days=30)))
    clients.create(Client(client_id="other", name="Other"))
    made = {}
    for name, state, client_id in (
        ("completed", "completed", "acme"),
        ("failed", "failed", "acme"),
        ("under way", "transcribing", "acme"),
        ("theirs", "completed", "other"),
    ):
        accepted = submissions.submit(submission(client_id), None)
        end(granted, accepted.job_id, accepted.accepted_at, state, client_id)
        made[name] = accepted.job_id
    age(granted, 40)
    return made


@dataclass(frozen=True)
class Kept:
    """`replica` is another one's view of the same."""

    retention: Retention
    replica: Retention
    jobs: dict[str, str]


@pytest.fixture(params=DATABASES)
def kept(request: pytest.FixtureRequest) -> Kept:
    """The fake, or PostgreSQL, with these jobs."""
    if request.param != "memory":
        url = request.getfixturevalue("granted").ledger
        return Kept(PostgresRetention(url), PostgresRetention(url), request.getfixturevalue("jobs"))
    now = datetime(2026, 11, 26, tzinfo=UTC)
    ended = {
        "completed": ("acme", now - 40 * DAY),
        "failed": ("acme", now - 40 * DAY),
        "theirs": ("other", now - 40 * DAY),
    }
    memory = MemoryRetention(lambda: now, wanted=[Rule("acme", AUDIO, 30 * DAY)], ended=ended)
    return Kept(memory, memory, {name: name for name in ended})


def test_due_is_what_ended_long_enough_ago_by_its_clients_rule(kept: Kept) -> None:
    jobs = kept.jobs
    with kept.retention.turn() as turn:
        assert turn is not None
        (rule,) = turn.rules()
        assert rule == Rule("acme", AUDIO, 30 * DAY)
        assert {job_id for some in turn.due(rule, 1) for job_id in some} == {jobs["completed"], jobs["failed"]}
        assert list(turn.due(Rule("acme", AUDIO, 41 * DAY), 9)) == []
        turn.begin([jobs["completed"]], AUDIO)
        assert [job_id for some in turn.due(rule, 9) for job_id in some] == [jobs["failed"]]
        # The other kind has a rule of its own.
        assert len([job_id for some in turn.due(Rule("acme", TRANSCRIPT, DAY), 9) for job_id in some]) == 2
        assert turn.begun(9) == [Expiry(jobs["completed"], AUDIO)]
        turn.finish(Expiry(jobs["completed"], AUDIO), 1)
        assert turn.begun(9) == []


def test_one_turn_at_a_time(kept: Kept) -> None:
    with kept.retention.turn() as mine:
        assert mine is not None
        with kept.replica.turn() as theirs:
            assert theirs is None
    with kept.replica.turn() as again:
        assert again is not None


@pytest.mark.usefixtures("jobs")
def test_its_thread_sweeps_and_ends(granted: DatabaseUrls, tmp_path: Path) -> None:
    stop = threading.Event()
    expirer = Expirer(FolderStore(tmp_path), PostgresRetention(granted.ledger), Metrics())
    thread = threading.Thread(target=expirer.run, args=(stop, 0.01))
    thread.start()
    try:
        _eventually_expired(granted, 2)
    finally:
        stop.set()
        thread.join(10)
    assert not thread.is_alive()


def _eventually_expired(urls: DatabaseUrls, count: int) -> None:
    with psycopg.connect(urls.admin, autocommit=True) as admin:

        def found() -> bool:
            row = admin.execute("SELECT count(*) FROM ledger.expiries WHERE objects IS NOT NULL").fetchone()
            return row == (count,)

        eventually(found)
