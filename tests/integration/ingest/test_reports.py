"""Reports and usage of an ingest that runs: the child that makes workbooks, the ledger's views, the operator's command."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from pipeline.blobs.folder import FolderStore
from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing import samples
from razgovor.__main__ import app
from razgovor.embedded.postgres_access import DatabaseUrls
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav
from tests.unit.pipeline.formats import calls, workbooks

COSTS = {
    "INGEST_COST_AMORTISATION_PER_HOUR": "0.5",
    "INGEST_COST_WATTS": "1000",
    "INGEST_COST_PER_KWH": "0.1",
}


def authorized(ingest: IngestProcess, key: str) -> httpx.Client:
    return httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}, timeout=60)


def submitted(ingest: IngestProcess, key: str, name: str, metadata: dict[str, str] | None = None) -> dict[str, Any]:
    answer = httpx.post(
        f"{ingest.url}/v1/jobs",
        headers={"Authorization": f"Bearer {key}"},
        files={"file": (name, wav())},
        data={"metadata": json.dumps(metadata)} if metadata else {},
    )
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


def ended(urls: DatabaseUrls, store: FolderStore, job: dict[str, Any], reason: str | None = None) -> None:
    """Have the ledger hear of a job's end, with a transcript in the store if it completed."""
    accepted_at = datetime.fromisoformat(job["accepted_at"])
    envelope: dict[str, Any] = {"client_id": "acme", "accepted_at": accepted_at}
    if reason is not None:
        failed = {**envelope, "completion": None, "reason": reason}
        record(urls.ledger, samples.job_status(job["job_id"], 1, "failed", **failed))
        return
    event = samples.job_status(job["job_id"], 1, "completed", **envelope)
    assert event.completion is not None
    store.put(event.completion.transcript.key, calls.conversation().to_bytes(), media_type="application/json")
    record(urls.ledger, event)


def test_a_month_as_a_workbook_and_as_figures(
    tmp_path: Path, migrated: DatabaseUrls, key: str, broker: MockCluster
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    settings = {**COSTS, "INGEST_SCRATCH_DIR": str(scratch)}
    with running(tmp_path, migrated.ingest, broker.address, **settings) as ingest, authorized(ingest, key) as http:
        store = FolderStore(tmp_path / "store")
        ended(migrated, store, submitted(ingest, key, "one.wav", {"chain_id": "c1"}))
        ended(migrated, store, submitted(ingest, key, "two.wav"), reason="no_audio")
        submitted(ingest, key, "three.wav")
        day = datetime.now(UTC).date()
        report = http.get("/v1/reports/calls.xlsx", params={"from": str(day - timedelta(days=1)), "to": str(day)})
        assert report.status_code == 200, report.text
        workbooks.assert_sound(report.content)
        workbook = workbooks.read(report.content)
        assert [cell.value for cell in workbooks.column(workbook, "Звонки", "Запись")] == [
            "three.wav",
            "two.wav",
            "one.wav",
        ]
        assert [cell.value for cell in workbooks.column(workbook, "Звонки", "Цепочка")] == [None, None, "c1"]
        assert workbook["Диалоги"].max_row > 3
        # The file that it was made in is gone.
        assert list(scratch.iterdir()) == []
        used = http.get("/v1/usage", params={"month": f"{day:%Y-%m}"}).json()
    completion = samples.completion()
    assert (used["calls"], used["failures"]) == (1, {"no_audio": 1})
    assert used["audio_minutes"] == pytest.approx(completion.duration_ms / 60_000, abs=0.01)
    hour = completion.timings.engine_ms / completion.duration_ms * 0.6
    assert used["cost"]["per_audio_hour"] == pytest.approx(hour, abs=0.0001)
    told = CliRunner().invoke(
        app, ["usage", "--month", f"{day:%Y-%m}", "--json"], env={"INGEST_DATABASE_URL": migrated.ingest, **COSTS}
    )
    assert told.exit_code == 0, told.output
    acme, everybody = json.loads(told.stdout)
    assert (acme["client"], everybody["client"]) == ("acme", None)
    assert {name: acme[name] for name in ("calls", "failures")} == {"calls": 1, "failures": {"no_audio": 1}}
    assert acme["per_audio_hour"] == used["cost"]["per_audio_hour"]
    table = CliRunner().invoke(
        app, ["usage", "--month", f"{day:%Y-%m}"], env={"INGEST_DATABASE_URL": migrated.ingest, "COLUMNS": "200"}
    )
    assert "no_audio 1" in table.stdout
    assert "in a cloud 0.3600 USD" in table.stdout


def test_a_month_that_is_none_is_said_in_one_line() -> None:
    result = CliRunner().invoke(app, ["usage", "--month", "2026-13"])
    assert result.exit_code == 2
    assert "a month, as 2026-11" in result.output
