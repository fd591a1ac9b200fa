from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import mpeg
from tests.integration.pipeline.audio import make

SECONDS = 5.0


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_the_length_that_the_encoder_wrote_is_found(rate_hz: int) -> None:
    sound = make.stereo(SECONDS, rate_hz=rate_hz)
    for data in (
        make.by_soundfile(sound, "MP3", "MPEG_LAYER_III", rate_hz=rate_hz),
        make.by_ffmpeg(sound, "mp3", "libmp3lame", rate_hz=rate_hz),
        make.by_ffmpeg(sound[:, 0], "mp3", "libmp3lame", rate_hz=rate_hz),
        make.by_ffmpeg(sound, "mp3", "libmp3lame", rate_hz=rate_hz, id3v2_version="0"),
    ):
        assert mpeg.declared_duration_s(io.BytesIO(data)) == pytest.approx(SECONDS, abs=0.3)


def test_no_length_is_made_up() -> None:
    data = make.by_ffmpeg(make.stereo(SECONDS), "mp3", "libmp3lame", write_xing="0")
    assert mpeg.declared_duration_s(io.BytesIO(data)) is None


def test_a_vbri_length_is_found() -> None:
    frame = b"\xff\xfb\x90\x00".ljust(36, b"\0") + b"VBRI" + bytes(10) + (100).to_bytes(4, "big")
    assert mpeg.declared_duration_s(io.BytesIO(frame.ljust(417, b"\0"))) == pytest.approx(100 * 1152 / 44_100)


@given(st.binary(max_size=200))
def test_any_bytes_have_a_length_or_none(data: bytes) -> None:
    for start in (b"", b"ID3\4\0\0", b"\xff\xfb\x90\0"):
        length_s = mpeg.declared_duration_s(io.BytesIO(start + data))
        assert length_s is None or length_s > 0
