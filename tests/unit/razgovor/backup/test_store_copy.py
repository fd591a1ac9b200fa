from __future__ import annotations

from pathlib import Path

from razgovor.backup.store_copy import copy_store


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_objects_are_copied_once_and_uploads_under_way_never(tmp_path: Path) -> None:
    store, copy = tmp_path / "store", tmp_path / "copy"
    put(store / "jobs" / "a" / "audio", b"one")
    put(store / ".incoming" / "half", b"hal")
    assert copy_store(store, copy) == 1
    put(store / "jobs" / "b" / "audio", b"two")
    assert copy_store(store, copy) == 1
    found = {str(path.relative_to(copy)): path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert found == {"jobs/a/audio": b"one", "jobs/b/audio": b"two"}


def test_a_copy_that_was_cut_off_is_made_again(tmp_path: Path) -> None:
    store, copy = tmp_path / "store", tmp_path / "copy"
    put(store / "jobs" / "a" / "audio", b"whole")
    put(copy / "jobs" / "a" / "audio.copying", b"wh")
    assert copy_store(store, copy) == 1
    assert (copy / "jobs" / "a" / "audio").read_bytes() == b"whole"
