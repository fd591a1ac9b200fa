"""`make schemathesis`: whatever three clients send, by the API's own description and against it. Totals of what was answered.

    python -m tests.integration.ingest.fuzzing

Prints a table, writes bench/out/schemathesis.json. `test_schemathesis` does the same, a client a test.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_postgres
from services.ingest.adapters.postgres import Database, PostgresClients
from services.ingest.admin import add_key, new_key
from services.ingest.clients import Client, Quota
from services.ingest.scopes import READ, SCOPES
from tests.integration.ingest.kafka_world import mock_broker
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import running
from tests.integration.ingest.repositories import with_both_schemas
from tests.unit.ingest.rig import wav

CLIENTS: Final = {
    "whole": (Client(client_id="whole", name="Whole"), SCOPES),
    "reader": (Client(client_id="reader", name="Reader"), (READ,)),
    "bounded": (
        Client(client_id="bounded", name="Bounded", quota=Quota(daily_minutes=1), requests_per_minute=200),
        SCOPES,
    ),
}
#: Of a client's jobs, and what becomes of those of another client.
STATES: Final = ("failed", "failed", "transcribing", "queued")
_CONFIGURATION: Final = Path(__file__).with_name("schemathesis.toml")
_OUT: Final = Path(__file__).parents[3] / "bench" / "out" / "schemathesis.json"
_LONGEST_S: Final = 400.0
_JOBS: Final = "/v1/jobs"
_RAW: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Run:
    """Where its reports are, and what schemathesis said if it found something."""

    folder: Path
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What one client did, and what came of it.

    Attributes:
        operations: Of the API, tried at all.
        requests: By the class of the answer's status, `none` for those that got none.
        checks: Looks at an answer.
        failures: What schemathesis found.
        said: All that it said, where it found something.
        untouched: Whether another client's jobs are as they were.
    """

    operations: int
    requests: Mapping[str, int]
    checks: int
    failures: int
    said: str
    untouched: bool

    @property
    def sound(self) -> bool:
        """Whether everything is as it has to be."""
        return self.untouched and not self.failures and not {"5xx", "none"} & self.requests.keys()


def fuzzed(name: str, folder: Path, urls: DatabaseUrls, database: Database, bootstrap_servers: str) -> Totals:
    """Let a client loose on an ingest of its own.

    Args:
        name: Of `CLIENTS`.
        folder: For the store, and what schemathesis reports.
        urls: A database with both schemas, with nothing in it.
        database: The same, as ingest has it.
        bootstrap_servers: The broker.
    """
    client, scopes = CLIENTS[name]
    clients = PostgresClients(database)
    owners = (client, Client(client_id="other", name="Other"))
    keys = {owner.client_id: add_key(clients, owner, *new_key(), SCOPES) for owner in owners}
    key = add_key(clients, client, *new_key(), scopes)
    with running(folder, urls.ingest, bootstrap_servers) as ingest:
        own = _submitted(ingest.url, keys[name], urls, name)
        foreign = _submitted(ingest.url, keys["other"], urls, "other")
        api = _described(ingest.url, [*own, *foreign[:2]])
        everything = _run(ingest.url, key, api, folder / "everything", "examples", "coverage", "fuzzing")
        lives = _run(ingest.url, key, _of_jobs(api), folder / "lives", "stateful")
        theirs = {"Authorization": f"Bearer {keys['other']}"}
        shown = [httpx.get(f"{ingest.url}/v1/jobs/{job_id}", headers=theirs).json() for job_id in foreign]
    untouched = [(job["state"], job["run"]) for job in shown] == [(state, 1) for state in STATES]
    return _totals((everything, lives), untouched=untouched)


def _submitted(url: str, key: str, urls: DatabaseUrls, client_id: str) -> list[str]:
    """Jobs of a client: two that failed, two on their way."""
    headers = {"Authorization": f"Bearer {key}"}
    job_ids = [httpx.post(f"{url}/v1/jobs", content=wav(), headers=headers).json()["job_id"] for _ in STATES]
    for job_id, state in zip(job_ids, STATES, strict=True):
        if state != "queued":
            reason = "no_audio" if state == "failed" else None
            envelope = {"client_id": client_id, "accepted_at": samples.ACCEPTED_AT, "completion": None}
            record(urls.ledger, samples.job_status(job_id, 1, state, reason=reason, **envelope))
    return job_ids


def _described(url: str, job_ids: list[str]) -> dict[str, Any]:
    """The API's description, with ids of jobs that there are."""
    api: dict[str, Any] = httpx.get(f"{url}/openapi.json").json()
    for operations in api["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "job_id":
                    parameter["schema"] = {"type": "string", "enum": job_ids}
    return api


def _of_jobs(api: Mapping[str, Any]) -> dict[str, Any]:
    """What of a description tells of one job, from a bare recording on: of half of what is sent a job comes.

    The phase `stateful` follows the links of answers. With all the fields it would follow none: of what they hold by chance
    no job comes, and it takes `call_id` for something that has to be made elsewhere before.
    """
    paths = {path: found for path, found in api["paths"].items() if path == _JOBS or path.startswith(f"{_JOBS}/{{")}
    whole = paths[_JOBS]["post"]
    raw = {_RAW: whole["requestBody"]["content"][_RAW]}
    submit = {**whole, "parameters": [], "requestBody": {**whole["requestBody"], "content": raw}}
    return {**api, "paths": {**paths, _JOBS: {"post": submit}}}


def _run(url: str, key: str, api: Mapping[str, Any], folder: Path, *phases: str) -> _Run:
    """Run schemathesis, with its reports in the folder."""
    folder.mkdir()
    description = folder / "openapi.json"
    description.write_text(json.dumps(api), encoding="utf-8")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(_CONFIGURATION)),
        *("run", str(description), "--url", url, "--header", f"Authorization: Bearer {key}", "--no-color"),
        *("--report-json-path", str(folder / "report.json"), "--report-ndjson-path", str(folder / "report.ndjson")),
        *("--phases", ",".join(phases)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False, cwd=folder)
    return _Run(folder, done.stdout[-8000:] + done.stderr[-2000:] if done.returncode else "")


def _totals(runs: Sequence[_Run], *, untouched: bool) -> Totals:
    reports = [json.loads((run.folder / "report.json").read_text(encoding="utf-8")) for run in runs]
    requests: Counter[str] = Counter()
    checks = 0
    for run in runs:
        for recorded in _recorded(run.folder / "report.ndjson"):
            for sent in recorded.get("interactions", {}).values():
                requests[f"{sent['response']['status_code'] // 100}xx" if "response" in sent else "none"] += 1
            checks += sum(len(found) for found in recorded.get("checks", {}).values())
    return Totals(
        operations=max(report["operations"]["tested"] for report in reports),
        requests=dict(sorted(requests.items())),
        checks=checks,
        failures=sum(found["count"] for report in reports for found in (*report["failures"], *report["errors"])),
        said="".join(run.said for run in runs),
        untouched=untouched,
    )


def _recorded(report: Path) -> Iterator[dict[str, Any]]:
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            for event in json.loads(line).values():
                if "recorder" in event:
                    yield event["recorder"]


def _of_all(folder: Path) -> Iterator[tuple[str, Totals]]:
    with temporary_postgres() as server:
        for name in track(CLIENTS, "clients", console=Console(stderr=True)):
            own = folder / name
            own.mkdir()
            urls = with_both_schemas(server.create_database(name))
            database = Database(urls.ingest, max_connections=4)
            database.open()
            try:
                with mock_broker() as broker:
                    yield name, fuzzed(name, own, urls, database, broker.address)
            finally:
                database.close()


def _shown(found: Mapping[str, Totals]) -> Table:
    statuses = sorted({status for totals in found.values() for status in totals.requests})
    table = Table("client", "operations", "requests", *statuses, "checks", "failures")
    for name, totals in found.items():
        counts = (totals.requests.get(status, 0) for status in statuses)
        numbers = (totals.operations, sum(totals.requests.values()), *counts, totals.checks, totals.failures)
        table.add_row(name, *(f"{number:,}" for number in numbers))
    return table


def main() -> int:
    """Let all of them loose, one after the other; 1 if anything is not as it has to be."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="razgovor-fuzzing-") as folder:
        found = dict(_of_all(Path(folder)))
    _OUT.parent.mkdir(parents=True, exist_ok=True)
    _OUT.write_text(json.dumps({name: asdict(totals) for name, totals in found.items()}, indent=1), encoding="utf-8")
    for totals in found.values():
        console.print(totals.said, end="", markup=False, highlight=False)
    console.print(_shown(found))
    return 0 if all(totals.sound for totals in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
