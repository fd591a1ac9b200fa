"""The whole process over a real socket, database, store and broker."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest

from pipeline.contracts.events import AudioUploaded
from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.kafka_mock import MockCluster
from pipeline.stream.ports import TopicPartition
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.web.context import SECURITY_HEADERS, USUAL_HEADERS
from tests.integration.ingest.kafka_world import mock_broker
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav


@pytest.fixture
def ingest(tmp_path: Path, migrated: DatabaseUrls, broker: MockCluster) -> Iterator[IngestProcess]:
    with running(tmp_path, migrated.ingest, broker.address, INGEST_MAX_AUDIO_BYTES="5000000") as process:
        yield process


def nobody_listens() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def caller(ingest: IngestProcess, key: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as http:
        yield http


def post(ingest: IngestProcess, key: str, data: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    """One upload on a connection of its own."""
    with caller(ingest, key) as http:
        return http.post("/v1/jobs", content=data, headers=headers)


def events(broker: MockCluster, count: int) -> list[AudioUploaded]:
    """The first announcements on the topic."""
    consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=broker.address), group=f"test-{id(broker)}")

    def ignore(_partitions: object) -> None:
        return

    consumer.subscribe([AudioUploaded.TOPIC], ignore, ignore)
    found: list[AudioUploaded] = []

    def look() -> bool:
        for message in consumer.poll(0.2, 100):
            event = wire.decode(message)
            assert isinstance(event, AudioUploaded)
            found.append(event)
        return len(found) >= count

    eventually(look, deadline_s=30)
    consumer.close()
    return found


def objects(folder: Path) -> list[Path]:
    return [path for path in (folder / "store").rglob("*") if path.is_file()]


def test_an_upload_is_accepted_kept_and_announced_and_the_process_drains(
    ingest: IngestProcess, key: str, broker: MockCluster, tmp_path: Path
) -> None:
    with caller(ingest, key) as http:
        assert http.get("/readyz").json()["status"] == "ready"
        answer = http.post("/v1/jobs", files={"file": ("a.wav", wav())}, data={"operator": "Анна", "call_id": "c-1"})
        assert answer.status_code == 202
        shown = http.get(answer.headers["location"]).json()
        assert (shown["state"], shown["call"]["operator"]) == ("queued", "Анна")
        assert http.get(f"{answer.headers['location']}/audio").content == wav()
        assert len(http.get("/v1/jobs").json()["jobs"]) == 1
    (event,) = events(broker, 1)
    assert (event.job_id, event.call_id, event.audio.media_type) == (answer.json()["job_id"], "c-1", "audio/wav")
    assert event.audio.declared_duration_ms == 1000
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in objects(tmp_path))
    assert ingest.terminate() == 0
    assert not any(word in ingest.log() for word in ("Анна", "a.wav", key))


def test_with_the_broker_down_uploads_are_taken(tmp_path: Path, migrated: DatabaseUrls, key: str) -> None:
    with running(tmp_path, migrated.ingest, nobody_listens()) as ingest, caller(ingest, key) as http:
        assert http.post("/v1/jobs", content=wav()).status_code == 202
        eventually(lambda: http.get("/readyz").json()["peers"]["stream"] == "unavailable", deadline_s=30)
        assert http.get("/readyz").status_code == 200
        assert ingest.terminate() == 0


def test_what_a_killed_process_accepted_is_announced_by_the_next(
    tmp_path: Path, migrated: DatabaseUrls, key: str, broker: MockCluster
) -> None:
    with running(tmp_path, migrated.ingest, nobody_listens()) as ingest:
        job_id = post(ingest, key, wav()).json()["job_id"]
        ingest.process.kill()
    with running(tmp_path, migrated.ingest, broker.address):
        assert [event.job_id for event in events(broker, 1)] == [job_id]


def test_a_new_broker_gets_everything_again(tmp_path: Path, migrated: DatabaseUrls, key: str) -> None:
    with mock_broker() as first, running(tmp_path, migrated.ingest, first.address) as ingest:
        job_id = post(ingest, key, wav()).json()["job_id"]
        (before,) = events(first, 1)
        ingest.terminate()
    with mock_broker() as second, running(tmp_path, migrated.ingest, second.address):
        (after,) = events(second, 1)
    assert (after.job_id, after) == (job_id, before)


def test_many_posts_with_one_idempotency_key_make_one_job(
    ingest: IngestProcess, key: str, broker: MockCluster, tmp_path: Path
) -> None:
    def post_one(_number: int) -> tuple[int, str]:
        answer = post(ingest, key, wav(), **{"Idempotency-Key": "k"})
        return answer.status_code, answer.text

    with ThreadPoolExecutor(20) as threads:
        answers = set(threads.map(post_one, range(100)))
    assert len(answers) == 1
    ((status, text),) = answers
    assert status == 202
    assert [event.job_id for event in events(broker, 1)] == [json.loads(text)["job_id"]]
    assert len(objects(tmp_path)) == 2


def head(key: str, *lines: str) -> bytes:
    return "\r\n".join(("POST /v1/jobs HTTP/1.1", "Host: x", f"Authorization: Bearer {key}", *lines, "", "")).encode()


@pytest.mark.parametrize(
    ("lines", "body", "expected"),
    [
        (["Content-Length: -1"], b"", (400, "bad_request")),
        (["Content-Length: many"], b"", (400, "bad_request")),
        (["Content-Length: 5", "Content-Length: 6"], b"hello", (400, "bad_request")),
        (["Content-Length: 99999999"], b"", (413, "too_large")),
        (["Content-Length: 0"], b"", (400, "empty_file")),
        (["Content-Length: 5"], b"hello", (415, "unsupported_media")),
        (["Transfer-Encoding: chunked"], b"5\r\nhello\r\n0\r\n\r\n", (415, "unsupported_media")),
        (
            ["Content-Type: multipart/form-data; boundary=" + "x" * 10_000, "Content-Length: 1"],
            b"x",
            (400, "bad_multipart"),
        ),
        (["no header at all"], b"", (400, "bad_request")),
    ],
)
def test_raw_bad_requests_get_problems_and_the_service_lives_on(
    ingest: IngestProcess, key: str, lines: list[str], body: bytes, expected: tuple[int, str]
) -> None:
    answer = ingest.raw(head(key, *lines) + body)
    top, _, text = answer.partition(b"\r\n\r\n")
    assert top.startswith(f"HTTP/1.1 {expected[0]} ".encode())
    assert b"application/problem+json" in top
    for name, value in {**SECURITY_HEADERS, **USUAL_HEADERS}.items():
        assert f"{name}: {value}".lower().encode() in top.lower()
    assert json.loads(text)["code"] == expected[1]
    assert httpx.get(f"{ingest.url}/healthz").status_code == 200


def test_too_much_in_chunks_is_refused_while_it_streams(ingest: IngestProcess, key: str, tmp_path: Path) -> None:
    pieces = (wav(bytes(100_000)) for _ in range(60))
    answer = post(ingest, key, pieces)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert objects(tmp_path) == []


def test_a_client_that_hangs_up_midway_leaves_nothing(
    ingest: IngestProcess, key: str, tmp_path: Path, migrated: DatabaseUrls
) -> None:
    ingest.raw(head(key, "Content-Length: 4000000") + wav(bytes(1_000_000)), hang_up=True)
    eventually(lambda: '"status": 400' in ingest.log())
    assert objects(tmp_path) == []
    with psycopg.connect(migrated.ingest) as connection:
        assert connection.execute("SELECT count(*) FROM ingest.submissions").fetchone() == (0,)


def test_audio_that_no_header_reader_understands_is_taken_and_the_service_lives_on(
    ingest: IngestProcess, key: str
) -> None:
    for data in (b"RIFF\xff\xff\xff\xffWAVE" + bytes(5000), b"OggS" + bytes(5000), b"fLaC" + b"\xff" * 5000):
        assert post(ingest, key, data).status_code == 202
    assert post(ingest, key, wav()).status_code == 202


def test_the_relay_keeps_where_the_broker_put_an_announcement(
    ingest: IngestProcess, key: str, migrated: DatabaseUrls
) -> None:
    post(ingest, key, wav())

    def sent() -> tuple[object, ...] | None:
        with psycopg.connect(migrated.ingest) as connection:
            return connection.execute(
                'SELECT cluster_id, topic, "partition", "offset", announcements FROM ingest.outbox'
                " WHERE sent_at IS NOT NULL"
            ).fetchone()

    row = eventually(sent)
    assert row is not None
    assert TopicPartition(str(row[1]), 0).topic == AudioUploaded.TOPIC
    assert row[0]
    assert (row[3], row[4]) == (0, 1)
