from __future__ import annotations

import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.watching import naming


@pytest.mark.parametrize("name", ["a.wav", "A.WAV", "mix_1_2__x.mp3", "in-1-2-3.4.ogg", "a.b.wav"])
def test_recordings_are_known_by_their_suffix(name: str) -> None:
    assert naming.is_recording(name)


@pytest.mark.parametrize(
    "name",
    [
        "a.wav.tmp",
        "a.wav.part",
        "a.wav.filepart",
        "a.wav.crdownload",
        "a.wav~",
        ".a.wav",
        ".a.wav.Xy12",
        "a.WAV.TMP",
        "a.txt",
        "a",
        "wav",
        ".wav",
        "a.wav.done",
        "a.zip",
    ],
)
def test_what_is_not_finished_or_no_recording_is_passed_over(name: str) -> None:
    assert not naming.is_recording(name)


@pytest.mark.parametrize(
    "path", ["..", "a/../b", "/etc/passwd", "a//b", "a/.", "", "a/\0b", "x" * 4097, "/".join("a" * 17)]
)
def test_paths_that_climb_are_told(path: str) -> None:
    assert naming.climbs(path)


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b.wav", "\0"]) | st.text(max_size=5), min_size=1).map("/".join))
def test_what_does_not_climb_stays_below(path: str) -> None:
    if not naming.climbs(path):
        assert os.path.normpath(f"/root/of/source/{path}") == f"/root/of/source/{path}"
