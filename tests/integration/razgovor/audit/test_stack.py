"""The command itself over four services at work: nothing is broken, and one spoilt object is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.testing.waiting import eventually
from razgovor.embedded.owned_process import module_command
from razgovor.embedded.testing import temporary_folder
from razgovor.stack import Stack, StackOptions
from services.ingest.admin import create_key
from services.ingest.clients import Client
from services.transcriber.testing.tiny_whisper import build
from tests.unit.ingest.rig import wav

pytestmark = pytest.mark.slow
SERVICES = ("ledger", "transcriber", "exporter", "ingest")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with temporary_folder() as folder:
        model = folder / "model"
        build(model)
        with Stack(
            folder / "stack", model=str(model), options=StackOptions(fallback_root=folder / "fallback")
        ) as running:
            finish_one(running)
            yield running


def finish_one(stack: Stack) -> None:
    key = create_key(stack.database_urls.ingest, Client(client_id="acme", name="Acme"))
    with httpx.Client(base_url=stack.ingest_url, headers={"Authorization": f"Bearer {key}"}) as client:
        job = client.post("/v1/jobs", content=wav(), headers={"Content-Type": "audio/wav"}).json()["job_id"]
        eventually(lambda: client.get(f"/v1/jobs/{job}").json()["state"] in {"completed", "failed"}, deadline_s=90)


def audit(stack: Stack, *options: str) -> tuple[int, dict[str, Any]]:
    command = [*module_command("razgovor"), "audit", "--data", str(stack.folder.root), "--drained", "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_nothing_is_broken_and_every_invariant_is_checked(stack: Stack) -> None:
    status, report = audit(stack)
    assert {one["invariant"]: one["verdict"] for one in report["invariants"]} == {
        f"I{number}": "holds" for number in range(1, 8)
    }, report
    assert (status, report["jobs"], report["unfinished"]["count"]) == (0, 1, 0)


def test_a_dump_gives_the_same_report(stack: Stack, tmp_path: Path) -> None:
    command = [*module_command("razgovor"), "audit", "--data", str(stack.folder.root)]
    subprocess.run([*command, "--dump", str(tmp_path / "dump")], capture_output=True, timeout=100, check=True)
    assert audit(stack, "--topics", str(tmp_path / "dump"))[0] == 0


def test_one_spoilt_object_ends_it_with_1(stack: Stack) -> None:
    (recording,) = stack.folder.store.glob("jobs/*/audio")
    kept = recording.read_bytes()
    recording.write_bytes(kept[:-1] + b"\x01")
    try:
        status, report = audit(stack)
    finally:
        recording.write_bytes(kept)
    assert status == 1
    assert {one["invariant"]: one["violations"] for one in report["invariants"] if one["violations"]} == {
        "I3": {"another_hash": 1}
    }


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_shows_its_metrics(stack: Stack, service: str) -> None:
    where = {one.name: one.metrics for one in stack.service_states()}[service]
    assert where is not None
    shown = httpx.get(where).text
    assert "razgovor_ready 1.0" in shown
    assert f'service="{service}"' in shown
    wanted = {
        "ledger": ["razgovor_jobs_total{", "razgovor_job_seconds_count", "razgovor_records_total{"],
        "transcriber": ["razgovor_engine_seconds_total", "razgovor_queue_wait_seconds_count{", "razgovor_slots "],
        "exporter": ["razgovor_in_flight ", "razgovor_peer_call_seconds_sum{"],
        "ingest": ["razgovor_relay_healthy 1.0", 'razgovor_announcements_total{kind="first"} 1.0'],
    }
    assert [name for name in wanted[service] if name not in shown] == []


def test_without_a_database_it_cannot_look(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "razgovor", "audit", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 70
    assert "AUDITOR_DATABASE_URL" in done.stderr
