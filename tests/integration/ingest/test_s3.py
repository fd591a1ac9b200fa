"""Ingest with its store on a real S3 server that breaks: nothing is half accepted, nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.blobs.s3.listing import list_uploads
from pipeline.stream.kafka_mock import MockCluster
from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies import HttpProxy
from razgovor.chaos.proxies.faults import Error, HttpRule, Reset
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers.addresses import S3Peer
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.buckets import Bucket, temporary_bucket
from tests.integration.ingest.process import IngestProcess, running
from tests.unit.ingest.rig import wav

pytestmark = pytest.mark.peers
LARGE = wav(bytes(20 * 2**20))


@pytest.fixture
def bucket(s3_peer: S3Peer) -> Iterator[Bucket]:
    with temporary_bucket(s3_peer) as bucket:
        yield bucket


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[HttpProxy]:
    with HttpProxy(f"{bucket.address.host}:{bucket.address.port}", seed=7) as proxy:
        yield proxy


@pytest.fixture
def ingest(bucket: Bucket, proxy: HttpProxy, migrated: DatabaseUrls, tmp_path: Path) -> Iterator[IngestProcess]:
    credentials = bucket.options.credentials
    assert credentials is not None
    settings = {
        "INGEST_STORE_URL": f"s3://{bucket.address.bucket}?endpoint=http://{proxy.address}",
        "INGEST_STORE_ACCESS_KEY": credentials.access_key,
        "INGEST_STORE_SECRET_KEY": credentials.secret_key,
        "INGEST_STORE_READ_TIMEOUT_S": "2",
    }
    with MockCluster() as broker, running(tmp_path, migrated.ingest, broker.address, **settings) as ingest:
        yield ingest


@pytest.fixture
def client(ingest: IngestProcess, migrated: DatabaseUrls) -> Iterator[httpx.Client]:
    key = create_key(migrated.ingest, Client(client_id="acme", name="Acme"))
    with httpx.Client(base_url=ingest.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        yield client


def jobs(bucket: Bucket) -> list[str]:
    return [blob.key for blob in bucket.store.list("jobs/")]


def test_small_and_large_recordings_are_taken_and_given_back(client: httpx.Client, bucket: Bucket) -> None:
    for recording in (wav(), LARGE):
        accepted = client.post("/v1/jobs", content=recording)
        assert accepted.status_code == 202
        job = accepted.json()["job_id"]
        assert client.get(f"/v1/jobs/{job}/audio").content == recording
        assert {f"jobs/{job}/audio", f"jobs/{job}/call.json"} <= set(jobs(bucket))


@pytest.mark.parametrize("step", ["uploads=", "partNumber=2", "uploadId=[^&]+$", "call.json"])
def test_a_store_that_fails_at_any_step_means_503_and_leaves_nothing(
    client: httpx.Client, bucket: Bucket, proxy: HttpProxy, ingest: IngestProcess, step: str
) -> None:
    proxy.set(HttpRule(fault=Error(status=503, code="SlowDown"), target=step, methods=frozenset({"PUT", "POST"})))
    refused = client.post("/v1/jobs", content=LARGE)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert (jobs(bucket), list(list_uploads(bucket.http))) == ([], [])
    assert "jobs/" not in ingest.log()
    proxy.set()
    assert client.post("/v1/jobs", content=LARGE).status_code == 202


def test_an_upload_whose_client_is_gone_is_aborted(client: httpx.Client, bucket: Bucket) -> None:
    def half() -> Iterator[bytes]:
        yield LARGE[: 12 * 2**20]
        assert eventually(lambda: list(list_uploads(bucket.http)))
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        client.post("/v1/jobs", content=half())
    assert eventually(lambda: not list(list_uploads(bucket.http)))
    assert jobs(bucket) == []


def test_a_share_of_resets_loses_no_accepted_recording(client: httpx.Client, bucket: Bucket, proxy: HttpProxy) -> None:
    proxy.set(HttpRule(fault=Reset(after_effect=True), share=0.1), HttpRule(fault=Error(), share=0.1))
    answers = [client.post("/v1/jobs", content=wav()) for _ in range(30)]
    assert {answer.status_code for answer in answers} <= {202, 503}
    accepted = [answer.json()["job_id"] for answer in answers if answer.status_code == 202]
    assert len(accepted) > 15
    for job in accepted:
        assert bucket.store.read(f"jobs/{job}/audio") == wav()
