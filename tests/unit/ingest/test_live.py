"""What a list on a screen is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipeline.errors import Transient
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.clients import Client
from services.ingest.jobs import Job, Outcome
from services.ingest.web.jobs import MAX_PAGE
from services.ingest.web.live import events
from services.ingest.web.open_streams import STREAMS_OF_CLIENT_MAX
from tests.unit.ingest.rig import Rig, wav

ACME = Client(client_id="acme", name="Acme")


class Watched(MemorySubmissions):
    """Goes on by a step before each look at the jobs that are followed."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Callable[[], object]] = []
        self.looks = 0

    def several(self, client_id: str, job_ids: Sequence[str]) -> list[Job]:
        self.looks += 1
        if self.steps:
            self.steps.pop(0)()
        return super().several(client_id, job_ids)


def told(rig: Rig, job_ids: list[str], count: int) -> list[tuple[str, Any]]:
    """The first events of a stream: their names, and the state or the id in them."""

    async def read() -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        stream = events(rig.ports(), ACME, job_ids)
        async for block in stream:
            fields = dict(line.split(": ", 1) for line in block.splitlines() if line)
            if "event" in fields:
                data = json.loads(fields["data"])
                found.append((fields["event"], data.get("state", data["job_id"])))
            if len(found) == count:
                return found
        return found

    return asyncio.run(asyncio.wait_for(read(), 10))


def submitted(rig: Rig) -> str:
    return str(rig.http().post("/v1/jobs", content=wav()).json()["job_id"])


def away() -> None:
    raise Transient("away")


def test_every_change_is_told_once_and_what_nobody_could_ask_for_later() -> None:
    watched = Watched()
    rig = Rig(submissions=watched)
    job_id = submitted(rig)
    at_it, done = Outcome(run=1, state="transcribing"), Outcome(run=1, state="completed")
    watched.steps = [
        lambda: None,
        lambda: None,
        away,
        lambda: watched.outcomes.update({job_id: at_it}),
        lambda: watched.outcomes.update({job_id: done}),
    ]
    assert told(rig, [job_id], 4) == [
        ("state", "queued"),
        ("newest", job_id),
        ("state", "transcribing"),
        ("state", "completed"),
    ]


def test_a_newer_job_is_told_also_where_none_is_followed() -> None:
    rig = Rig()
    first = submitted(rig)
    assert told(rig, [], 1) == [("newest", first)]
    second = submitted(rig)
    assert told(rig, [], 1) == [("newest", second)]


def test_another_clients_jobs_are_neither_told_nor_newest() -> None:
    watched = Watched()
    rig = Rig(submissions=watched)
    mine = submitted(rig)
    other = rig.http(rig.add_client(Client(client_id="other", name="Other")))
    theirs = other.post("/v1/jobs", content=wav()).json()["job_id"]
    assert told(rig, [theirs, mine], 2) == [("state", "queued"), ("newest", mine)]


@pytest.mark.parametrize(
    "jobs", ["x", "../..", ",".join(["00000000-0000-0000-0000-000000000001"] * (MAX_PAGE + 1)), "a" * 5000]
)
def test_only_so_many_ids_of_jobs_are_taken(jobs: str) -> None:
    answer = Rig().http().get("/v1/events", params={"jobs": jobs})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")


def test_there_are_only_so_many_streams() -> None:
    rig = Rig()
    streams = rig.ports().streams
    rig.options["streams"] = streams
    for _ in range(STREAMS_OF_CLIENT_MAX):
        streams.open("acme")
    assert rig.http().get("/v1/events").json()["code"] == "too_many_streams"


def test_nobody_follows_without_a_key() -> None:
    assert Rig().http(None).get("/v1/events").status_code == 401
