"""Real calls through the real model, as the service would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import AudioObject, AudioUploaded
from pipeline.contracts.transcript import Transcript
from razgovor.scoring import score
from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.batching import BatchingEngine
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.recording import Recording
from services.transcriber.handler import handle
from services.transcriber.ports import Ports
from tests.integration.transcriber.engines import whisper_child
from tests.integration.transcriber.recordings import RATE_HZ, SAMPLES, base_model, noise, sha256, write_wav

RUSSIAN = Hearing(language="ru")

pytestmark = [pytest.mark.model, pytest.mark.slow]

AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine() -> Iterator[BatchingEngine]:
    with closing(whisper_child(base_model(), WhisperOptions())) as child:
        yield child.engine


def transcribe(recording: Path, front_end: ChildFrontEnd, engine: BatchingEngine) -> Transcript:
    data = recording.read_bytes()
    store = MemoryStore()
    store.put("jobs/j/audio", data, media_type="audio/wav")
    event = AudioUploaded(
        event_id="e",
        job_id="j",
        run=1,
        client_id="c",
        call_id="call",
        accepted_at=AT,
        priority="normal",
        audio=AudioObject(key="jobs/j/audio", sha256=sha256(recording), size_bytes=len(data), media_type="audio/wav"),
        channel_roles=("operator", "customer"),
        language="ru",
        locale="ru",
        formats=(),
    )
    [put] = handle(event, AT, Ports(store, front_end, engine)).effects
    return Transcript.from_bytes(put.data)


def turns_of(file: str) -> list[dict[str, Any]]:
    samples: list[dict[str, Any]] = json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))
    [turns] = [sample["turns"] for sample in samples if sample["file"] == file]
    return list(turns)


def truth_of(file: str) -> dict[int, str]:
    """What each channel truly says."""
    return {
        channel: " ".join(turn["text"] for turn in turns_of(file) if turn["channel"] == channel) for channel in (0, 1)
    }


def spoken_by(channel: int, file: str) -> list[tuple[float, float]]:
    """When a channel truly speaks, with half a second's grace."""
    return [(turn["start"] - 0.5, turn["end"] + 0.5) for turn in turns_of(file) if turn["channel"] == channel]


def within(second: float, spans: list[tuple[float, float]]) -> bool:
    return any(start_s <= second <= end_s for start_s, end_s in spans)


def texts(transcript: Transcript) -> dict[int, str]:
    return {
        channel.index: " ".join(turn.text for turn in transcript.turns if turn.channel == channel.index)
        for channel in transcript.channels
    }


def channels_of(file: str, front_end: ChildFrontEnd) -> list[NDArray[np.float64]]:
    """A stereo sample's channels at 8 kHz."""
    recording = SAMPLES / file
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        files = sorted({window.pcm for window in call.windows})
        return [np.fromfile(path, dtype=np.float32)[::2].astype(np.float64) for path in files]


@pytest.mark.parametrize("file", ["bank.wav", "clinic.wav", "delivery.flac", "internet.ogg"])
def test_a_stereo_call_has_the_right_words_on_the_right_side(
    file: str, front_end: ChildFrontEnd, engine: BatchingEngine
) -> None:
    transcript = transcribe(SAMPLES / file, front_end, engine)

    said, heard = truth_of(file), texts(transcript)
    errors = score(said[0], heard[0]) + score(said[1], heard[1])
    assert errors.wer < 0.15
    assert all(score(said[1 - side], heard[side]).wer > 0.5 for side in (0, 1))
    assert {turn.role for turn in transcript.turns} == {"operator", "customer"}
    assert transcript.warnings == ()
    assert transcript.suppressed == ()
    assert transcript.quality is not None
    assert transcript.quality.avg_logprob is not None
    assert transcript.quality.avg_logprob > -0.6
    assert transcript.quality.snr_db is not None
    assert transcript.quality.snr_db > 10
    for side in (0, 1):
        words = [word for turn in transcript.turns if turn.channel == side for word in turn.words]
        assert all(left.start_s <= right.start_s for left, right in pairwise(words))


def test_channels_that_are_swapped_are_heard_swapped(
    tmp_path: Path, front_end: ChildFrontEnd, engine: BatchingEngine
) -> None:
    operator, customer = channels_of("bank.wav", front_end)

    heard = texts(transcribe(write_wav(tmp_path / "swapped.wav", customer, operator), front_end, engine))

    said = truth_of("bank.wav")
    assert (score(said[1], heard[0]) + score(said[0], heard[1])).wer < 0.15


def test_an_echo_of_the_operator_puts_no_words_into_the_customers_mouth(
    tmp_path: Path, front_end: ChildFrontEnd, engine: BatchingEngine
) -> None:
    operator, customer = channels_of("bank.wav", front_end)
    delay = round(0.11 * RATE_HZ)
    echo = np.concatenate([np.zeros(delay), operator[:-delay]]) * 10 ** (-24 / 20)

    transcript = transcribe(write_wav(tmp_path / "echo.wav", operator, customer + echo), front_end, engine)

    for turn in transcript.turns:
        if turn.channel == 1:
            assert all(within((word.start_s + word.end_s) / 2, spoken_by(1, "bank.wav")) for word in turn.words)
    assert score(truth_of("bank.wav")[1], texts(transcript)[1]).wer < 0.3
    assert [warning.code for warning in transcript.warnings] == ["crosstalk"]
    leaks = [item for item in transcript.suppressed if item.reason == "crosstalk"]
    assert len(leaks) >= 5
    assert {item.channel for item in leaks} == {1}


def test_a_side_that_was_not_recorded_gets_no_words(
    tmp_path: Path, front_end: ChildFrontEnd, engine: BatchingEngine
) -> None:
    operator, customer = channels_of("bank.wav", front_end)

    transcript = transcribe(write_wav(tmp_path / "oneside.wav", operator, customer * 0), front_end, engine)

    assert {turn.channel for turn in transcript.turns} == {0}
    assert [warning.code for warning in transcript.warnings] == ["silent_channel"]
    assert score(truth_of("bank.wav")[0], texts(transcript)[0]).wer < 0.15
    assert [channel.role for channel in transcript.channels] == ["operator", "customer"]


def test_one_mix_on_both_channels_is_heard_once_and_without_roles(
    tmp_path: Path, front_end: ChildFrontEnd, engine: BatchingEngine
) -> None:
    operator, customer = channels_of("bank.wav", front_end)
    mix = (operator + customer) / 2

    transcript = transcribe(write_wav(tmp_path / "mix.wav", mix, mix), front_end, engine)

    assert transcript.channel_mode == "dual_mono"
    assert [warning.code for warning in transcript.warnings] == ["dual_mono"]
    assert {turn.role for turn in transcript.turns} == {None}
    assert len(transcript.turns) > 5
    said = truth_of("bank.wav")
    assert len(texts(transcript)[0].split()) < 1.2 * len(f"{said[0]} {said[1]}".split())


def test_noise_gives_no_words(tmp_path: Path, front_end: ChildFrontEnd, engine: BatchingEngine) -> None:
    transcript = transcribe(write_wav(tmp_path / "noise.wav", noise(30), noise(30)[::-1]), front_end, engine)

    assert (transcript.turns, transcript.speech_s) == ((), 0)


def test_what_is_heard_in_a_window_does_not_depend_on_its_batch(
    front_end: ChildFrontEnd, engine: BatchingEngine
) -> None:
    recording = SAMPLES / "clinic.wav"
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        together = engine.transcribe(call.windows[::-1], RUSSIAN)[::-1]
        alone = [engine.transcribe([window], RUSSIAN)[0] for window in call.windows]

    assert len(call.windows) > 2
    assert [words.words for words in together] == [words.words for words in alone]
