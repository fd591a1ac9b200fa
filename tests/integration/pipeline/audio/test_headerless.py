from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audio import SNIFF_BYTES, DecodedAudio, DecodeLimits, Headerless, Sniffed, sniff_declared
from pipeline.audio.decode import decode
from pipeline.audio.headerless import Codec
from pipeline.errors import CallFault
from tests.integration.pipeline.audio import make

LIMITS = DecodeLimits(max_duration_s=60)
SOUND = make.stereo(3.0)
CODECS = ("alaw", "ulaw")


def decoded(
    folder: Path, data: bytes, media_type: str, limits: DecodeLimits = LIMITS, out: str = "out"
) -> DecodedAudio:
    out_dir = folder / out
    out_dir.mkdir(exist_ok=True)
    return decode(make.saved(folder, data), out_dir, limits, media_type=media_type)


@pytest.mark.parametrize("codec", CODECS)
def test_samples_alone_are_decoded_as_the_same_samples_in_a_wav(tmp_path: Path, codec: Codec) -> None:
    plain = decoded(tmp_path, make.g711(SOUND, codec), Headerless(codec, 8000, 2).media_type)
    in_wav = decoded(tmp_path, make.by_soundfile(SOUND, "WAV", codec.upper()), "audio/wav", out="wav")

    assert [path.read_bytes() for path in plain.channels] == [path.read_bytes() for path in in_wav.channels]
    assert make.pitch_hz(make.read(plain.channels[1])) == pytest.approx(make.RIGHT_HZ, abs=2)
    assert (plain.duration_s, plain.declared_duration_s, plain.truncated) == (3.0, 3.0, False)
    assert plain.media_type == Headerless(codec, 8000, 2).media_type


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    codec=st.sampled_from(CODECS),
    rate_hz=st.sampled_from([8000, 11_025, 16_000]),
    channels=st.integers(1, 4),
    seed=st.integers(0, 1 << 30),
    odd=st.integers(0, 3),
)
def test_every_channel_is_what_it_would_be_alone(
    tmp_path: Path, codec: Codec, rate_hz: int, channels: int, seed: int, odd: int
) -> None:
    samples = np.random.default_rng(seed).integers(0, 256, (rate_hz + 77, channels), np.uint8)
    limits = DecodeLimits(max_channels=4)
    tail = bytes(odd % channels)
    together = decoded(tmp_path, samples.tobytes() + tail, Headerless(codec, rate_hz, channels).media_type, limits)

    assert together.duration_s == len(samples) / rate_hz
    for index, path in enumerate(together.channels):
        mono = Headerless(codec, rate_hz, 1).media_type
        alone = decoded(tmp_path, samples[:, index].tobytes(), mono, limits, out="alone")
        assert path.read_bytes() == alone.channels[0].read_bytes()


@pytest.mark.parametrize(
    ("data", "declared", "limits", "reason"),
    [
        (b"", Headerless("alaw", 8000, 1), LIMITS, "no_audio"),
        (bytes(7999), Headerless("alaw", 8000, 1), LIMITS, "no_audio"),
        (bytes(80_000), Headerless("ulaw", 8000, 1), DecodeLimits(max_duration_s=9), "too_long"),
        (bytes(80_000), Headerless("ulaw", 8000, 3), LIMITS, "too_many_channels"),
        (bytes(80_000), Headerless("ulaw", 0, 1), LIMITS, "invalid_header"),
        (bytes(80_000), Headerless("ulaw", 8000, 0), LIMITS, "invalid_header"),
        (bytes(80_000), Headerless("ulaw", 8000, 255), LIMITS, "invalid_header"),
    ],
)
def test_what_cannot_be_is_named(
    tmp_path: Path, data: bytes, declared: Headerless, limits: DecodeLimits, reason: str
) -> None:
    with pytest.raises(CallFault) as fault:
        decoded(tmp_path, data, declared.media_type, limits)
    assert fault.value.reason == reason
    assert list((tmp_path / "out").iterdir()) == []


@given(st.sampled_from(CODECS), st.integers(1, 48_000), st.integers(1, 32))
def test_a_media_type_says_all_of_it(codec: Codec, rate_hz: int, channels: int) -> None:
    declared = Headerless(codec, rate_hz, channels)
    assert Headerless.parse(declared.media_type) == declared


@pytest.mark.parametrize(
    "media_type", ["", "audio/wav", "audio/pcma", "audio/pcma;rate=8000", "audio/pcma;rate=-1;channels=1", "audio/pcmx"]
)
def test_other_media_types_describe_no_samples(media_type: str) -> None:
    assert Headerless.parse(media_type) is None


def test_the_length_follows_from_the_number_of_bytes() -> None:
    found = Headerless("alaw", 8000, 2).probe(48_001)
    assert (found.declared_duration_ms, found.sample_rate_hz, found.channels) == (3000, 8000, 2)
    assert found.media_type == "audio/pcma;rate=8000;channels=2"


@pytest.mark.parametrize(
    ("data", "media_type", "is_audio"),
    [
        (make.by_soundfile(SOUND, "WAV", "ALAW"), "audio/wav", True),
        (make.by_soundfile(SOUND, "OGG", "OPUS"), "audio/ogg", True),
        (make.by_ffmpeg(SOUND, "mp3", "libmp3lame"), "audio/mpeg", True),
        (make.by_ffmpeg(SOUND, "mp3", "libmp3lame", write_xing="0", id3v2_version="0"), "audio/mpeg", True),
        (make.by_ffmpeg(SOUND, "ipod", "aac"), "audio/mp4", True),
        (make.by_ffmpeg(SOUND, "adts", "aac"), "audio/aac", True),
        (make.amr_wb(1.0), "audio/amr-wb", True),
        (b"PK\x03\x04" + bytes(500), "application/zip", False),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(100), "image/jpeg", False),
        (b"#EXTM3U\nhttp://169.254.169.254/\n", "application/vnd.apple.mpegurl", False),
        (b"<!DOCTYPE html><html> </html>", "text/html", False),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text/plain", False),
    ],
)
def test_what_says_itself_what_it_is_passes_for_no_samples(data: bytes, media_type: str, *, is_audio: bool) -> None:
    assert sniff_declared(data) == Sniffed(media_type, is_audio=is_audio)


@pytest.mark.parametrize("idle", [b"\x55", b"\xd5", b"\x7f", b"\xff", b"\x00", b"UTWVQPSR"])
def test_a_quiet_line_may_look_like_anything(idle: bytes) -> None:
    assert sniff_declared((idle * SNIFF_BYTES)[:SNIFF_BYTES]) is None


@given(
    codec=st.sampled_from(CODECS),
    pitch_hz=st.floats(50, 3500),
    level=st.floats(0, 1),
    noise=st.floats(0, 0.3),
    seed=st.integers(0, 1 << 30),
)
def test_sound_is_taken_for_samples(codec: str, pitch_hz: float, level: float, noise: float, seed: int) -> None:
    sound = make.tone(1.0, pitch_hz=pitch_hz, level=level)
    sound += np.random.default_rng(seed).normal(0, noise, len(sound)).astype(np.float32)
    assert sniff_declared(make.g711(np.clip(sound, -1, 1), codec)) is None


@pytest.mark.parametrize("start", [b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80\x02\x1f\xfc"])
def test_a_sync_word_by_chance_is_no_stream(start: bytes) -> None:
    assert sniff_declared(start + make.g711(SOUND, "ulaw")) is None
