"""Faults 7 and 8 of docs/chaos.md: a store that fails, lies about its length, lists late, answers twice."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from pipeline.blobs.ports import BlobNotFound
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.listing import list_uploads
from pipeline.errors import Transient
from pipeline.testing.waiting import eventually
from razgovor.chaos.proxies import HttpProxy
from razgovor.chaos.proxies.faults import (
    Error,
    FlippedByte,
    HalfBody,
    HalfUpload,
    Hang,
    HttpFault,
    HttpRule,
    ListLate,
    Reset,
    Twice,
)
from tests.buckets import Bucket

pytestmark = pytest.mark.peers
KEY = "jobs/1/audio"
DATA = hashlib.shake_128(b"sound").digest(300_000)
LARGE = hashlib.shake_128(b"sound").digest(9 * 2**20)
ANSWERS: list[HttpFault] = [
    Error(status=500),
    Error(status=503, code="SlowDown"),
    Error(status=500, after_effect=True),
    Hang(),
    Hang(after_effect=True),
    Reset(),
    Reset(after_effect=True),
]
READS: list[HttpFault] = [
    *ANSWERS,
    HalfBody(end="close"),
    HalfBody(end="reset"),
    HalfBody(end="hang"),
    FlippedByte(),
]
WRITES: list[HttpFault] = [*ANSWERS, HalfUpload()]


def named(fault: HttpFault) -> str:
    return " ".join(str(value) for value in fault.model_dump().values())


def upload(store: S3Store) -> None:
    with store.writer(KEY, media_type="audio/x-wav") as writer:
        writer.write(LARGE)
        writer.commit()


@pytest.mark.parametrize("fault", READS, ids=named)
def test_a_read_that_fails_twice_is_carried_by_the_third(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, fault: HttpFault
) -> None:
    bucket.store.put(KEY, DATA, media_type="audio/x-wav")
    proxy.set(HttpRule(fault=fault, times=2))
    assert store.read(KEY) == DATA
    assert proxy.befallen[fault.kind] == 2


@pytest.mark.parametrize("fault", READS, ids=named)
def test_a_read_that_fails_always_is_transient_and_gives_no_bytes(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, fault: HttpFault
) -> None:
    bucket.store.put(KEY, DATA, media_type="audio/x-wav")
    proxy.set(HttpRule(fault=fault))
    with pytest.raises(Transient, match="store: "):
        store.read(KEY)
    with pytest.raises(Transient, match="store: "), store.local_path(KEY):
        pytest.fail("there is no whole copy")
    assert proxy.befallen[fault.kind] <= 3 + 3 * 3
    proxy.set()
    assert store.read(KEY) == DATA


@pytest.mark.parametrize("fault", WRITES, ids=named)
def test_a_put_that_fails_twice_is_carried_by_the_third(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, fault: HttpFault
) -> None:
    proxy.set(HttpRule(fault=fault, times=2))
    store.put(KEY, DATA, media_type="audio/x-wav")
    assert bucket.store.read(KEY) == DATA


@pytest.mark.parametrize("fault", WRITES, ids=named)
def test_a_put_that_fails_always_is_transient_and_never_half_an_object(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, fault: HttpFault
) -> None:
    proxy.set(HttpRule(fault=fault))
    with pytest.raises(Transient):
        store.put(KEY, DATA, media_type="audio/x-wav")
    with suppress(BlobNotFound):
        assert bucket.store.read(KEY) == DATA


@pytest.mark.parametrize("end", ["close", "reset", "hang"])
def test_a_stream_that_breaks_off_goes_on_where_it_stopped(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, end: str
) -> None:
    bucket.store.put(KEY, LARGE, media_type="audio/x-wav")
    proxy.set(HttpRule.model_validate({"fault": {"kind": "half_body", "end": end}, "times": 2}))
    with store.open(KEY) as stream:
        assert stream.read() == LARGE
    with store.local_path(KEY) as path:
        assert path.read_bytes() == LARGE
    assert proxy.befallen["half_body"] == 2


def test_a_copy_with_a_changed_byte_is_refused(store: S3Store, bucket: Bucket, proxy: HttpProxy) -> None:
    bucket.store.put(KEY, DATA, media_type="audio/x-wav")
    proxy.set(HttpRule(fault=FlippedByte(), times=1))
    with pytest.raises(Transient, match="other bytes"), store.local_path(KEY):
        pytest.fail("these are other bytes")
    with store.local_path(KEY) as path:
        assert path.read_bytes() == DATA


@pytest.mark.parametrize("fault", WRITES, ids=named)
@pytest.mark.parametrize("step", ["uploads=", "partNumber=2", "uploadId=[^&]+$"])
def test_a_large_upload_lives_through_two_faults_at_any_step(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, fault: HttpFault, step: str
) -> None:
    proxy.set(HttpRule(fault=fault, target=step, times=2))
    upload(store)
    assert bucket.store.read(KEY) == LARGE


@pytest.mark.parametrize("step", ["uploads=", "partNumber=2", "uploadId=[^&]+$"])
def test_a_large_upload_that_fails_is_aborted(store: S3Store, bucket: Bucket, proxy: HttpProxy, step: str) -> None:
    proxy.set(HttpRule(fault=Error(), target=step, methods=frozenset({"PUT", "POST"})))
    with pytest.raises(Transient):
        upload(store)
    assert bucket.store.stat(KEY) is None
    assert list(list_uploads(bucket.http)) == []


def test_a_share_of_faults_corrupts_nothing(store: S3Store, bucket: Bucket, proxy: HttpProxy) -> None:
    faults: list[HttpFault] = [
        Error(),
        Error(status=503, after_effect=True),
        Reset(after_effect=True),
        HalfBody(end="close"),
        HalfUpload(),
    ]
    proxy.set(*(HttpRule(fault=fault, share=0.06) for fault in faults))

    def until_done(number: int) -> bool:
        key, data = f"jobs/{number}/call.json", DATA[number : number + 2000]
        for _ in range(20):
            with suppress(Transient):
                store.put(key, data, media_type="application/json")
                return store.read(key) == data
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(until_done, range(100)))
    assert sum(1 for _ in bucket.store.list("jobs/")) == 100
    assert sum(proxy.befallen.values()) > proxy.befallen["passed"] + 20


def test_a_late_listing_misses_nothing_that_is_asked_for_by_its_key(store: S3Store, proxy: HttpProxy) -> None:
    proxy.set(HttpRule(fault=ListLate(lag_s=3600)))
    store.put(KEY, DATA, media_type="audio/x-wav")
    assert list(store.list("jobs/")) == []
    assert store.stat(KEY) is not None
    assert store.read(KEY) == DATA
    proxy.set()
    assert [found.key for found in store.list("jobs/")] == [KEY]


@pytest.mark.parametrize("answered", [False, True])
def test_a_put_that_comes_twice_is_the_same_object(
    store: S3Store, bucket: Bucket, proxy: HttpProxy, *, answered: bool
) -> None:
    proxy.set(HttpRule(fault=Twice(answered=answered), methods=frozenset({"PUT"})))
    for number in range(20):
        store.put(f"jobs/{number}/audio", DATA[number:], media_type="audio/x-wav")
        assert store.read(f"jobs/{number}/audio") == DATA[number:]
    assert eventually(lambda: proxy.befallen["repeated"] == 20)
    assert sum(1 for _ in bucket.store.list("")) == 20
