"""kill -9 of each service in the middle of calls: every accepted call still ends exactly once, usage once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from pipeline.contracts import layout
from pipeline.testing.waiting import eventually
from razgovor.cache import cache_folder
from razgovor.client import IngestClient, Job, Refused
from razgovor.demo import samples
from razgovor.embedded.testing import temporary_folder
from razgovor.stack.specs import BROKER, EXPORTER, INGEST, LEDGER, POSTGRES, TRANSCRIBER
from razgovor.stack.stack import Stack
from services.ingest.admin import create_key
from services.ingest.clients import Client

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(600)]

RECORDINGS = ("clinic.wav", "sales.mp3", "people/golos_00.wav", "people/golos_01.wav", "people/golos_02.wav")
DEADLINE_S = 240.0


@pytest.fixture
def stack() -> Iterator[Stack]:
    with temporary_folder() as folder:
        running = Stack(folder / "stack", model="base", model_cache=cache_folder(os.environ), temporary=True)
        with running:
            yield running


def kill(stack: Stack, name: str) -> None:
    """kill -9, and wait until another process of that name is ready."""
    pid = next(one.pid for one in stack.service_states() if one.name == name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: any(one.name == name and one.pid != pid and one.state == "ready" for one in stack.service_states()),
        deadline_s=60,
    )


def jobs(stack: Stack, key: str, job_ids: list[str]) -> list[Job]:
    try:
        with IngestClient.connect(stack.ingest_url, key) as client:
            return [client.job(job_id) for job_id in job_ids]
    except (httpx.HTTPError, Refused):
        return []  # ingest is being started again


def submit(stack: Stack, key: str) -> list[str]:
    with IngestClient.connect(stack.ingest_url, key) as client:
        return [client.submit(samples.folder() / name, {"channels": "operator,customer"}) for name in RECORDINGS]


def all_completed(stack: Stack, key: str, job_ids: list[str]) -> list[Job]:
    found = jobs(stack, key, job_ids)
    return found if found and all(job.is_over for job in found) else []


def usage(stack: Stack) -> dict[str, int]:
    with psycopg.connect(stack.database_urls.ledger) as connection:
        rows = connection.execute("SELECT job_id, count(*) FROM ledger.usage WHERE leg = 'client' GROUP BY job_id")
        return {str(job_id): int(count) for job_id, count in rows.fetchall()}


def transcripts(stack: Stack, job_id: str) -> list[Path]:
    return list((stack.folder.store / layout.run_prefix(job_id, 1)).rglob(layout.TRANSCRIPT_NAME))


def test_every_accepted_call_ends_once_whichever_service_is_killed(stack: Stack) -> None:
    key = create_key(stack.database_urls.ingest, Client(client_id="acme", name="acme"))
    job_ids = submit(stack, key)
    eventually(lambda: any(job.state == "transcribing" for job in jobs(stack, key, job_ids)), deadline_s=60)
    for name in (TRANSCRIBER, EXPORTER, LEDGER, INGEST):
        kill(stack, name)
    found = eventually(lambda: all_completed(stack, key, job_ids), deadline_s=DEADLINE_S)
    assert {job.state for job in found} == {"completed"}
    assert usage(stack) == dict.fromkeys(job_ids, 1)
    assert [len(transcripts(stack, job_id)) for job_id in job_ids] == [1] * len(job_ids)


def test_broker_and_database_killed_lose_nothing(stack: Stack) -> None:
    key = create_key(stack.database_urls.ingest, Client(client_id="acme", name="acme"))
    job_ids = submit(stack, key)
    for name in (BROKER, POSTGRES):
        kill(stack, name)
    found = eventually(lambda: all_completed(stack, key, job_ids), deadline_s=DEADLINE_S)
    assert {job.state for job in found} == {"completed"}
    assert usage(stack) == dict.fromkeys(job_ids, 1)
