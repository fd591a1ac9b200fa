"""POST /v1/jobs with the recording's address in place of the recording."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import replace

import anyio
import pytest

from pipeline.contracts.call_info import CallInfo
from pipeline.errors import Transient
from pipeline.outbound import Allowed, Outbound
from services.ingest.adapters.sources import MemorySources
from services.ingest.fetching import Fetching
from services.ingest.problems import Problem
from services.ingest.sources import NoSuchObject, SourceAway
from services.ingest.web.fetches import FETCHES_OF_CLIENT_MAX, Fetches
from tests.unit.ingest.rig import Rig, wav
from tests.unit.pipeline.outbound.wires import Names, Wires

AUDIO = wav()
SHA256 = hashlib.sha256(AUDIO).hexdigest()
S3 = "s3://acme-calls/2026/a.wav"
HTTPS = "https://files.example/calls/%D0%B0%20b.wav?X-Signature=1"
FOUND = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(AUDIO) + AUDIO


def served(*pieces: bytes, addresses: tuple[str, ...] = ("93.184.216.34",)) -> Wires:
    wires = Wires(*(pieces or (FOUND,)))
    wires.names = Names(addresses)
    return wires


def rig(wires: Wires | None = None, sources: MemorySources | None = None) -> Rig:
    """An ingest whose client `acme` may name what lies below `s3://acme-calls/2026/`."""
    made = Rig()
    made.clients.change("acme", lambda client: replace(client, sources=("s3://acme-calls/2026/",)))
    outbound = None if wires is None else Outbound(Allowed(), resolve=wires.names, dial=wires)
    if sources is None:
        sources = MemorySources({("acme-calls", "2026/a.wav"): AUDIO, ("acme-calls", "2025/a.wav"): AUDIO})
    made.options["fetching"] = Fetching(sources, outbound, max_bytes=1_000_000)
    return made


@pytest.mark.parametrize(("url", "name"), [(S3, "a.wav"), (HTTPS, "а b.wav")])
def test_a_named_recording_becomes_the_job_that_its_bytes_would_be(url: str, name: str) -> None:
    world = rig(served())
    said = {"call_id": "c-1", "channels": ["operator", "customer"], "metadata": {"a": "b"}, "sha256": SHA256.upper()}
    answer = world.http().post("/v1/jobs", json={"audio_url": url, **said})
    assert answer.status_code == 202
    job_id = world.only_job()
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    assert world.store.objects[f"jobs/{job_id}/audio"] == AUDIO
    call = CallInfo.from_bytes(world.store.objects[f"jobs/{job_id}/call.json"])
    assert (call.file_name, call.metadata) == (name, {"a": "b"})
    submission, _ = world.submissions.submissions[job_id]
    assert (submission.call_id, submission.channel_roles) == ("c-1", ("operator", "customer"))
    assert world.wakes == 1


def test_a_header_less_recording_may_be_named() -> None:
    sources = MemorySources({("acme-calls", "2026/a.al"): b"\xd5" * 8000})
    world = rig(sources=sources)
    said = {"codec": "alaw", "sample_rate_hz": 8000, "channel_count": 1}
    assert world.http().post("/v1/jobs", json={"audio_url": "s3://acme-calls/2026/a.al", **said}).status_code == 202


@pytest.mark.parametrize(
    "url",
    [
        "s3://acme-calls/2025/a.wav",
        "s3://acme-calls/2026/../2025/a.wav",
        "s3://rival-calls/a.wav",
        "s3://acme-calls",
        "file:///etc/passwd",
        "http://files.example/a.wav",
        "ftp://files.example/a.wav",
        "https://user:secret@files.example/a.wav",
        "https://files.example:22/a.wav",
        "https://files.example/a.wav#x",
        "https://файлы.рф/a.wav",
        "nothing",
    ],
)
def test_an_address_that_is_not_allowed_is_refused_before_anything_is_asked(url: str) -> None:
    wires = served()
    world = rig(wires)
    answer = world.http().post("/v1/jobs", json={"audio_url": url})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "url_not_allowed", "audio_url")
    assert (wires.dialed, world.store.objects, world.submissions.submissions) == ([], {}, {})
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1", "::ffff:10.0.0.1", "0.0.0.0"],  # noqa: S104
)
def test_a_name_that_leads_inward_is_refused_unconnected(address: str) -> None:
    wires = served(addresses=(address,))
    answer = rig(wires).http().post("/v1/jobs", json={"audio_url": HTTPS})
    assert (answer.status_code, answer.json()["code"]) == (422, "url_not_allowed")
    assert address not in answer.text
    assert wires.dialed == []


def test_a_redirect_is_not_followed_wherever_it_leads() -> None:
    wires = served(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    answer = rig(wires).http().post("/v1/jobs", json={"audio_url": HTTPS})
    assert (answer.status_code, answer.json()["code"]) == (422, "url_not_allowed")
    assert wires.dialed == ["93.184.216.34 443"]


@pytest.mark.parametrize(
    ("pieces", "status", "code"),
    [
        ((b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",), 422, "source_failed"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",), 422, "source_failed"),
        ((b"no http at all\r\n\r\n",), 422, "source_failed"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n",), 413, "too_large"),
        ((b"HTTP/1.1 200 OK\r\n\r\n" + AUDIO + bytes(1_000_000),), 413, "too_large"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",), 415, "unsupported_media"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",), 400, "empty_file"),
    ],
)
def test_what_an_address_gives_is_judged_as_an_upload_is(pieces: tuple[bytes, ...], status: int, code: str) -> None:
    world = rig(served(*pieces))
    answer = world.http().post("/v1/jobs", json={"audio_url": HTTPS})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (world.store.objects, world.submissions.submissions) == ({}, {})


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NoSuchObject(), 422, "source_failed"),
        (NoSuchObject(denied=True), 422, "source_failed"),
        (SourceAway("away"), 503, "unavailable"),
        (Transient("this object"), 503, "unavailable"),
    ],
)
def test_a_source_that_does_not_give_is_answered(error: Exception, status: int, code: str) -> None:
    sources = MemorySources()
    sources.fail = error
    answer = rig(sources=sources).http().post("/v1/jobs", json={"audio_url": S3})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_another_recording_than_was_said_is_refused_and_leaves_nothing() -> None:
    world = rig()
    answer = world.http().post("/v1/jobs", json={"audio_url": S3, "sha256": "0" * 64})
    assert (answer.status_code, answer.json()["code"]) == (422, "source_mismatch")
    assert (world.store.objects, world.submissions.submissions) == ({}, {})


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        ([], "invalid_field", "audio_url"),
        ("s3://acme-calls/2026/a.wav", "invalid_field", "audio_url"),
        ({}, "invalid_field", "audio_url"),
        ({"audio_url": ""}, "invalid_field", "audio_url"),
        ({"audio_url": 1.5}, "invalid_field", "audio_url"),
        ({"audio_url": ["a"]}, "invalid_field", "audio_url"),
        ({"audio_url": S3, "sha256": "0"}, "invalid_field", "sha256"),
        ({"audio_url": S3, "priority": True}, "invalid_field", "priority"),
        ({"audio_url": S3, "channels": [1]}, "invalid_field", "channels"),
        ({"audio_url": S3, "channels": ["boss"]}, "invalid_field", "channels"),
        ({"audio_url": S3, "metadata": {"a": 1}}, "invalid_field", "metadata"),
        ({"audio_url": S3, "metadata": [1]}, "invalid_field", "metadata"),
        ({"audio_url": S3, "no_such_field": "x"}, "invalid_field", "no_such_field"),
    ],
)
def test_a_document_that_names_nothing_sound_is_refused(document: object, code: str, field: str) -> None:
    answer = rig().http().post("/v1/jobs", json=document)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"audio_url": "a", "audio_url": "b"}', b"[" * 50_000]
)
def test_a_body_that_is_no_json_is_refused(data: bytes) -> None:
    answer = rig().http().post("/v1/jobs", content=data, headers={"Content-Type": "application/json; charset=utf-8"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_document_that_is_too_long_is_refused_with_its_own_limit() -> None:
    answer = rig().http().post("/v1/jobs", json={"audio_url": S3, "queue": "x" * 70_000})
    assert (answer.status_code, answer.json()["limit_bytes"]) == (413, 65_536)


def test_the_same_idempotency_key_gives_the_same_job() -> None:
    world = rig()
    first, second = (
        world.http().post("/v1/jobs", json={"audio_url": S3}, headers={"Idempotency-Key": "k"}).json() for _ in range(2)
    )
    assert first == second
    assert len(world.submissions.submissions) == 1


def test_where_nothing_is_fetched_every_address_is_refused() -> None:
    for url in (S3, HTTPS):
        answer = Rig().http().post("/v1/jobs", json={"audio_url": url})
        assert (answer.status_code, answer.json()["code"]) == (422, "url_not_allowed")


def test_a_client_with_enough_under_way_is_told_to_wait() -> None:
    fetches, gate = Fetches(), threading.Event()
    refused: list[str] = []

    async def run(client_id: str) -> None:
        try:
            await fetches.run(client_id, gate.wait)
        except (Problem, Transient) as error:
            refused.append(f"{client_id} {error}")

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for client in range(5):
                for _ in range(FETCHES_OF_CLIENT_MAX + (client == 0)):
                    group.start_soon(run, str(client))
            while len(refused) < FETCHES_OF_CLIENT_MAX + 1:
                await anyio.lowlevel.checkpoint()
            gate.set()

    anyio.run(all_at_once)
    assert Counter(refused) == {"0 rate_limited": 1, "4 enough is being fetched": FETCHES_OF_CLIENT_MAX}
