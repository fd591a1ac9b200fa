from __future__ import annotations

from pathlib import Path

import pytest

from razgovor.transcription import recordings


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def test_a_folder_is_searched_for_recordings_only(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "notes.txt", "day/b.MP3", "day/.hidden.txt")
    found = recordings.find([tmp_path])
    assert [(one.name, one.stem) for one in found] == [("a.wav", "a"), ("day/b.MP3", "day/b")]


def test_samples_without_a_header_are_found_where_they_are_expected(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.alaw", "c.UL", "notes.txt")
    assert [one.name for one in recordings.find([tmp_path])] == ["a.wav"]
    assert [one.name for one in recordings.find([tmp_path], headerless=True)] == ["a.wav", "b.alaw", "c.UL"]


def test_the_extension_is_kept_where_stems_are_equal(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "a.mp3", "b.wav")
    assert [one.stem for one in recordings.find([tmp_path])] == ["a.mp3", "a.wav", "b"]


def test_a_file_named_outright_is_taken_whatever_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "call.bin")
    assert [one.name for one in recordings.find([tmp_path / "call.bin"])] == ["call.bin"]


def test_two_folders_with_the_same_names_keep_both(tmp_path: Path) -> None:
    touch(tmp_path, "mon/a.wav", "tue/a.wav")
    found = recordings.find([tmp_path / "mon", tmp_path / "tue"])
    assert len({one.name for one in found}) == 2
    assert len({one.stem for one in found}) == 2


def test_a_source_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        recordings.find([tmp_path / "nowhere"])
