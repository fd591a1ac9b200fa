"""Calls on all their ways through services that have the rights of the shipped files and no others."""

from __future__ import annotations

import json
import uuid
from functools import partial
from typing import Any

import psutil
import pytest

from pipeline.contracts import layout
from pipeline.contracts.transcript import sha256_hex
from pipeline.stream.ports import Record
from pipeline.testing.waiting import eventually
from services.transcriber.fakes import derived_words
from tests.integration.razgovor.rights.deployment import Deployment

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

#: Longer than a part of a multipart upload, in seconds of the recordings here: 8 kHz, a byte a sample.
LONG_S = 1_200.0


def test_a_service_is_told_its_own_secrets_and_no_others(deployment: Deployment) -> None:
    secrets = deployment.secrets()
    for worker in deployment.crew.workers():
        told = psutil.Process(worker.pid).environ().values()
        own = {f"{place} {worker.service}" for place in ("brokers", "store", "database")} & secrets.keys()
        source = {"store source"} if worker.service == "ingest" else set()
        assert {name for name, secret in secrets.items() if any(secret in value for value in told)} == own | source


@pytest.mark.parametrize("way", ["submit", "submit_by_reference", "submit_by_event"])
@pytest.mark.parametrize("duration_s", [0.5, LONG_S])
def test_a_call_goes_in_and_comes_out_as_a_transcript(deployment: Deployment, way: str, duration_s: float) -> None:
    data = deployment.recording(duration_s)
    job_id = getattr(deployment, way)(data)
    assert deployment.end(job_id) == "completed"
    text = deployment.text(job_id)
    assert all(word in text for word in derived_words(sha256_hex(data)))
    assert deployment.rest.get(f"/v1/jobs/{job_id}/audio").content == data


def test_every_format_is_made_and_can_be_fetched(deployment: Deployment) -> None:
    job_id = deployment.submit(deployment.recording(), formats="txt,vtt,srt,xlsx")
    assert deployment.end(job_id) == "completed"
    for name in ("txt", "vtt", "srt", "xlsx", "json"):
        answer = deployment.rest.get(f"/v1/jobs/{job_id}/transcript", params={"format": name})
        assert (name, answer.status_code) == (name, 200)


def test_a_call_that_is_canceled_is_worked_on_no_more(deployment: Deployment) -> None:
    job_id = deployment.submit(deployment.recording())
    assert deployment.rest.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
    assert deployment.end(job_id) == "canceled"


def test_of_a_call_that_is_erased_nothing_is_left(deployment: Deployment) -> None:
    job_id = deployment.submit(deployment.recording())
    assert deployment.end(job_id) == "completed"
    assert deployment.rest.delete(f"/v1/jobs/{job_id}").status_code == 202

    def receipt() -> Any:
        return (deployment.rest.get(f"/v1/jobs/{job_id}").json().get("erasure") or {}).get("erased_at")

    eventually(receipt, deadline_s=30, every_s=0.1)
    left = [found.key for found in deployment.bucket.store.list(layout.job_prefix(job_id))]
    assert set(left) <= {layout.called_off_key(job_id, 1)}


def test_what_no_call_owns_is_swept(deployment: Deployment) -> None:
    key = layout.audio_key(str(uuid.uuid4()))
    deployment.bucket.store.put(key, b"left by a dead ingest", media_type="audio/wav")
    eventually(lambda: deployment.bucket.store.stat(key) is None, deadline_s=60, every_s=0.2)


def test_a_recording_that_is_gone_is_looked_for_three_times(deployment: Deployment) -> None:
    transcribers = deployment.crew.workers("transcriber")
    deployment.crew.rest(*transcribers)
    data = deployment.recording()
    job_id = deployment.submit(data)
    owner, key = deployment.bucket.store, layout.audio_key(job_id)
    owner.delete(key)
    deployment.crew.wake(*transcribers)
    assert deployment.end(job_id) == "failed"
    owner.put(key, data, media_type="audio/x-wav")  # so that the audit finds what was accepted

    assert deployment.rest.get(f"/v1/jobs/{job_id}").json()["reason"]["code"] == "audio_missing"
    (transcriber,) = transcribers
    lines = [json.loads(line) for line in transcriber.log.read_text(encoding="utf-8").splitlines()]
    assert [one["attempt"] for one in lines if one.get("event") == "call_failed" and one["job_id"] == job_id] == [
        1,
        2,
        3,
    ]


def test_each_service_puts_aside_and_the_operator_replays(deployment: Deployment) -> None:
    topics = ("audio.uploaded", "transcript.ready", "job.status", "call.recorded")
    deployment.publish(*(Record(topic, b"nobody's", b"no event") for topic in topics))

    def open_letters(count: int) -> list[tuple[str, str]] | None:
        found = json.loads(deployment.operate("dlq", "list", "--json").stdout)["letters"]
        return [(one["topic"], one["group"]) for one in found] if len(found) == count else None

    first = eventually(partial(open_letters, 6), deadline_s=60, every_s=0.5)
    assert sorted(first or ()) == [
        ("audio.uploaded", "ledger"),
        ("audio.uploaded", "transcriber"),
        ("call.recorded", "ingest"),
        ("job.status", "ledger"),
        ("transcript.ready", "exporter"),
        ("transcript.ready", "ledger"),
    ]
    replayed = deployment.operate("dlq", "replay", "--all", "--force")
    assert (replayed.exit_code, "6 of 6" in replayed.output) == (0, True), replayed.output
    eventually(partial(open_letters, 10), deadline_s=60, every_s=0.5)
    assert deployment.operate("dlq", "drop", "--all").exit_code == 0


def test_the_auditor_sees_all_and_finds_nothing(deployment: Deployment) -> None:
    job_id = deployment.submit(deployment.recording())
    assert deployment.end(job_id) == "completed"
    found = []

    def is_whole() -> bool:
        """Commits are said twice a second at most."""
        done = deployment.audit("--drained", "--orphan-age", "1h", "--json")
        found.append(done.output)
        return done.exit_code == 0

    try:
        eventually(is_whole, deadline_s=30, every_s=1)
    except AssertionError:
        pytest.fail(found[-1])
    assert "not checked" not in found[-1]
