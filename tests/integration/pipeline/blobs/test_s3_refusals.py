"""A store that refuses us, a clock that is wrong, encryption, presigned URLs."""

from __future__ import annotations

import time
from dataclasses import replace

import httpx
import pytest

from pipeline.blobs.options import Credentials, Encryption
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.http import S3Http
from pipeline.errors import Fatal, Transient
from razgovor.chaos.proxies import HttpProxy
from razgovor.chaos.proxies.faults import Error, HttpRule
from tests.buckets import Bucket

pytestmark = pytest.mark.peers


def test_wrong_credentials_are_fatal_and_named(bucket: Bucket) -> None:
    good = bucket.options.credentials
    assert good is not None
    for credentials, code in (
        (Credentials("nobody", "word"), "InvalidAccessKeyId"),
        (Credentials(good.access_key, "word"), "SignatureDoesNotMatch"),
        (None, "AccessDenied"),
    ):
        with pytest.raises(Fatal, match=code):
            S3Store(bucket.address, replace(bucket.options, credentials=credentials)).verify()


def test_a_bucket_that_is_not_there_is_fatal_and_named(bucket: Bucket) -> None:
    store = S3Store(replace(bucket.address, bucket="no-such-bucket-here"), bucket.options)
    with pytest.raises(Fatal, match="NoSuchBucket"):
        store.verify()
    with pytest.raises(Fatal, match="NoSuchBucket"):
        store.read("jobs/1/audio")
    with pytest.raises(Fatal, match="NoSuchBucket"):
        list(store.list(""))


def test_a_server_that_is_not_there_is_waited_for(bucket: Bucket) -> None:
    store = bucket.at("127.0.0.1:1")
    with pytest.raises(Transient):
        store.verify()


def test_tls_where_none_is_spoken_is_fatal(bucket: Bucket) -> None:
    with pytest.raises(Fatal, match="TLS"):
        S3Store(replace(bucket.address, scheme="https"), bucket.options).verify()


@pytest.mark.parametrize("error_s", [-3600, 3600])
def test_a_store_whose_clock_says_otherwise_is_believed(bucket: Bucket, error_s: int) -> None:
    jumps_s = [0.0]
    http = S3Http(bucket.address, bucket.options, lambda: time.time() + error_s + jumps_s[0])
    store = S3Store(bucket.address, bucket.options, http)
    store.verify()
    jumps_s[0] = -2 * error_s
    store.verify()
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(b"sound")
        jumps_s[0] = error_s
        writer.commit()
    assert httpx.get(store.presigned_get("jobs/1/audio", expires_s=60, file_name="a")).content == b"sound"


def test_objects_are_encrypted_as_asked(bucket: Bucket) -> None:
    options = replace(bucket.options, encryption=Encryption("AES256"))
    store = S3Store(bucket.address, options)
    store.verify()
    store.put("jobs/1/call.json", b"{}", media_type="application/json")
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(bytes(9 * 2**20))
        writer.commit()
    for key in ("jobs/1/call.json", "jobs/1/audio"):
        assert bucket.http.request("HEAD", key).headers["x-amz-server-side-encryption"] == "AES256"
    assert store.read("jobs/1/call.json") == b"{}"
    bucket.store.put("jobs/2/call.json", b"{}", media_type="application/json")
    assert "x-amz-server-side-encryption" not in bucket.http.request("HEAD", "jobs/2/call.json").headers


def test_a_presigned_url_gives_one_object_to_read_under_its_name_and_nothing_else(bucket: Bucket) -> None:
    bucket.store.put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    url = bucket.store.presigned_get("jobs/1/audio", expires_s=60, file_name='звонок "1".wav')
    answer = httpx.get(url)
    assert answer.content == b"sound"
    assert answer.headers["content-type"] == "audio/x-wav"
    assert "%D0%B7%D0%B2" in answer.headers["content-disposition"]
    assert httpx.put(url, content=b"other").status_code == 403
    assert httpx.get(url.replace("jobs/1/audio", "jobs/2/audio")).status_code == 403
    assert httpx.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")).status_code == 403


def test_a_full_store_is_waited_for(proxy: HttpProxy, store: S3Store) -> None:
    proxy.set(HttpRule(fault=Error(status=507, code="XMinioStorageFull"), methods=frozenset({"PUT"})))
    with pytest.raises(Transient, match="XMinioStorageFull"):
        store.put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    with pytest.raises(Transient, match="XMinioStorageFull"):
        store.verify()
    proxy.set()
    store.verify()
