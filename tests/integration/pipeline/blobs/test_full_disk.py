"""Fault 9 of docs/chaos.md at the store: a full disk, or a file that may not grow, is waited for and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.blobs.folder import FolderStore
from pipeline.blobs.ports import BlobStore
from pipeline.errors import Transient
from tests.buckets import Bucket
from tests.integration.disks import SmallDisk, small_disk

MIB = 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_bytes=16 * MIB) as disk:
        yield disk


def upload(store: BlobStore, size_bytes: int) -> None:
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        for _ in range(size_bytes // MIB):
            writer.write(bytes(MIB))
        writer.commit()


def test_a_full_folder_takes_nothing_and_all_again_when_it_is_freed(disk: SmallDisk) -> None:
    store = FolderStore(disk.folder / "store")
    with pytest.raises(Transient, match="ENOSPC"):
        upload(store, 20 * MIB)
    disk.fill()
    with pytest.raises(Transient, match="ENOSPC"):
        store.put("jobs/1/call.json", b"{}", media_type="application/json")
    with pytest.raises(Transient, match="ENOSPC"):
        store.verify()
    assert list(store.list("")) == []
    assert list((disk.folder / "store/.incoming").iterdir()) == []
    disk.free()
    store.verify()
    upload(store, 8 * MIB)
    assert store.stat("jobs/1/audio") is not None


@pytest.mark.peers
def test_a_full_scratch_folder_of_an_s3_store_is_waited_for(bucket: Bucket, disk: SmallDisk) -> None:
    upload(bucket.store, 4 * MIB)
    store = bucket.with_scratch(disk.folder)
    disk.fill()
    with pytest.raises(Transient, match="scratch: ENOSPC"):
        upload(store, 4 * MIB)
    with pytest.raises(Transient, match="scratch: ENOSPC"), store.local_path("jobs/1/audio"):
        pytest.fail("there is no room for a copy")
    with store.writer("jobs/1/audio", media_type="audio/x-wav") as writer:
        writer.write(b"sound")
        with pytest.raises(Transient, match="scratch: ENOSPC"), writer.at_hand():
            pytest.fail("there is no room for a copy")
    assert [path.name for path in disk.folder.iterdir()] == ["ballast"]
    disk.free()
    upload(store, 12 * MIB)
    with store.local_path("jobs/1/audio") as path:
        assert path.stat().st_size == 12 * MIB


LIMITED = """
import resource, sys
from pathlib import Path
from pipeline.blobs.folder import FolderStore
from pipeline.errors import Transient
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 1_000_000))
store = FolderStore(Path(sys.argv[1]))
try:
    store.put("jobs/1/audio", bytes(200_000), media_type="audio/x-wav")
except Transient as error:
    print(error, [blob.key for blob in store.list("")])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
store.put("jobs/1/audio", bytes(200_000), media_type="audio/x-wav")
print(store.stat("jobs/1/audio").size_bytes)
"""


def test_a_file_that_may_not_grow_is_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "store")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["store: EFBIG []", "200000"]
