"""Every endpoint with another client's ids: the answer is the one to an id that nobody has, whoever asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresClients, PostgresJobs
from services.ingest.admin import add_key, new_key
from services.ingest.clients import Client
from services.ingest.listing import Wanted
from services.ingest.scopes import READ, SCOPES, SUBMIT
from services.ingest.webhooks.deliveries import webhook_id_of
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import IngestProcess, running
from tests.integration.ingest.repositories import submission
from tests.integration.ingest.test_database import completed
from tests.unit.ingest.rig import wav

NOBODYS_JOB: Final = "00000000-0000-4000-8000-000000000000"
#: What each parameter of a path may be that nobody has. A new one has to be told here, and made in `theirs`.
NOBODYS: Final = {"job_id": NOBODYS_JOB, "webhook_id": NOBODYS_JOB}
METHODS: Final = ("get", "post", "put", "patch", "delete")


@pytest.fixture
def ingest(tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster) -> Iterator[IngestProcess]:
    with running(tmp_path, migrated.ingest, broker.address) as process:
        yield process


@pytest.fixture
def keys(database: Database) -> dict[str, str]:
    """Of the client who asks, by scopes, and of the one who is asked about."""
    clients = PostgresClients(database)
    asking = Client(client_id="asking", name="Asking")
    theirs = Client(client_id="theirs", name="Theirs", webhook_url="https://theirs.example/")
    wanted = {"whole": (asking, SCOPES), "reader": (asking, (READ,)), "submitter": (asking, (SUBMIT,))}
    return {name: add_key(clients, client, *new_key(), scopes) for name, (client, scopes) in wanted.items()} | {
        "theirs": add_key(clients, theirs, *new_key(), SCOPES)
    }


def theirs(ingest: IngestProcess, key: str, urls: DatabaseUrls) -> dict[str, str]:
    """What the other client has, by the name of the parameter: a job that is completed."""
    headers = {"Authorization": f"Bearer {key}"}
    job_id = httpx.post(f"{ingest.url}/v1/jobs", content=wav(), headers=headers).json()["job_id"]
    job = httpx.get(f"{ingest.url}/v1/jobs/{job_id}", headers=headers).json()
    given = submission("theirs", job_id=job_id, audio=submission().audio)
    record(urls.ledger, *completed(given, datetime.fromisoformat(job["accepted_at"])))
    assert httpx.get(f"{ingest.url}/v1/jobs/{job_id}", headers=headers).json()["state"] == "completed"
    deliveries = f"{ingest.url}/v1/webhooks/deliveries"
    eventually(lambda: httpx.get(deliveries, headers=headers).json()["deliveries"])
    return {"job_id": job_id, "webhook_id": webhook_id_of(job_id, 1, "completed")}


def operations(ingest: IngestProcess) -> list[tuple[str, str]]:
    """Method and path of every operation on something that has an id."""
    paths = httpx.get(f"{ingest.url}/openapi.json").json()["paths"]
    return [(method, path) for path in paths if "{" in path for method in METHODS if method in paths[path]]


def told(answer: httpx.Response) -> tuple[int, dict[str, Any]]:
    """All that an answer tells."""
    return answer.status_code, {name: value for name, value in answer.json().items() if name != "request_id"}


def test_another_clients_ids_are_nobodys_at_every_endpoint(
    ingest: IngestProcess, keys: dict[str, str], migrated: DatabaseUrls, database: Database
) -> None:
    there = theirs(ingest, keys["theirs"], migrated)
    before = PostgresJobs(database).page("theirs", Wanted(), after=None, limit=9)
    tried = operations(ingest)
    assert len(tried) >= 7
    for method, path in tried:
        assert set(re.findall(r"\{(\w+)\}", path)) <= set(NOBODYS), f"tell this test about {path}"
        for name in ("whole", "reader", "submitter"):
            headers = {"Authorization": f"Bearer {keys[name]}"}
            foreign, unknown = (
                told(httpx.request(method, ingest.url + path.format(**ids), headers=headers))
                for ids in (there, NOBODYS)
            )
            assert foreign == unknown, (method, path, name)
            if name == "whole":
                assert foreign[0] == 404, (method, path)
    assert PostgresJobs(database).page("theirs", Wanted(), after=None, limit=9) == before


def test_lists_hold_nothing_of_others(ingest: IngestProcess, keys: dict[str, str], migrated: DatabaseUrls) -> None:
    there = theirs(ingest, keys["theirs"], migrated)
    whole = {"Authorization": f"Bearer {keys['whole']}"}
    for query in ("", "?q=a", "?state=completed", f"?call_id={there['job_id']}"):
        answer = httpx.get(f"{ingest.url}/v1/jobs{query}", headers=whole)
        assert (answer.status_code, answer.json()["jobs"]) == (200, []), query


def test_no_answer_about_all_that_is_ones_own_tells_of_others(
    ingest: IngestProcess, keys: dict[str, str], migrated: DatabaseUrls
) -> None:
    there = theirs(ingest, keys["theirs"], migrated)
    for path in ("/v1/jobs", f"/v1/usage?month={datetime.now(UTC):%Y-%m}", "/v1/webhooks/deliveries"):
        told_to = {
            name: httpx.get(f"{ingest.url}{path}", headers={"Authorization": f"Bearer {keys[name]}"})
            for name in ("whole", "theirs")
        }
        assert {answer.status_code for answer in told_to.values()} == {200}, path
        assert not any(word in told_to["whole"].text for word in (there["job_id"], "theirs")), path
        assert told_to["whole"].text != told_to["theirs"].text
