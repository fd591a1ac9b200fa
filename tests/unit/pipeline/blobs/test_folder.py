from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.blobs.folder import FolderStore


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_recordings_are_for_their_owner_only(tmp_path: Path) -> None:
    FolderStore(tmp_path / "store").put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    for folder in ("store", "store/jobs", "store/jobs/1", "store/.incoming"):
        assert mode(tmp_path / folder) == 0o700
    assert mode(tmp_path / "store/jobs/1/audio") == 0o600


def test_the_mode_of_a_folder_that_was_there_is_kept(tmp_path: Path) -> None:
    root = tmp_path / "theirs"
    root.mkdir(mode=0o755)
    root.chmod(0o755)
    FolderStore(root / "store").put("jobs/1/audio", b"sound", media_type="audio/x-wav")
    assert mode(root) == 0o755


@pytest.mark.parametrize("key", ["", "../up", "jobs/../../up", "/etc/passwd", "jobs//1", "jobs/1\0", ".incoming/x"])
def test_a_key_that_climbs_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="keys are ours"):
        FolderStore(tmp_path).put(key, b"x", media_type="text/plain")


def test_services_that_start_together_verify_side_by_side(tmp_path: Path) -> None:
    stores = [FolderStore(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(25):
            list(pool.map(FolderStore.verify, stores))
    assert list(stores[0].list("")) == []
