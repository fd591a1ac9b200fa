"""One suite over the fake store, the folder and a real S3 server."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.blobs.folder import FolderStore
from pipeline.blobs.memory import MemoryStore
from pipeline.blobs.ports import BlobInfo, BlobNotFound, BlobStore
from razgovor.peers.addresses import S3Peer
from tests.buckets import temporary_bucket

LOCAL: dict[str, Callable[[Path], BlobStore]] = {
    "memory": lambda _folder: MemoryStore(),
    "folder": lambda folder: FolderStore(folder / "store"),
}
#: Beyond one part of a multipart upload, and no multiple of one.
LARGE_BYTES = 17 * 2**20 + 1


@pytest.fixture(params=[*LOCAL, pytest.param("s3", marks=pytest.mark.peers)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlobStore]:
    if request.param in LOCAL:
        yield LOCAL[str(request.param)](tmp_path)
        return
    peer: S3Peer = request.getfixturevalue("s3_peer")
    with temporary_bucket(peer, scratch_dir=tmp_path) as bucket:
        yield bucket.store


def large() -> bytes:
    return hashlib.shake_128(b"sound").digest(LARGE_BYTES)


def test_what_is_put_is_read(store: BlobStore) -> None:
    store.put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    store.put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    assert store.read("jobs/1/audio") == b"sound"
    assert store.stat("jobs/1/audio") == BlobInfo("jobs/1/audio", 5)
    with store.open("jobs/1/audio") as stream:
        stream.seek(2)
        assert stream.read() == b"und"
    with store.local_path("jobs/1/audio") as path:
        assert path.read_bytes() == b"sound"


def test_what_is_missing_is_named_as_missing(store: BlobStore) -> None:
    assert store.stat("jobs/2/audio") is None
    for look in (store.read, lambda key: store.open(key).__enter__(), lambda key: store.local_path(key).__enter__()):
        with pytest.raises(BlobNotFound):
            look("jobs/2/audio")


def test_a_writer_shows_nothing_before_commit_and_leaves_nothing_without_it(store: BlobStore) -> None:
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(b"so")
        assert store.stat("jobs/1/audio") is None
    assert store.stat("jobs/1/audio") is None
    assert list(store.list("")) == []
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(b"so")
        writer.write(b"und")
        writer.commit()
    assert store.read("jobs/1/audio") == b"sound"


@pytest.mark.parametrize("large", [False, True])
def test_what_a_writer_has_at_hand_is_what_is_put(store: BlobStore, *, large: bool) -> None:
    data = hashlib.shake_128(b"sound").digest(LARGE_BYTES if large else 3 * 2**20)
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        for start in range(0, len(data), 1_000_003):
            writer.write(data[start : start + 1_000_003])
        with writer.at_hand() as path:
            assert path is None or path.read_bytes() == data
        writer.commit()
        with writer.at_hand() as path:
            assert (path is None and large) or (path is not None and path.read_bytes() == data)
    assert store.read("jobs/1/audio") == data


def test_a_prefix_lists_its_keys_in_order_and_no_others(store: BlobStore) -> None:
    for key in ("jobs/1/audio", "jobs/1/1/a/call.txt", "jobs/10/audio", "jobs/1/2/b/call.txt"):
        store.put(key, b"x", media_type="text/plain")
    assert [blob.key for blob in store.list("jobs/1/")] == [
        "jobs/1/1/a/call.txt",
        "jobs/1/2/b/call.txt",
        "jobs/1/audio",
    ]
    assert [blob.key for blob in store.list("jobs/1")] == [
        "jobs/1/1/a/call.txt",
        "jobs/1/2/b/call.txt",
        "jobs/1/audio",
        "jobs/10/audio",
    ]
    assert list(store.list("jobs/3/")) == []


def test_delete_removes_and_forgives(store: BlobStore) -> None:
    store.put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    store.delete("jobs/1/audio")
    store.delete("jobs/1/audio")
    assert store.stat("jobs/1/audio") is None


def test_verify_leaves_no_trace(store: BlobStore) -> None:
    store.verify()
    assert list(store.list("")) == []


def test_a_large_object_is_streamed_in_and_out(store: BlobStore) -> None:
    data = large()
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        for start in range(0, len(data), 1_000_003):
            writer.write(data[start : start + 1_000_003])
        assert store.stat("jobs/1/audio") is None
        writer.commit()
    assert store.stat("jobs/1/audio") == BlobInfo("jobs/1/audio", len(data))
    with store.open("jobs/1/audio") as stream:
        assert stream.seek(-10, os.SEEK_END) == len(data) - 10
        assert stream.read() == data[-10:]
        stream.seek(9_000_000)
        assert stream.read(5) == data[9_000_000:9_000_005]
        assert stream.read(5) == data[9_000_005:9_000_010]
        stream.seek(0)
        assert stream.read() == data
    with store.local_path("jobs/1/audio") as path:
        assert path.read_bytes() == data


def test_a_large_upload_that_breaks_leaves_nothing(store: BlobStore) -> None:
    class ClientGoneError(Exception):
        pass

    def breaks() -> None:
        with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
            writer.write(large())
            raise ClientGoneError

    with pytest.raises(ClientGoneError):
        breaks()
    assert list(store.list("")) == []
    assert store.discard_uploads(datetime.now(UTC) + timedelta(days=1)) == 0


def test_an_empty_object_is_an_object(store: BlobStore) -> None:
    store.put("jobs/1/1/start-1", b"", media_type="text/plain")
    assert store.read("jobs/1/1/start-1") == b""
    with store.open("jobs/1/1/start-1") as stream:
        assert stream.read() == b""


def test_a_listing_is_longer_than_a_page(store: BlobStore) -> None:
    keys = [f"jobs/{number:04}/audio" for number in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, b"x", media_type="text/plain"), keys))
    assert [found.key for found in store.list("jobs/")] == keys
    assert len(list(itertools.islice(store.list("jobs/"), 3))) == 3


def test_an_object_tells_when_it_came_to_be(store: BlobStore) -> None:
    store.put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    listed = next(iter(store.list("jobs/1/")))
    stated = store.stat("jobs/1/audio")
    assert stated is not None
    assert abs(listed.modified_at - stated.modified_at) < timedelta(seconds=2)


def test_many_threads_share_a_store(store: BlobStore) -> None:
    def there_and_back(number: int) -> bool:
        key, data = f"jobs/{number}/call.json", str(number).encode() * 100
        store.put(key, data, media_type="application/json")
        return store.read(key) == data

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(there_and_back, range(200)))
