"""Webhooks from a running ingest to a real receiver, over TLS: told once, again, by two replicas, after a crash."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from typer.testing import CliRunner, Result

from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.__main__ import app
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers.certificates import Certificates
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.process import IngestProcess, running
from tests.integration.ingest.webhooks.receiver import Receiver, Told, allowing, receiving
from tests.unit.ingest.rig import wav


class Desk:
    """The operator's commands."""

    def __init__(self, urls: DatabaseUrls) -> None:
        self._urls = urls

    def run(self, *words: str, ok: bool = True) -> Result:
        environment = {"INGEST_DATABASE_URL": self._urls.ingest, "COLUMNS": "250"}
        result = CliRunner().invoke(app, list(words), env=environment)
        assert (result.exit_code == 0) is ok, result.output
        return result

    def listed(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("webhooks", "list", *words, "--json").stdout)
        return found

    def set_up(self, receiver: Receiver) -> str:
        """Give acme its address and a secret."""
        self.run("clients", "set", "acme", f"webhook={receiver.url}")
        return self.run("webhooks", "rotate", "acme").stdout.strip()


class Holding:
    """A receiver's answer that does not come before it is let go. `held`: it was asked."""

    def __init__(self) -> None:
        self.held, self.let_go = threading.Event(), threading.Event()

    def __call__(self, _told: Told) -> tuple[int, dict[str, str]]:
        self.held.set()
        self.let_go.wait(60)
        return 200, {}


@dataclass(frozen=True)
class House:
    """acme with its key, its operator and its receiver, and what an ingest needs to run."""

    folder: Path
    urls: DatabaseUrls
    broker: MockCluster
    key: str
    receiver: Receiver
    desk: Desk
    allowed: dict[str, str]

    def ingest(self, name: str = "ingest", **settings: str) -> AbstractContextManager[IngestProcess]:
        return running(self.folder, self.urls.ingest, self.broker.address, name=name, **{**self.allowed, **settings})

    def submitted(self, ingest: IngestProcess) -> tuple[str, datetime]:
        headers = {"Authorization": f"Bearer {self.key}"}
        job = httpx.post(f"{ingest.url}/v1/jobs", headers=headers, content=wav()).json()
        return job["job_id"], datetime.fromisoformat(job["accepted_at"])

    def end(self, job: tuple[str, datetime], state: str = "completed") -> None:
        job_id, accepted_at = job
        record(self.urls.ledger, samples.job_status(job_id, 1, state, client_id="acme", accepted_at=accepted_at))


@pytest.fixture
def house(tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster, key: str) -> Iterator[House]:
    certificates = Certificates(tmp_path / "certificates")
    with receiving(certificates) as receiver:
        allowed = allowing(receiver, certificates)
        yield House(tmp_path, migrated, broker, key, receiver, Desk(migrated), allowed)


def test_whoever_is_told_and_asks_at_once_is_answered(house: House) -> None:
    receiver, desk = house.receiver, house.desk
    secret = desk.set_up(receiver)
    with house.ingest() as ingest:
        asked: list[tuple[str, str]] = []

        def ask(told: Told) -> tuple[int, dict[str, str]]:
            headers = {"Authorization": f"Bearer {house.key}"}
            job = httpx.get(f"{ingest.url}/v1/jobs/{told.data['job_id']}", headers=headers).json()
            asked.append((told.data["state"], job["state"]))
            return 200, {}

        receiver.answer = ask
        done, failed = house.submitted(ingest), house.submitted(ingest)
        house.end(done)
        house.end(failed, "failed")
        eventually(lambda: len(asked) == 2)
        messages = [told.verified(secret) for told in receiver.told]
        assert sorted(asked) == [("completed", "completed"), ("failed", "failed")]
        assert {(m["type"], m["data"]["job_id"], m["data"]["reason"]) for m in messages} == {
            ("job.completed", done[0], None),
            ("job.failed", failed[0], "no_audio"),
        }
        eventually(lambda: [one["status"] for one in desk.listed("--client", "acme")] == ["delivered"] * 2)
        assert "job.failed" in desk.run("webhooks", "list").stdout
        assert ingest.terminate() == 0


def test_a_test_says_what_the_receiver_answers_and_a_replay_comes_with_the_same_id(house: House) -> None:
    receiver, desk = house.receiver, house.desk
    desk.run("webhooks", "test", "acme", ok=False)
    old = desk.set_up(receiver)
    with house.ingest():
        assert "delivered, 204" in desk.run("webhooks", "test", "acme").stdout
        new = desk.run("webhooks", "rotate", "acme").stdout.strip()
        receiver.answer = lambda _told: (404, {})
        said = desk.run("webhooks", "test", "acme", ok=False).stdout
        assert "refused, 404" in said
        told = receiver.told[-1]
        assert [told.verified(secret)["type"] for secret in (old, new)] == ["webhook.test"] * 2
        receiver.answer = lambda _told: (200, {})
        desk.run("webhooks", "replay", told.webhook_id)
        eventually(lambda: len(receiver.told) == 3)
        assert receiver.told[-1].webhook_id == told.webhook_id
        desk.run("webhooks", "replay", "nothing", ok=False)
        desk.run("webhooks", "replay", ok=False)


def test_what_leads_inward_is_never_sent(house: House) -> None:
    receiver, desk = house.receiver, house.desk
    desk.set_up(receiver)
    with house.ingest(INGEST_OUTBOUND_NETWORKS="[]"):
        assert "refused, not_allowed:address" in desk.run("webhooks", "test", "acme", ok=False).stdout
    assert receiver.told == []


def test_two_replicas_tell_each_end_once(house: House) -> None:
    receiver, desk = house.receiver, house.desk
    desk.set_up(receiver)
    with house.ingest() as one, house.ingest("other") as other:
        jobs = [house.submitted(replica) for replica in (one, other) for _ in range(10)]
        for job in jobs:
            house.end(job)
        eventually(lambda: len(receiver.told) >= 20)
        eventually(lambda: len(desk.listed("--status", "delivered")) == 20)
    assert {told.data["job_id"] for told in receiver.told} == {job_id for job_id, _ in jobs}
    assert set(Counter(told.webhook_id for told in receiver.told).values()) == {1}


def test_an_ingest_that_dies_over_a_delivery_leaves_it_to_the_next(house: House) -> None:
    receiver, desk = house.receiver, house.desk
    desk.set_up(receiver)
    holding = Holding()
    receiver.answer = holding
    with house.ingest() as ingest:
        house.end(house.submitted(ingest))
        assert holding.held.wait(30)
        ingest.process.kill()
    holding.let_go.set()
    receiver.answer = lambda _told: (200, {})
    # The claim runs out by itself, after two minutes; here it is made to.
    with psycopg.connect(house.urls.ingest, autocommit=True) as connection:
        connection.execute("UPDATE ingest.webhook_deliveries SET due_at = now()")
    with house.ingest():
        eventually(lambda: len(receiver.told) == 2)
    assert len({told.webhook_id for told in receiver.told}) == 1


def test_a_receiver_that_says_nothing_does_not_hold_up_the_end(house: House) -> None:
    receiver, desk = house.receiver, house.desk
    desk.set_up(receiver)
    holding = Holding()
    receiver.answer = holding
    try:
        with house.ingest() as ingest:
            house.end(house.submitted(ingest))
            assert holding.held.wait(30)
            began_s = time.monotonic()
            assert ingest.terminate() == 0
            assert time.monotonic() - began_s < 10
    finally:
        holding.let_go.set()
