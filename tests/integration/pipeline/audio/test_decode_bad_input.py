from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audio import DecodedAudio, DecodeLimits, mpeg
from pipeline.audio.decode import decode
from pipeline.errors import CallFault, Transient
from tests.integration.pipeline.audio import make

SECONDS = 4.0
RATE_HZ = 8000
LIMITS = DecodeLimits(max_duration_s=60)


def decoded(folder: Path, data: bytes, limits: DecodeLimits = LIMITS) -> DecodedAudio:
    return decode(make.saved(folder, data), folder, limits)


def fault(folder: Path, data: bytes, limits: DecodeLimits = LIMITS) -> CallFault:
    with pytest.raises(CallFault) as caught:
        decoded(folder, data, limits)
    assert [path.name for path in folder.iterdir()] == ["recording.raw"], "a fault leaves nothing behind"
    return caught.value


SOUND = make.stereo(SECONDS)
WAV = make.wav(make.pcm(SOUND), channels=2)
FLAC = make.by_soundfile(SOUND, "FLAC", "PCM_16")
VORBIS = make.by_soundfile(make.stereo(20), "OGG", "VORBIS")
OPUS = make.by_soundfile(make.stereo(8), "OGG", "OPUS")
MP3 = make.by_soundfile(SOUND, "MP3", "MPEG_LAYER_III")
M4A = make.by_ffmpeg(SOUND, "ipod", "aac", movflags="faststart")
AAC = make.by_ffmpeg(SOUND, "adts", "aac")
AMR = make.by_ffmpeg(SOUND[:, 0], "amr", "libopencore_amrnb")
IMA = make.by_soundfile(SOUND, "WAV", "IMA_ADPCM")
MS_ADPCM = make.by_soundfile(SOUND, "WAV", "MS_ADPCM")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        make.wav(b""),
        make.wav(b"", claimed_bytes=1 << 31),
        make.wav(b"", after=b"LIST" + struct.pack("<I", 4) + b"INFO"),
        make.wav(b"\0", claimed_bytes=100),
        WAV[:44],
        WAV[:36],
        make.by_soundfile(SOUND[:0], "FLAC", "PCM_16"),
        make.by_soundfile(SOUND[: RATE_HZ - 1], "WAV", "PCM_16"),
        make.by_soundfile(SOUND[: RATE_HZ // 2], "OGG", "VORBIS"),
        make.by_soundfile(SOUND[: RATE_HZ // 2], "MP3", "MPEG_LAYER_III"),
        FLAC[:400],
        b"#!AMR\n",
        b"#!AMR-WB\n",
        AMR[:200],
        AAC[:2000],
        make.amr_wb(0.5),
        make.wav(b"", tag=0x11, bits=4, block_bytes=256, extra=b"\xf9\x01"),
    ],
)
def test_under_a_second_of_sound_is_no_audio(tmp_path: Path, data: bytes) -> None:
    assert fault(tmp_path, data).reason == "no_audio"


def test_a_second_of_sound_is_enough(tmp_path: Path) -> None:
    assert decoded(tmp_path, make.by_soundfile(SOUND[:RATE_HZ], "WAV", "PCM_16")).duration_s == 1.0


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (make.wav(bytes(99_999), tag=0x11, channels=1, bits=4, block_bytes=256, extra=b"\x50\xc3"), "50000 samples"),
        (make.wav(bytes(99_999), tag=0x11, channels=2, bits=4, block_bytes=8, extra=b"\x01\x00"), "1 samples in 8"),
        (make.wav(bytes(99_999), tag=0x11, channels=1, bits=4, block_bytes=0, extra=b"\xf9\x01"), "in 0 bytes"),
        (make.wav(bytes(99_999), tag=0x02, channels=1, bits=4, block_bytes=256, extra=b"\xf4\x01"), "coefficients"),
        (make.wav(bytes(99_999), rate_hz=0), "0 Hz"),
        (make.wav(bytes(99_999), rate_hz=4_000_000_000), "4000000000 Hz"),
        (make.wav(bytes(99_999), channels=0, block_bytes=2), "0 channels"),
        (make.wav(bytes(99_999), channels=255), "255 channels"),
        (make.wav(bytes(99_999), bits=0, block_bytes=2), "0 bits"),
        (make.wav(bytes(99_999), bits=65_535, block_bytes=2), "65535 bits"),
        (make.wav(bytes(99_999), tag=3, bits=16), "16 bits"),
        (make.wav(bytes(99_999), tag=0x45, bits=4, block_bytes=0), "blocks of 0 bytes"),
        (b"RIFF\0\0\0\0WAVEdata" + struct.pack("<I", 50_000) + bytes(50_000), "fmt"),
        (b"OggS" + bytes(5000), "audio/ogg"),
        (b"ID3\x04" + bytes(5000), "audio/mpeg"),
        (M4A[:30], "audio/mp4"),
    ],
)
def test_an_impossible_header_is_named(tmp_path: Path, data: bytes, found: str) -> None:
    answer = fault(tmp_path, data)
    assert answer.reason == "invalid_header"
    assert found in answer.details["found"]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (make.wav(bytes(99_999), tag=0x9999, bits=1, block_bytes=32), "codec"),
        (make.wav(bytes(99_999), tag=0x31, channels=2, bits=0, block_bytes=65, extra=b"\x40\x01"), "GSM"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "application/vnd.apple.mpegurl"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "image/jpeg"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "text/plain"),
    ],
)
def test_what_nobody_decodes_is_named(tmp_path: Path, data: bytes, found: str) -> None:
    answer = fault(tmp_path, data)
    assert answer.reason == "unsupported_codec"
    assert found in answer.details["found"]


@pytest.mark.parametrize(
    ("data", "declared_s"),
    [
        (make.wav(make.pcm(SOUND), channels=2, claimed_bytes=0xFFFFFFFF), 0xFFFFFFFF // 4 / RATE_HZ),
        (make.wav(make.pcm(SOUND), channels=2, claimed_bytes=0xFFFFFFFE), 0xFFFFFFFE // 4 / RATE_HZ),
        (make.wav(make.pcm(SOUND), channels=2, claimed_bytes=int(8 * RATE_HZ * 4)), 8.0),
    ],
)
def test_a_wav_that_claims_more_than_it_has_is_decoded_and_told(tmp_path: Path, data: bytes, declared_s: float) -> None:
    audio = decoded(tmp_path, data)
    assert (audio.duration_s, audio.declared_duration_s, audio.truncated) == (SECONDS, declared_s, True)
    assert make.level(make.read(audio.channels[0])) == pytest.approx(make.LEVEL, rel=0.01)


@pytest.mark.parametrize("claimed_bytes", [0, 2 * RATE_HZ])
def test_a_wav_whose_length_was_never_brought_up_to_date_is_decoded_to_its_end(
    tmp_path: Path, claimed_bytes: int
) -> None:
    audio = decoded(tmp_path, make.wav(make.pcm(SOUND), channels=2, claimed_bytes=claimed_bytes))
    assert audio.duration_s == SECONDS
    assert audio.declared_duration_s == (claimed_bytes / 4 / RATE_HZ or None)
    assert not audio.truncated


@pytest.mark.parametrize("odd", [b"", b"\0"])
def test_chunks_behind_the_samples_are_not_played(tmp_path: Path, odd: bytes) -> None:
    data = make.pcm(make.tone(SECONDS))
    notes = b"LIST" + struct.pack("<I", 40_000) + bytes(40_000)
    audio = decoded(tmp_path, make.wav(data, after=notes + odd))
    assert audio.duration_s == SECONDS


def test_a_wrong_block_size_of_pcm_is_not_believed(tmp_path: Path) -> None:
    audio = decoded(tmp_path, make.wav(make.pcm(SOUND), channels=2, block_bytes=1))
    assert audio.duration_s == SECONDS
    assert make.pitch_hz(make.read(audio.channels[1])) == pytest.approx(make.RIGHT_HZ, abs=1)


@pytest.mark.parametrize(
    "data",
    [FLAC, MP3, M4A, VORBIS, OPUS, IMA, MS_ADPCM],
    ids=["flac", "mp3", "m4a", "vorbis", "opus", "ima adpcm", "ms adpcm"],
)
def test_a_file_cut_in_half_keeps_its_half_and_is_truncated(tmp_path: Path, data: bytes) -> None:
    whole_s = decoded(tmp_path, data).duration_s
    audio = decoded(tmp_path, data[: len(data) // 2])
    assert audio.truncated
    assert 0.2 * whole_s < audio.duration_s < 0.8 * whole_s
    assert make.level(make.read(audio.channels[0])) == pytest.approx(make.LEVEL, rel=0.06)


@pytest.mark.parametrize(
    "data", [FLAC, VORBIS, OPUS, M4A, AAC, AMR], ids=["flac", "vorbis", "opus", "m4a", "aac", "amr"]
)
def test_flipped_bytes_in_the_middle_are_noticed_and_cost_little(tmp_path: Path, data: bytes) -> None:
    whole_s = decoded(tmp_path, data).duration_s
    middle = len(data) // 2
    flipped = bytes(byte ^ 0xFF for byte in data[middle : middle + 40])
    audio = decoded(tmp_path, data[:middle] + flipped + data[middle + 40 :])
    assert audio.truncated
    assert audio.duration_s > 0.6 * whole_s
    assert {path.name for path in tmp_path.iterdir()} == {"recording.raw", *(path.name for path in audio.channels)}


@pytest.mark.parametrize("data", [AMR, AAC], ids=["amr", "aac"])
def test_a_format_without_a_length_keeps_what_is_there(tmp_path: Path, data: bytes) -> None:
    whole = decoded(tmp_path, data)
    half = decoded(tmp_path, data[: len(data) // 2])
    assert (whole.declared_duration_s, half.declared_duration_s) == (None, None)
    assert not whole.truncated
    assert half.duration_s == pytest.approx(whole.duration_s / 2, abs=0.2)


def mp3_frames(data: bytes) -> list[int]:
    """Where they begin."""
    starts, at = [], 0
    while (length := mpeg.frame_bytes(data[at : at + mpeg.HEADER_BYTES])) is not None:
        starts.append(at)
        at += length
    assert at == len(data)
    return starts


@pytest.mark.parametrize("behind", [b"", b"TAG" + bytes(125), bytes(3000)], ids=["", "tag", "padding"])
@pytest.mark.parametrize("before", [b"", b"ID3\4\0\0\0\0\x01\0" + bytes(128)], ids=["", "id3"])
def test_a_damaged_header_in_an_mp3_is_noticed_and_damage_within_a_frame_is_played_over(
    tmp_path: Path, before: bytes, behind: bytes
) -> None:
    starts = mp3_frames(MP3)
    header = starts[len(starts) // 2]
    within = header + 20
    found = {}
    for name, at in (("nowhere", 0), ("header", header), ("within", within)):
        hit = MP3 if name == "nowhere" else MP3[:at] + bytes(20) + MP3[at + 20 :]
        audio = decoded(tmp_path, before + hit + behind)
        found[name] = audio.truncated
        assert audio.duration_s == pytest.approx(SECONDS, abs=0.5)
    assert found == {"nowhere": False, "header": True, "within": False}


def test_mp3s_one_behind_the_other_are_whole(tmp_path: Path) -> None:
    tag = b"TAG" + bytes(125)
    audio = decoded(tmp_path, MP3 + tag + MP3)
    assert not audio.truncated


@pytest.mark.parametrize("data", [IMA, MS_ADPCM, WAV], ids=["ima adpcm", "ms adpcm", "pcm"])
def test_where_any_byte_is_a_sample_damage_is_played(tmp_path: Path, data: bytes) -> None:
    at = len(data) * 2 // 5
    audio = decoded(tmp_path, data[:at] + bytes(40) + data[at + 40 :])
    assert audio.duration_s == pytest.approx(SECONDS, abs=0.1)
    assert not audio.truncated


def test_the_limit_of_length_counts_what_is_decoded(tmp_path: Path) -> None:
    limits = DecodeLimits(max_duration_s=2.5)
    for data in (
        WAV,
        FLAC,
        MP3,
        M4A,
        AAC,
        AMR,
        IMA,
        make.amr_wb(SECONDS),
        make.wav(make.pcm(SOUND), channels=2, claimed_bytes=0),
    ):
        answer = fault(tmp_path, data, limits)
        assert answer.reason == "too_long"
        assert answer.details["limit_s"] == "2.5"
        assert 2.5 <= float(answer.details["found_s"]) < 5
    lying = make.wav(make.pcm(SOUND), channels=2, claimed_bytes=0xFFFFFFFF)
    assert decoded(tmp_path, lying, DecodeLimits(max_duration_s=SECONDS)).duration_s == SECONDS


def test_too_many_channels_are_told_with_their_number(tmp_path: Path) -> None:
    six = np.repeat(make.tone(SECONDS)[:, None], 6, axis=1)
    for data in (make.by_soundfile(six, "WAV", "PCM_16"), make.by_soundfile(six, "FLAC", "PCM_16")):
        answer = fault(tmp_path, data)
        assert (answer.reason, dict(answer.details)) == ("too_many_channels", {"found": "6", "limit": "2"})
    assert len(decoded(tmp_path, make.by_soundfile(six, "WAV", "PCM_16"), DecodeLimits(max_channels=6)).channels) == 6


def test_floats_that_are_no_sound_do_not_poison_what_is(tmp_path: Path) -> None:
    sound = make.tone(SECONDS)
    sound[1000:2000] = np.nan
    sound[3000:3100] = np.inf
    sound[3100:3200] = -np.inf
    sound[4000:4100] = 1e30
    audio = decoded(tmp_path, make.wav(sound.astype("<f4").tobytes(), tag=3, bits=32))
    channel = make.read(audio.channels[0])
    assert np.isfinite(channel).all()
    assert np.abs(channel).max() <= 1.0
    assert make.level(channel) == pytest.approx(make.LEVEL, rel=0.1)

    nothing = np.full(RATE_HZ * 2, np.nan, "<f4").tobytes()
    audio = decoded(tmp_path, make.wav(nothing, tag=3, bits=32))
    assert not make.read(audio.channels[0]).any()


def test_an_mp4_without_sound_holds_no_audio(tmp_path: Path) -> None:
    assert fault(tmp_path, make.video()).reason == "no_audio"


def test_a_full_folder_is_not_the_calls_fault(tmp_path: Path) -> None:
    source = make.saved(tmp_path, WAV)
    with pytest.raises(Transient):
        decode(source, tmp_path / "nowhere", LIMITS)


SEEDS = {"wav": WAV, "flac": FLAC, "vorbis": VORBIS, "opus": OPUS, "mp3": MP3, "m4a": M4A} | {
    "aac": AAC,
    "amr": AMR,
    "amr-wb": make.amr_wb(SECONDS),
    "ima": IMA,
    "ms": MS_ADPCM,
}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from(sorted(SEEDS)), patches=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=8)), max_size=4)
)
def test_damage_anywhere_gives_sound_or_a_named_fault(
    tmp_path: Path, seed: str, patches: list[tuple[float, bytes]]
) -> None:
    data = bytearray(SEEDS[seed])
    for place, patch in patches:
        start = int(place * len(data))
        data[start : start + len(patch)] = patch
    try:
        audio = decoded(tmp_path, bytes(data))
    except CallFault:
        return
    channels = [make.read(path) for path in audio.channels]
    assert {len(channel) for channel in channels} == {audio.samples}
    assert all(np.isfinite(channel).all() for channel in channels)
    assert audio.duration_s <= LIMITS.max_duration_s
