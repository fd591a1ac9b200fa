"""Several ingests side by side over one PostgreSQL, one store and one broker, and what a kill -9 of one does."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import psycopg
import pytest

from pipeline.blobs.folder import FolderStore
from pipeline.contracts import layout
from pipeline.stream.kafka_mock import MockCluster
from pipeline.telemetry.metrics import Metrics
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresSubmissions
from services.ledger.adapters.postgres import PostgresKnownJobs
from services.ledger.janitor import Janitor
from tests.integration.ingest.kafka_world import Reader
from tests.integration.ingest.process import running
from tests.integration.ingest.repositories import submission
from tests.unit.ingest.rig import wav

BATCH = 500


def submit(database: Database, count: int) -> list[str]:
    submissions = PostgresSubmissions(database)
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(lambda _: submissions.submit(submission(), None).job_id, range(count)))


def announced(broker: MockCluster, jobs: list[str]) -> Counter[str]:
    """How often each was announced, once all were and nothing more comes."""
    reader = Reader(broker.address, "test")
    eventually(lambda: reader.read() is not None and set(jobs) <= set(reader.times), deadline_s=60)
    while reader.read(1.0):
        pass
    reader.consumer.close()
    return reader.times


def test_replicas_take_turns_and_announce_everything_once(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str, database: Database
) -> None:
    assert key
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(running(tmp_path, migrated.ingest, broker.address, name=f"ingest-{number}"))
        jobs = submit(database, 600)
        assert announced(broker, jobs) == dict.fromkeys(jobs, 1)


@pytest.mark.parametrize("step", ["ingest.relay_published", "ingest.relay_marked"])
def test_a_replica_killed_in_its_turn_gives_it_to_another_and_repeats_at_most_its_batch(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str, database: Database, step: str
) -> None:
    assert key
    jobs: list[str] = []
    with ExitStack() as stack:
        doomed = stack.enter_context(
            running(tmp_path, migrated.ingest, broker.address, name="doomed", RAZGOVOR_CRASH_AT=f"{step}:2")
        )
        stack.enter_context(running(tmp_path, migrated.ingest, broker.address, name="survivor"))

        def killed() -> bool:
            jobs.extend(submit(database, BATCH))
            return doomed.process.poll() is not None

        eventually(killed)
        times = announced(broker, jobs)
    assert set(times) == set(jobs)
    assert 0 < sum(times.values()) - len(jobs) <= BATCH * 2
    assert max(times.values()) == 2
    with psycopg.connect(migrated.ingest) as connection:
        unsent = connection.execute("SELECT count(*) FROM ingest.outbox WHERE sent_at IS NULL").fetchone()
    assert unsent == (0,)


POSTS = 500


def test_500_parallel_posts_with_one_idempotency_key_make_one_job(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str
) -> None:
    with ExitStack() as stack:
        replicas = [
            stack.enter_context(running(tmp_path, migrated.ingest, broker.address, name=f"ingest-{number}"))
            for number in range(2)
        ]
        answers = anyio.run(post_at_once, [replica.url for replica in replicas], key)
        assert Counter(status for status, _ in answers) == {202: POSTS}
        (job_id,) = {job_id for _, job_id in answers}
        assert announced(broker, [job_id]) == {job_id: 1}
        # What the others put is gone again; the last of them may still be at it.
        expected = {layout.audio_key(job_id), layout.call_info_key(job_id)}
        eventually(lambda: objects(tmp_path) == expected)
    with psycopg.connect(migrated.ingest) as connection:
        counts = connection.execute(
            "SELECT (SELECT count(*) FROM ingest.submissions), (SELECT count(*) FROM ingest.idempotency),"
            " (SELECT count(*) FROM ingest.outbox)"
        ).fetchone()
    assert counts == (1, 1, 1)


async def post_at_once(urls: list[str], key: str) -> list[tuple[int, str]]:
    """Status and job of each answer."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "the-same"}
    limits = httpx.Limits(max_connections=None)
    answers: list[tuple[int, str]] = []
    ready = anyio.Event()

    async def post(http: httpx.AsyncClient, url: str) -> None:
        await ready.wait()
        answer = await http.post(f"{url}/v1/jobs", content=wav(), headers=headers)
        answers.append((answer.status_code, answer.json().get("job_id", "")))

    async with httpx.AsyncClient(limits=limits, timeout=90) as http, anyio.create_task_group() as tasks:
        for number in range(POSTS):
            tasks.start_soon(post, http, urls[number % len(urls)])
        ready.set()
    return answers


def objects(folder: Path) -> set[str]:
    store = folder / "store"
    return {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()}


@pytest.mark.parametrize("step", ["ingest.audio_put", "ingest.call_info_put", "ingest.before_commit"])
def test_what_a_replica_killed_before_its_commit_left_is_swept_and_the_same_request_makes_one_job(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str, step: str
) -> None:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "the-same"}
    with running(tmp_path, migrated.ingest, broker.address, name="doomed", RAZGOVOR_CRASH_AT=f"{step}:1") as doomed:
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{doomed.url}/v1/jobs", content=wav(), headers=headers, timeout=30)
        assert doomed.process.wait(10) == -signal.SIGKILL
    orphan = {layout.job_of(name) for name in objects(tmp_path)}
    assert len(orphan) == 1
    with running(tmp_path, migrated.ingest, broker.address) as survivor:
        answer = httpx.post(f"{survivor.url}/v1/jobs", content=wav(), headers=headers, timeout=30)
        assert answer.status_code == 202
    known = PostgresKnownJobs(migrated.ledger, threading.Event().wait)
    swept = Janitor(FolderStore(tmp_path / "store"), known, timedelta(0), Metrics()).sweep()
    assert swept is not None
    assert set(swept.orphans) == orphan
    assert {layout.job_of(name) for name in objects(tmp_path)} == {answer.json()["job_id"], None}


def test_a_replica_killed_after_its_commit_has_accepted_and_the_same_request_finds_the_job(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "the-same"}
    with running(
        tmp_path, migrated.ingest, broker.address, name="doomed", RAZGOVOR_CRASH_AT="ingest.committed:1"
    ) as doomed:
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{doomed.url}/v1/jobs", content=wav(), headers=headers, timeout=30)
        assert doomed.process.wait(10) == -signal.SIGKILL
    (job_id,) = {layout.job_of(name) for name in objects(tmp_path)}
    assert job_id is not None
    with running(tmp_path, migrated.ingest, broker.address) as survivor:
        answer = httpx.post(f"{survivor.url}/v1/jobs", content=wav(), headers=headers, timeout=30)
        assert (answer.status_code, answer.json()["job_id"]) == (202, job_id)
        assert announced(broker, [job_id]) == {job_id: 1}
    assert objects(tmp_path) == {layout.audio_key(job_id), layout.call_info_key(job_id)}
