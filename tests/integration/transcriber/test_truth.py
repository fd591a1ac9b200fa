"""Real calls through the real model, as the service would: every setting as it ships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.transcriber.arms import Platform
from bench.transcriber.bare import Batched
from pipeline.contracts.transcript import Transcript
from razgovor.evaluation import references
from razgovor.evaluation.measures import CallResult, EngineResult, judge
from razgovor.evaluation.references import Reference
from razgovor.local_transcriber import LocalTranscriber
from razgovor.scoring import score
from razgovor.transcription import recordings
from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.domain.recording import Recording
from tests.integration.transcriber.recordings import RATE_HZ, SAMPLES, base_model, noise, sha256, write_wav

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(400)]

Sound: TypeAlias = NDArray[np.float64]

CALLS = ("bank.wav", "clinic.wav", "complaint.wav", "delivery.flac", "internet.ogg", "sales.mp3")
#: A point of WER is what a leak, and three tenths of it what our windows and our search, may cost.
ECHO_COST = 0.01
COST = 0.003
TURN_START_P95_S = 0.3
#: A leak as of a bad line card.
LEAK_DB, LEAK_S = -24, 0.11


def reference(file: str) -> Reference:
    return references.find(recordings.find([SAMPLES]), None)[file]


def said(file: str) -> dict[int, str]:
    """What each channel truly says."""
    turns = reference(file).turns
    return {channel: " ".join(turn.text for turn in turns if turn.channel == channel) for channel in (0, 1)}


def spoken_by(channel: int, file: str) -> list[tuple[float, float]]:
    """When a channel truly speaks, with half a second's grace."""
    return [
        (turn.start - 0.5, turn.end + 0.5)
        for turn in reference(file).turns
        if turn.channel == channel and turn.start is not None and turn.end is not None
    ]


def within(second: float, spans: list[tuple[float, float]]) -> bool:
    return any(start_s <= second <= end_s for start_s, end_s in spans)


def texts(transcript: Transcript) -> dict[int, str]:
    return {
        channel.index: " ".join(turn.text for turn in transcript.turns if turn.channel == channel.index)
        for channel in transcript.channels
    }


def heard_all(transcriber: LocalTranscriber, paths: Iterable[Path]) -> dict[str, Transcript]:
    """All of them side by side, by name."""
    return {heard.path.name: heard.transcript for heard in transcriber.hear(paths) if heard.transcript is not None}


def judged(transcripts: Mapping[str, Transcript]) -> EngineResult:
    calls = tuple(judge(file, transcripts[file], reference(file)) for file in CALLS)
    return EngineResult(name="", calls=calls)


def of_bank(transcript: Transcript) -> CallResult:
    return judge("bank.wav", transcript, reference("bank.wav"))


@pytest.fixture(scope="module")
def calls(transcriber: LocalTranscriber) -> dict[str, Transcript]:
    """The sample calls, heard once for all that is asked of them."""
    return heard_all(transcriber, [SAMPLES / file for file in CALLS])


@pytest.fixture(scope="module")
def bank(front_end: ChildFrontEnd) -> tuple[Sound, Sound]:
    """Each side of a call by itself, at 8 kHz."""
    recording = SAMPLES / "bank.wav"
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        operator, customer = (
            np.fromfile(path, dtype=np.float32)[::2].astype(np.float64)
            for path in sorted({window.pcm for window in call.windows})
        )
    return operator, customer


@pytest.fixture(scope="module")
def kinds(
    transcriber: LocalTranscriber, bank: tuple[Sound, Sound], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Transcript]:
    """One call as it comes in well and badly, beside where nobody speaks."""
    operator, customer = bank
    delay = round(LEAK_S * RATE_HZ)
    echo = np.concatenate([np.zeros(delay), operator[:-delay]]) * 10 ** (LEAK_DB / 20)
    mix = (operator + customer) / 2
    recorded = {
        "plain": (operator, customer),
        "swapped": (customer, operator),
        "echo": (operator, customer + echo),
        "one_sided": (operator, customer * 0),
        "dual_mono": (mix, mix),
        "mono": (mix,),
        "noise": (noise(30), noise(30)[::-1]),
    }
    folder = tmp_path_factory.mktemp("kinds")
    paths = [write_wav(folder / name, *channels) for name, channels in recorded.items()]
    return heard_all(transcriber, paths)


@pytest.mark.parametrize("file", CALLS)
def test_a_stereo_call_has_the_right_words_on_the_right_side(file: str, calls: dict[str, Transcript]) -> None:
    transcript = calls[file]

    truth, heard = said(file), texts(transcript)
    errors = score(truth[0], heard[0]) + score(truth[1], heard[1])
    assert errors.wer < (0.2 if file == "complaint.wav" else 0.15)
    assert all(score(truth[1 - side], heard[side]).wer > 0.5 for side in (0, 1))
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


def test_turns_start_where_they_are_said_to(calls: dict[str, Transcript]) -> None:
    result = judged(calls)

    assert len(result.start_errors_s) > 80
    assert result.start_error_s is not None
    assert result.start_error_s <= TURN_START_P95_S


def test_no_word_stands_where_nobody_speaks(calls: dict[str, Transcript]) -> None:
    result = judged(calls)

    assert result.silence_s > 300
    assert result.silence_words == 0


def test_words_are_not_worse_than_those_of_bare_faster_whisper_in_batches(calls: dict[str, Transcript]) -> None:
    bare = Batched(Platform(model=base_model().folder)).hear([SAMPLES / file for file in CALLS])

    assert judged(calls).errors.rate <= judged({path.name: heard for path, heard in bare}).errors.rate + COST


def test_channels_that_are_swapped_are_heard_swapped(kinds: dict[str, Transcript]) -> None:
    plain = texts(kinds["plain"])

    assert texts(kinds["swapped"]) == {0: plain[1], 1: plain[0]}


def test_an_echo_of_the_operator_puts_no_words_into_the_customers_mouth(kinds: dict[str, Transcript]) -> None:
    transcript = kinds["echo"]

    for turn in transcript.turns:
        if turn.channel == 1:
            assert all(within((word.start_s + word.end_s) / 2, spoken_by(1, "bank.wav")) for word in turn.words)
    assert [warning.code for warning in transcript.warnings] == ["crosstalk"]
    leaks = [item for item in transcript.suppressed if item.reason == "crosstalk"]
    assert len(leaks) >= 5
    assert {item.channel for item in leaks} == {1}


def test_an_echo_costs_no_more_than_a_point_of_words(kinds: dict[str, Transcript]) -> None:
    plain, echo = of_bank(kinds["plain"]), of_bank(kinds["echo"])

    assert len(echo.channels) == 2
    assert echo.errors.rate <= plain.errors.rate + ECHO_COST
    assert echo.channels[0].alignment == plain.channels[0].alignment


def test_a_side_that_was_not_recorded_gets_no_words_and_takes_none_from_the_other(
    kinds: dict[str, Transcript],
) -> None:
    transcript = kinds["one_sided"]

    assert {turn.channel for turn in transcript.turns} == {0}
    assert [warning.code for warning in transcript.warnings] == ["silent_channel"]
    assert texts(transcript)[0] == texts(kinds["plain"])[0]
    assert [channel.role for channel in transcript.channels] == ["operator", "customer"]


def test_one_mix_on_both_channels_is_heard_once_and_without_roles(kinds: dict[str, Transcript]) -> None:
    transcript = kinds["dual_mono"]

    assert transcript.channel_mode == "dual_mono"
    assert [warning.code for warning in transcript.warnings] == ["dual_mono"]
    assert {turn.role for turn in transcript.turns} == {None}
    assert len(transcript.turns) > 5


def test_one_mix_on_both_channels_has_the_words_that_it_has_on_one(kinds: dict[str, Transcript]) -> None:
    dual_mono, mono = kinds["dual_mono"], kinds["mono"]

    assert texts(dual_mono)[0] == texts(mono)[0]
    assert texts(dual_mono)[1] == ""
    # Where both speak at once their words stand in another order, and some are lost: what separate channels are for.
    assert of_bank(dual_mono).errors.rate < 0.2


def test_noise_gives_no_words(kinds: dict[str, Transcript]) -> None:
    assert (kinds["noise"].turns, kinds["noise"].speech_s) == ((), 0)
