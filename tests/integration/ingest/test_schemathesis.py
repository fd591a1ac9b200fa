"""Whatever three clients send, by the API's own description and against it: no 5xx, and every answer is as described."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import Database, PostgresClients
from services.ingest.admin import add_key, new_key
from services.ingest.clients import Client, Quota
from services.ingest.scopes import READ, SCOPES
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import running
from tests.unit.ingest.rig import wav

#: Negative data may be taken: unknown query parameters are, by every endpoint but the one for uploads.
CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
CLIENTS: Final = {
    "whole": (Client(client_id="whole", name="Whole"), SCOPES),
    "reader": (Client(client_id="reader", name="Reader"), (READ,)),
    "bounded": (
        Client(client_id="bounded", name="Bounded", quota=Quota(daily_minutes=1), requests_per_minute=200),
        SCOPES,
    ),
}
EXAMPLES: Final = 15


def described(url: str, job_ids: list[str], folder: Path) -> Path:
    """The API's description, with ids of jobs that there are."""
    api = httpx.get(f"{url}/openapi.json").json()
    for operations in api["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "job_id":
                    parameter["schema"] = {"type": "string", "enum": job_ids}
    path = folder / "openapi.json"
    path.write_text(json.dumps(api), encoding="utf-8")
    return path


def submitted(url: str, key: str, urls: DatabaseUrls, client_id: str) -> list[str]:
    """Jobs of a client: two that failed, two on their way."""
    job_ids = [
        httpx.post(f"{url}/v1/jobs", content=wav(), headers={"Authorization": f"Bearer {key}"}).json()["job_id"]
        for _ in range(4)
    ]
    for job_id, state in zip(job_ids, ("failed", "failed", "transcribing", "queued"), strict=True):
        if state != "queued":
            reason = "no_audio" if state == "failed" else None
            envelope = {"client_id": client_id, "accepted_at": samples.ACCEPTED_AT, "completion": None}
            record(urls.ledger, samples.job_status(job_id, 1, state, reason=reason, **envelope))
    return job_ids


def run(url: str, key: str, description: Path, folder: Path) -> list[dict[str, Any]]:
    """Everything that was sent and answered.

    Event streams are left out: an example of one lasts until its job ends. One worker: with two threads Hypothesis moves the
    recursion limit of one while the other parses, and Python 3.11 ends that with a SystemError.
    """
    report = folder / "report.ndjson"
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(description), "--url", url),
        *("--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--seed", "1"),
        *("--max-examples", str(EXAMPLES), "--phases", "examples,coverage,fuzzing,stateful", "--no-color"),
        *("--exclude-path-regex", "/events$", "--exclude-method", "TRACE", "--request-timeout", "20", "--workers", "1"),
        *("--generation-database", "none", "--report-ndjson-path", str(report), "--warnings", "off"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, cwd=folder)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]


def statuses(node: object) -> list[int]:
    """Every status in a report."""
    if isinstance(node, list):
        return [status for item in node for status in statuses(item)]
    if not isinstance(node, dict):
        return []
    found = [node["status_code"]] if isinstance(node.get("status_code"), int) else []
    return found + [status for value in node.values() for status in statuses(value)]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", CLIENTS)
def test_every_answer_is_as_described_and_none_is_an_error_of_ours(
    tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, database: Database, name: str
) -> None:
    client, scopes = CLIENTS[name]
    clients = PostgresClients(database)
    owners = (client, Client(client_id="other", name="Other"))
    keys = {owner.client_id: add_key(clients, owner, *new_key(), SCOPES) for owner in owners}
    key = add_key(clients, client, *new_key(), scopes)
    with running(tmp_path, migrated.ingest, broker.address) as ingest:
        own = submitted(ingest.url, keys[name], migrated, name)
        foreign = submitted(ingest.url, keys["other"], migrated, "other")
        description = described(ingest.url, [*own, *foreign[:2]], tmp_path)
        counts = Counter(statuses(run(ingest.url, key, description, tmp_path)))
        assert sum(counts.values()) > 200
        assert not [status for status in counts if status >= 500]
        theirs = {"Authorization": f"Bearer {keys['other']}"}
        shown = [httpx.get(f"{ingest.url}/v1/jobs/{job_id}", headers=theirs).json() for job_id in foreign]
    assert [(job["state"], job["run"]) for job in shown] == [
        ("failed", 1),
        ("failed", 1),
        ("transcribing", 1),
        ("queued", 1),
    ]
