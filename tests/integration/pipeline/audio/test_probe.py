from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audio import Probe
from pipeline.audio.probe import probe
from tests.integration.pipeline.audio import make

SOUND = make.stereo(3.0)


def probed(folder: Path, data: bytes) -> Probe:
    return probe(make.saved(folder, data))


@pytest.mark.parametrize(
    ("data", "media_type", "slack_ms"),
    [
        (make.by_soundfile(SOUND, "WAV", "ALAW"), "audio/wav", 0),
        (make.by_soundfile(SOUND, "WAVEX", "PCM_24"), "audio/wav", 0),
        (make.by_soundfile(SOUND, "RF64", "PCM_16"), "audio/wav", 0),
        (make.by_soundfile(SOUND, "WAV", "IMA_ADPCM"), "audio/wav", 100),
        (make.by_ffmpeg(SOUND[:, :1].repeat(2, axis=1), "wav", "adpcm_ms"), "audio/wav", 300),
        (make.by_soundfile(SOUND, "FLAC", "PCM_16"), "audio/flac", 0),
        (make.by_soundfile(SOUND, "OGG", "VORBIS"), "audio/ogg", 0),
        (make.by_soundfile(SOUND, "OGG", "OPUS"), "audio/ogg", 0),
        (make.by_soundfile(SOUND, "MP3", "MPEG_LAYER_III"), "audio/mpeg", 300),
        (make.by_ffmpeg(SOUND, "mp3", "libmp3lame", write_xing="0"), "audio/mpeg", 300),
        (make.by_ffmpeg(SOUND, "ipod", "aac"), "audio/mp4", 300),
        (make.by_ffmpeg(SOUND, "ipod", "aac", movflags="faststart"), "audio/mp4", 300),
    ],
)
def test_a_header_is_read_as_it_is(tmp_path: Path, data: bytes, media_type: str, slack_ms: int) -> None:
    found = probed(tmp_path, data)
    assert (found.media_type, found.sample_rate_hz, found.channels) == (media_type, 8000, 2)
    assert found.declared_duration_ms == pytest.approx(3000, abs=slack_ms)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (make.wav(bytes(64_000), claimed_bytes=0xFFFFFFFF), (268_435_456, 8000, 1)),
        (make.wav(bytes(64_000), claimed_bytes=0), (None, 8000, 1)),
        (make.wav(bytes(64_000), rate_hz=0), (None, None, 1)),
        (make.wav(bytes(64_000), channels=0), (None, 8000, None)),
        (make.wav(bytes(64_000), channels=255), (16, 8000, 255)),
        (make.by_ffmpeg(SOUND[:, 0], "amr", "libopencore_amrnb"), (None, 8000, 1)),
        (make.amr_wb(3.0), (None, 16_000, 1)),
        (make.by_ffmpeg(SOUND, "adts", "aac"), (None, 8000, 2)),
        (make.wav(b"", tag=0x11, bits=4, block_bytes=0), (None, 8000, 1)),
        (b"RIFF\0\0\0\0WAVE", (None, None, None)),
        (b"fLaC" + bytes(100), (None, None, None)),
        (b"OggS" + bytes(100), (None, None, None)),
        (b"ID3" + bytes(100), (None, None, None)),
        (b"\0\0\0\x18ftypM4A " + bytes(100), (None, None, None)),
        (make.video(), (None, None, None)),
        (b"#EXTM3U\n", (None, None, None)),
        (b"", (None, None, None)),
    ],
)
def test_what_a_header_does_not_say_is_none(
    tmp_path: Path, data: bytes, expected: tuple[int | None, int | None, int | None]
) -> None:
    found = probed(tmp_path, data)
    assert (found.declared_duration_ms, found.sample_rate_hz, found.channels) == expected


def test_a_missing_file_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nothing.wav")


STARTS = (
    b"RIFF\0\0\0\0WAVE",
    b"RF64\xff\xff\xff\xffWAVEds64",
    make.wav(b"")[:40],
    make.by_soundfile(SOUND, "FLAC", "PCM_16")[:60],
    make.by_soundfile(SOUND, "OGG", "OPUS")[:80],
    make.by_soundfile(SOUND, "MP3", "MPEG_LAYER_III")[:60],
    make.by_ffmpeg(SOUND, "ipod", "aac", movflags="faststart")[:300],
    b"#!AMR\n",
    b"#!AMR-WB\n",
    make.by_ffmpeg(SOUND, "adts", "aac")[:60],
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=400))
def test_any_bytes_have_a_probe(tmp_path: Path, start: bytes, rest: bytes) -> None:
    found = probed(tmp_path, start + rest)
    assert found.media_type
    assert found.declared_duration_ms is None or found.declared_duration_ms >= 0
    assert os.listdir(tmp_path) == ["recording.raw"]  # noqa: PTH208 - names only
