from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.ogg import is_whole
from tests.integration.pipeline.audio import make

FILES = [make.by_soundfile(make.stereo(3.0), "OGG", codec) for codec in ("VORBIS", "OPUS")]


@pytest.mark.parametrize("data", FILES)
def test_a_finished_file_is_whole(data: bytes) -> None:
    assert is_whole(io.BytesIO(data))


def test_a_file_cut_at_a_page_is_not_whole() -> None:
    for data in FILES:
        assert not is_whole(io.BytesIO(data[: data.rindex(b"OggS")]))
        assert not is_whole(io.BytesIO(data[:-1]))
    assert not is_whole(io.BytesIO(b""))


@given(data=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_seen(data: bytes, place: float, bit: int) -> None:
    damaged = bytearray(data)
    damaged[int(place * len(data))] ^= 1 << bit
    assert not is_whole(io.BytesIO(bytes(damaged)))
