"""The stores of clients' recordings on a real S3: what is there, what is not, and what is not for us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.errors import Transient
from razgovor.chaos.proxies import HttpProxy
from razgovor.chaos.proxies.faults import Error, HttpRule
from razgovor.peers.addresses import S3Peer
from services.ingest.adapters.sources import sources_at
from services.ingest.sources import NoSuchObject, Reference, SourceAway, Sources
from tests.buckets import Bucket, temporary_bucket

pytestmark = pytest.mark.peers
DATA = bytes(range(256)) * 40_000
KEYS = ["2026/a.wav", "год/запись 1+2 &=?#.wav", "a%2eb/%2e%2e/c.wav"]


@pytest.fixture
def bucket(s3_peer: S3Peer) -> Iterator[Bucket]:
    with temporary_bucket(s3_peer) as bucket:
        for key in KEYS:
            bucket.store.put(key, DATA, media_type="audio/wav")
        yield bucket


def at(bucket: Bucket, endpoint: str | None = None, options: StoreOptions | None = None) -> Sources:
    return sources_at(f"s3://?endpoint={endpoint or bucket.address.endpoint}", options or bucket.options)


def read(sources: Sources, bucket: str, key: str) -> bytes:
    with sources.open(Reference(bucket, key)) as incoming:
        data = b"".join(incoming.chunks)
        assert incoming.size_bytes == len(data)
        return data


@pytest.mark.parametrize("key", KEYS)
def test_a_recording_is_read_by_its_key_as_it_stands(bucket: Bucket, key: str) -> None:
    assert read(at(bucket), bucket.address.bucket, key) == DATA


def test_an_object_and_a_bucket_that_are_not_there_are_told_apart_from_an_outage(bucket: Bucket) -> None:
    with pytest.raises(NoSuchObject):
        read(at(bucket), bucket.address.bucket, "2026/none.wav")
    with pytest.raises(NoSuchObject):
        read(at(bucket), "razgovor-no-such-bucket", "a.wav")


def test_a_user_whom_the_store_does_not_know_waits_for_his_operator(bucket: Bucket) -> None:
    stranger = replace(bucket.options, credentials=Credentials("nobody", "nothing-at-all"))
    with pytest.raises((SourceAway, NoSuchObject)) as refused:
        read(at(bucket, options=stranger), bucket.address.bucket, KEYS[0])
    assert not isinstance(refused.value, NoSuchObject) or refused.value.denied


def test_an_outage_of_all_is_told_from_one_object_that_fails(bucket: Bucket) -> None:
    with HttpProxy(f"{bucket.address.host}:{bucket.address.port}", seed=7) as proxy:
        sources = at(bucket, f"http://{proxy.address}", replace(bucket.options, attempts=1))
        proxy.set(HttpRule(fault=Error(status=503, code="SlowDown")))
        with pytest.raises(SourceAway):
            read(sources, bucket.address.bucket, KEYS[0])
        proxy.set(HttpRule(fault=Error(status=500), target="2026/a.wav"))
        with pytest.raises(Transient) as one:
            read(sources, bucket.address.bucket, KEYS[0])
        assert not isinstance(one.value, SourceAway)
