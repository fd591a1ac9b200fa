from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audio import DecodedAudio, DecodeLimits
from pipeline.audio.decode import decode
from tests.integration.pipeline.audio import make

SECONDS = 3.0
LIMITS = DecodeLimits(max_duration_s=60)


def decoded(folder: Path, data: bytes, limits: DecodeLimits = LIMITS) -> DecodedAudio:
    return decode(make.saved(folder, data), folder, limits)


STEREO = {
    "wav pcm 8": lambda x: make.by_soundfile(x, "WAV", "PCM_U8"),
    "wav pcm 16": lambda x: make.by_soundfile(x, "WAV", "PCM_16"),
    "wav pcm 24": lambda x: make.by_soundfile(x, "WAV", "PCM_24"),
    "wav pcm 32": lambda x: make.by_soundfile(x, "WAV", "PCM_32"),
    "wav extensible 24": lambda x: make.by_soundfile(x, "WAVEX", "PCM_24"),
    "wav extensible A-law": lambda x: make.by_soundfile(x, "WAVEX", "ALAW"),
    "wav float": lambda x: make.by_soundfile(x, "WAV", "FLOAT"),
    "wav double": lambda x: make.by_soundfile(x, "WAV", "DOUBLE"),
    "wav A-law": lambda x: make.by_soundfile(x, "WAV", "ALAW"),
    "wav mu-law": lambda x: make.by_soundfile(x, "WAV", "ULAW"),
    "wav IMA ADPCM": lambda x: make.by_soundfile(x, "WAV", "IMA_ADPCM"),
    "wav IMA ADPCM of FFmpeg": lambda x: make.by_ffmpeg(x, "wav", "adpcm_ima_wav"),
    "wav MS ADPCM": lambda x: make.by_soundfile(x, "WAV", "MS_ADPCM"),
    "wav MP3": lambda x: make.by_ffmpeg(x, "wav", "libmp3lame"),
    "wav of a streaming writer": lambda x: make.wav(make.pcm(x), channels=2, claimed_bytes=0),
    "rf64": lambda x: make.by_soundfile(x, "RF64", "PCM_16"),
    "flac": lambda x: make.by_soundfile(x, "FLAC", "PCM_16"),
    "ogg vorbis": lambda x: make.by_soundfile(x, "OGG", "VORBIS"),
    "ogg opus": lambda x: make.by_soundfile(x, "OGG", "OPUS"),
    "mp3": lambda x: make.by_soundfile(x, "MP3", "MPEG_LAYER_III"),
    "mp3 without its length": lambda x: make.by_ffmpeg(x, "mp3", "libmp3lame", write_xing="0", id3v2_version="0"),
    "m4a": lambda x: make.by_ffmpeg(x, "ipod", "aac"),
    "m4a for streaming": lambda x: make.by_ffmpeg(x, "ipod", "aac", movflags="faststart"),
    "wav MS ADPCM of FFmpeg": lambda x: make.by_ffmpeg(x, "wav", "adpcm_ms"),
    "aac": lambda x: make.by_ffmpeg(x, "adts", "aac"),
}


@pytest.mark.parametrize("kind", STEREO)
def test_channels_are_kept_apart_and_in_order(tmp_path: Path, kind: str) -> None:
    audio = decoded(tmp_path, STEREO[kind](make.stereo(SECONDS)))

    left, right = (make.read(path) for path in audio.channels)
    assert len(left) == len(right) == audio.samples
    assert audio.duration_s == pytest.approx(SECONDS, abs=0.3)  # codecs add a frame or two
    assert audio.samples == pytest.approx(audio.duration_s * 16_000, abs=2)
    assert (audio.sample_rate_hz, audio.truncated, audio.identical_channels) == (8000, False, False)
    assert make.pitch_hz(left) == pytest.approx(make.LEFT_HZ, abs=2)
    assert make.pitch_hz(right) == pytest.approx(make.RIGHT_HZ, abs=2)
    assert make.level(left) == pytest.approx(make.LEVEL, rel=0.06)
    assert make.level(right) == pytest.approx(make.LEVEL / 2, rel=0.06)


MONO = {
    "wav GSM 6.10": lambda x: make.by_soundfile(x, "WAV", "GSM610"),
    "wav A-law": lambda x: make.by_soundfile(x, "WAV", "ALAW"),
    "wav IMA ADPCM": lambda x: make.by_soundfile(x, "WAV", "IMA_ADPCM"),
    "wav G.726": lambda x: make.by_ffmpeg(x, "wav", "g726"),
    "amr": lambda x: make.by_ffmpeg(x, "amr", "libopencore_amrnb"),
    "3gp amr": lambda x: make.by_ffmpeg(x, "3gp", "libopencore_amrnb"),
}


@pytest.mark.parametrize("kind", MONO)
def test_mono_is_one_channel(tmp_path: Path, kind: str) -> None:
    audio = decoded(tmp_path, MONO[kind](make.tone(SECONDS)))

    (channel,) = audio.channels
    assert audio.duration_s == pytest.approx(SECONDS, abs=0.3)
    assert (audio.sample_rate_hz, audio.truncated, audio.identical_channels) == (8000, False, False)
    assert make.pitch_hz(make.read(channel)) == pytest.approx(make.LEFT_HZ, abs=3)
    assert make.level(make.read(channel)) == pytest.approx(make.LEVEL, rel=0.25)  # speech codecs


def test_wideband_amr_keeps_its_16_khz(tmp_path: Path) -> None:
    audio = decoded(tmp_path, make.amr_wb(SECONDS))
    assert (audio.sample_rate_hz, audio.duration_s, audio.samples) == (16_000, SECONDS, round(SECONDS * 16_000))
    assert (len(audio.channels), audio.truncated) == (1, False)
    assert make.read(audio.channels[0]).any()


@pytest.mark.parametrize("rate_hz", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_every_rate_becomes_16_khz_at_the_same_level(tmp_path: Path, rate_hz: int) -> None:
    sound = make.stereo(SECONDS, rate_hz=rate_hz)
    audio = decoded(tmp_path, make.by_soundfile(sound, "WAV", "PCM_16", rate_hz=rate_hz))

    left, right = (make.read(path) for path in audio.channels)
    assert audio.sample_rate_hz == rate_hz
    assert audio.samples == round(SECONDS * 16_000)
    assert make.pitch_hz(left) == pytest.approx(make.LEFT_HZ, abs=1)
    assert make.level(left) == pytest.approx(make.LEVEL, rel=0.002)
    assert make.level(right) == pytest.approx(make.LEVEL / 2, rel=0.002)


def test_a_silent_side_stays_silent(tmp_path: Path) -> None:
    sound = np.stack([make.tone(SECONDS), np.zeros(round(SECONDS * 8000), np.float32)], axis=1)
    audio = decoded(tmp_path, make.by_soundfile(sound, "WAV", "PCM_16"))
    assert make.level(make.read(audio.channels[0])) == pytest.approx(make.LEVEL, rel=0.01)
    assert not make.read(audio.channels[1]).any()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    frames=st.integers(8000, 60_000),
    rate_hz=st.sampled_from([8000, 11_025, 16_000, 44_100]),
    codec=st.sampled_from(["PCM_16", "ALAW", "ULAW", "FLOAT"]),
)
def test_no_sample_is_lost_or_made_up(tmp_path: Path, frames: int, rate_hz: int, codec: str) -> None:
    sound = np.linspace(-0.5, 0.5, 2 * frames, dtype=np.float32).reshape(frames, 2)
    audio = decoded(tmp_path, make.by_soundfile(sound, "WAV", codec, rate_hz=rate_hz), DecodeLimits(min_duration_s=0))
    assert audio.duration_s == frames / rate_hz
    assert audio.declared_duration_s == frames / rate_hz
    assert audio.samples == pytest.approx(frames * 16_000 / rate_hz, abs=1)
    assert [path.stat().st_size for path in audio.channels] == [4 * audio.samples] * 2


@pytest.mark.parametrize("kind", ["wav A-law", "ogg vorbis", "ogg opus", "mp3", "m4a"])
def test_one_sound_on_both_channels_is_noticed_through_lossy_codecs(tmp_path: Path, kind: str) -> None:
    mono = make.tone(SECONDS)
    assert decoded(tmp_path, STEREO[kind](np.stack([mono, mono], axis=1))).identical_channels


def test_full_scale_is_never_exceeded(tmp_path: Path) -> None:
    square = np.sign(make.tone(SECONDS))
    audio = decoded(tmp_path, make.by_soundfile(square, "WAV", "PCM_16"))
    assert np.abs(make.read(audio.channels[0])).max() <= 1.0
