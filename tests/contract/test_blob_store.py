"""One suite over the fake store and the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.blobs.folder import FolderStore
from pipeline.blobs.memory import MemoryStore
from pipeline.blobs.ports import BlobInfo, BlobNotFound, BlobStore

STORES: dict[str, Callable[[Path], BlobStore]] = {
    "memory": lambda _folder: MemoryStore(),
    "folder": lambda folder: FolderStore(folder / "store"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[str(request.param)](tmp_path)


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
