"""What becomes of a job, as server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.errors import Transient
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.jobs import Job, Outcome
from services.ingest.problems import Problem
from services.ingest.web.open_streams import STREAMS_MAX, STREAMS_OF_CLIENT_MAX, OpenStreams
from tests.unit.ingest.rig import Rig, wav


class Story(MemorySubmissions):
    """Tells another chapter each time a job is looked at; None: nobody answers."""

    def __init__(self) -> None:
        super().__init__()
        self.chapters: Iterator[Outcome | None] = iter(())

    def fetch(self, client_id: str, job_id: str) -> Job | None:
        for chapter in self.chapters:
            if chapter is None:
                raise Transient("away")
            self.outcomes[job_id] = chapter
            break
        return super().fetch(client_id, job_id)


def followed(chapters: list[Outcome | None], last_event_id: str | None = None) -> tuple[int, list[dict[str, Any]], Rig]:
    """The status, and each event with its id and data."""
    story = Story()
    rig = Rig(submissions=story)
    job_id = rig.http().post("/v1/jobs", content=wav()).json()["job_id"]
    story.chapters = iter(chapters)
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    answer = rig.http().get(f"/v1/jobs/{job_id}/events", headers=headers)
    found = []
    for block in answer.text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields.get("event") == "state":
            found.append({"id": fields["id"], **json.loads(fields["data"])})
    return answer.status_code, found, rig


def told(events: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(event["id"], event["progress"]) for event in events]


def test_every_change_is_told_once_until_the_end() -> None:
    queued, at_it = Outcome(run=1), Outcome(run=1, state="transcribing")
    done = Outcome(run=1, state="completed")
    status, events, _rig = followed([queued, queued, at_it, None, at_it, Outcome(run=1, state="transcribed"), done])
    assert status == 200
    assert told(events) == [("1-queued", 0.0), ("1-transcribing", 0.1), ("1-transcribed", 0.9), ("1-completed", 1.0)]


def test_a_failure_says_why() -> None:
    _status, events, _rig = followed([Outcome(run=1, state="failed", reason="no_audio")])
    assert (events[0]["state"], events[0]["reason"]["code"]) == ("failed", "no_audio")


def test_who_comes_again_is_told_only_what_is_new() -> None:
    at_it, done = Outcome(run=1, state="transcribing"), Outcome(run=1, state="completed")
    assert told(followed([at_it, done], "1-transcribing")[1]) == [("1-completed", 1.0)]
    assert followed([done], "1-completed")[:2] == (204, [])
    assert told(followed([Outcome(run=2), Outcome(run=2, state="failed", reason="no_audio")], "1-failed")[1]) == [
        ("2-queued", 0.0),
        ("2-failed", 1.0),
    ]


def test_a_stream_that_is_over_makes_room() -> None:
    rig = followed([Outcome(run=1, state="completed")])[2]
    streams = OpenStreams()
    rig.options["streams"] = streams
    job_id = rig.only_job()
    for _ in range(STREAMS_OF_CLIENT_MAX + 1):
        assert rig.http().get(f"/v1/jobs/{job_id}/events").status_code == 200
    for _ in range(STREAMS_OF_CLIENT_MAX):
        streams.open("acme")
    answer = rig.http().get(f"/v1/jobs/{job_id}/events")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (429, "too_many_streams", "5")


def test_all_clients_together_have_a_bound_too() -> None:
    streams = OpenStreams()
    for number in range(STREAMS_MAX):
        streams.open(f"client-{number}")
    with pytest.raises(Problem):
        streams.open("another")
    streams.close("client-0")
    streams.open("another")
