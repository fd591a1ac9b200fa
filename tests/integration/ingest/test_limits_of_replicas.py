"""500 requests at once over two ingests: neither quota nor rate is passed, and what is refused leaves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import httpx
import psycopg
import pytest

from pipeline.contracts import layout
from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresClients
from services.ingest.clients import Client, Quota
from tests.integration.ingest.process import running
from tests.unit.ingest.rig import wav

REQUESTS = 500
#: A second of silence, so a minute is 60 of them.
RECORDING = wav()


@pytest.fixture
def urls(tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster) -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(tmp_path, migrated.ingest, broker.address, name=f"ingest-{number}")).url
            for number in range(2)
        ]


def limit(database: Database, **settings: object) -> None:
    def limited(client: Client) -> Client:
        return replace(client, **settings)  # type: ignore[arg-type]  # the names are Client's

    assert PostgresClients(database).change("acme", limited) is not None


async def at_once(urls: list[str], key: str, method: str) -> list[httpx.Response]:
    answers: list[httpx.Response] = []
    ready = anyio.Event()

    async def ask(http: httpx.AsyncClient, url: str) -> None:
        await ready.wait()
        body = RECORDING if method == "POST" else None
        answers.append(await http.request(method, f"{url}/v1/jobs", content=body))

    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx.AsyncClient(limits=httpx.Limits(max_connections=None), timeout=90, headers=headers) as http,
        anyio.create_task_group() as tasks,
    ):
        for number in range(REQUESTS):
            tasks.start_soon(ask, http, urls[number % len(urls)])
        ready.set()
    return answers


def test_500_uploads_at_once_over_two_processes_never_pass_the_quota(
    tmp_path: Path, migrated: DatabaseUrls, key: str, database: Database, urls: list[str]
) -> None:
    limit(database, quota=Quota(daily_minutes=2))
    answers = anyio.run(at_once, urls, key, "POST")
    assert Counter(answer.status_code for answer in answers) == {202: 120, 403: REQUESTS - 120}
    refusal = next(answer.json() for answer in answers if answer.status_code == 403)
    assert (refusal["code"], refusal["limit_minutes"], refusal["used_minutes"]) == ("quota_exceeded", 2, 2.0)
    accepted = {answer.json()["job_id"] for answer in answers if answer.status_code == 202}
    kept = {key for job_id in accepted for key in (layout.audio_key(job_id), layout.call_info_key(job_id))}
    store = tmp_path / "store"
    eventually(lambda: {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()} == kept)
    with psycopg.connect(migrated.ingest) as connection:
        counts = connection.execute("SELECT count(*), sum(reserved_ms) FROM ingest.outbox").fetchone()
    assert counts == (120, 120_000)


def test_500_requests_at_once_over_two_processes_never_pass_the_rate(
    key: str, database: Database, urls: list[str]
) -> None:
    limit(database, requests_per_minute=100)
    answers = anyio.run(at_once, urls, key, "GET")
    statuses = Counter(answer.status_code for answer in answers)
    took_s = max(answer.elapsed.total_seconds() for answer in answers)
    assert set(statuses) == {200, 429}
    assert 100 <= statuses[200] <= 100 + took_s / 0.6 + 1
    for answer in answers:
        assert answer.headers["ratelimit-policy"] == '"requests";q=100;w=60'
        if answer.status_code == 429:
            assert answer.json()["code"] == "rate_limited"
            assert int(answer.headers["retry-after"]) >= 1
