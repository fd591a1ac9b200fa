from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audio import DecodeLimits, Headerless
from pipeline.audio.headerless import Codec
from pipeline.errors import CallFault, Postponed
from services.transcriber.adapters import pcm
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.adapters.log_mel import read
from services.transcriber.domain.hearing import Features
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.recording import Recording
from services.transcriber.fakes import FakeFrontEnd
from services.transcriber.ports import FrontEnd
from tests.integration.transcriber.recordings import SAMPLES, noise, sha256, silence, write_wav


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_another_recording_than_the_accepted_one_is_refused(
    kind: str, front_end: ChildFrontEnd, tmp_path: Path
) -> None:
    port: FrontEnd = front_end if kind == "real" else FakeFrontEnd()
    recording = write_wav(tmp_path / "call.wav", silence(2))

    with pytest.raises(CallFault) as fault, port.prepare(recording, Recording(call="j/1", sha256="0" * 64)):
        pytest.fail("prepared")

    assert fault.value.reason == "audio_mismatch"


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_files_of_windows_last_as_long_as_the_context(kind: str, front_end: ChildFrontEnd) -> None:
    port: FrontEnd = front_end if kind == "real" else FakeFrontEnd()
    recording = SAMPLES / "bank.wav"

    with port.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        files = {window.pcm for window in call.windows}
        assert len(files) == 2
        assert kind == "fake" or all(pcm.read_window(window).size == window.samples for window in call.windows)

    assert not any(file.exists() for file in files)


def test_a_stereo_call_is_split_listened_to_and_packed(front_end: ChildFrontEnd) -> None:
    recording = SAMPLES / "bank.wav"

    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert call.duration_s == pytest.approx(74.0, abs=0.1)
        assert (call.truncated, call.identical_channels) == (False, False)
        assert [channel.silent for channel in call.channels] == [False, False]
        assert {window.channel for window in call.windows} == {0, 1}
        assert {window.call for window in call.windows} == {"j/1"}
        assert all(window.duration_s <= 28.0 for window in call.windows)
        assert 30 < sum(window.duration_s for window in call.windows) < 90


def test_an_engine_that_listens_to_a_spectrum_gets_it_with_the_windows(tmp_path: Path) -> None:
    limits = FrontEndLimits(decode=DecodeLimits(max_duration_s=600, max_channels=4), timeout_s=60, memory_bytes=1024**3)
    front_end = ChildFrontEnd(scratch_dir=tmp_path, rules=Rules(), limits=limits, features=Features.LOG_MEL_128)
    recording = SAMPLES / "bank.wav"

    with closing(front_end), front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert len(call.windows) > 2
        for window in call.windows:
            assert window.mel is not None
            assert read(window.mel).shape == (128, window.samples // 160)


@pytest.mark.parametrize("codec", ["alaw", "ulaw"])
def test_samples_without_a_header_are_heard_as_their_event_describes_them(
    codec: Codec, front_end: ChildFrontEnd, tmp_path: Path
) -> None:
    in_wav = SAMPLES / "bank.wav"
    samples, rate_hz = soundfile.read(in_wav, dtype="float32")
    plain = tmp_path / "call"
    soundfile.write(plain, samples, rate_hz, format="RAW", subtype=codec.upper())
    declared = Headerless(codec, rate_hz, 2).media_type

    with front_end.prepare(in_wav, Recording(call="j/1", sha256=sha256(in_wav))) as call:
        expected = [[piece.span for piece in window.pieces] for window in call.windows]
    with front_end.prepare(plain, Recording(call="j/1", sha256=sha256(plain), media_type=declared)) as call:
        found = [[piece.span for piece in window.pieces] for window in call.windows]

    assert len(found) == len(expected)
    assert codec == "ulaw" or found == expected  # the WAV is A-law: its samples are the same


def test_channel_files_are_nobody_elses_business(front_end: ChildFrontEnd) -> None:
    recording = SAMPLES / "bank.wav"

    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert call.windows[0].pcm.parent.stat().st_mode & 0o077 == 0


def test_silence_has_no_windows_and_says_so(front_end: ChildFrontEnd, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", silence(3), silence(3))

    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert call.windows == ()
        assert [channel.silent for channel in call.channels] == [True, True]
        assert not call.identical_channels


def test_noise_is_no_speech(front_end: ChildFrontEnd, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", noise(5))

    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert call.windows == ()
        assert [channel.silent for channel in call.channels] == [False]


@pytest.mark.parametrize(
    ("gain_db", "delay_s", "noise", "identical"),
    [
        (0.0, 0.0, 0.0, True),
        (-8.0, 0.0, 0.0, True),
        (8.0, 0.0, 0.0, True),
        (-3.0, 0.11, 0.0, True),
        (0.0, 0.0, 0.002, True),
        (-20.0, 0.11, 0.0, False),
    ],
)
def test_channels_with_the_same_voices_are_heard_once(
    gain_db: float,
    delay_s: float,
    noise: float,
    identical: bool,  # noqa: FBT001  a table
    front_end: ChildFrontEnd,
    tmp_path: Path,
) -> None:
    source = SAMPLES / "bank.wav"
    with front_end.prepare(source, Recording(call="j/1", sha256=sha256(source))) as call:
        [first, *_] = [window.pcm for window in call.windows if window.channel == 0]
        mix = np.fromfile(first, dtype=np.float32)[: 60 * 16_000 : 2].astype(np.float64) / 3
    copy = np.concatenate([silence(delay_s), mix])[: mix.size] * 10 ** (gain_db / 20)
    lines = np.random.default_rng(1).normal(0, noise, (2, mix.size))
    recording = write_wav(tmp_path / "call.wav", mix + lines[0], copy + lines[1])

    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert call.identical_channels is identical
        assert len(call.channels) == 2
        assert {window.channel for window in call.windows} == {0}
        # Of copies the louder one is heard; below 15 dB a copy is an echo, and left out.
        assert {window.pcm.stem[-1] for window in call.windows} == {"1" if gain_db > 3 else "0"}
        assert bool(call.channels[1].leaks) is not identical


def test_a_broken_file_fails_with_its_reason_and_the_next_call_is_served(
    front_end: ChildFrontEnd, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\x00\x00\x00\x00WAVEfmt ")
    with pytest.raises(CallFault), front_end.prepare(broken, Recording(call="j/1", sha256=sha256(broken))):
        pytest.fail("prepared")
    whole = write_wav(tmp_path / "whole.wav", silence(2))

    with front_end.prepare(whole, Recording(call="j/2", sha256=sha256(whole))) as call:
        assert call.duration_s == pytest.approx(2.0)


def test_a_recording_over_the_limit_is_refused(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", silence(5))
    limits = FrontEndLimits(decode=DecodeLimits(max_duration_s=3), timeout_s=60, memory_bytes=1024**3)
    front_end = ChildFrontEnd(scratch_dir=tmp_path, rules=Rules(), limits=limits)

    with (
        pytest.raises(CallFault) as fault,
        front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))),
    ):
        pytest.fail("prepared")
    front_end.close()

    assert fault.value.reason == "too_long"


def test_decoding_that_takes_too_long_fails_the_call(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", noise(60))
    limits = FrontEndLimits(decode=DecodeLimits(), timeout_s=0.001, memory_bytes=1024**3)
    front_end = ChildFrontEnd(scratch_dir=tmp_path, rules=Rules(), limits=limits)

    with (
        pytest.raises(CallFault) as fault,
        front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))),
    ):
        pytest.fail("prepared")
    front_end.close()

    assert (fault.value.reason, fault.value.details) == ("decode_timeout", {"limit_s": "0.001"})
    assert [path.name for path in tmp_path.iterdir()] == ["call.wav"]


def test_a_closed_front_end_leaves_the_call_to_another_worker(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", silence(2))
    limits = FrontEndLimits(decode=DecodeLimits(), timeout_s=60, memory_bytes=1024**3)
    front_end = ChildFrontEnd(scratch_dir=tmp_path, rules=Rules(), limits=limits)
    front_end.close()

    digest = hashlib.sha256(recording.read_bytes()).hexdigest()
    with pytest.raises(Postponed), front_end.prepare(recording, Recording(call="j/1", sha256=digest)):
        pytest.fail("prepared")
