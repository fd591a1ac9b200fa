"""The law of batching: a window's words are the same whatever is heard beside it, in whatever order and batch size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.adapters.whisper import Whisper
from services.transcriber.batching import BatchingEngine, BatchingRules
from services.transcriber.domain.hearing import Batch, Capacity, Heard, Hearing, TimeAxis
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import window
from services.transcriber.ports import Recognizer
from tests.integration.transcriber.recordings import SAMPLES, base_model, sha256

RUSSIAN = Hearing(language="ru")
AXIS = TimeAxis(step_s=5.0, pause_s=1.0, least_s=10.0)
SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@dataclass(frozen=True)
class Narrowed:
    """The same model with other batches."""

    recognizer: Recognizer
    batch_size: int
    slots: int

    @property
    def facts(self) -> EngineFacts:
        return self.recognizer.facts

    @property
    def capacity(self) -> Capacity:
        return replace(self.recognizer.capacity, batch_size=self.batch_size, slots=self.slots)

    def hear(self, batch: Batch) -> list[Heard]:
        return self.recognizer.hear(batch)


def divided(draw: st.DrawFn, windows: Sequence[Window]) -> list[list[int]]:
    """The windows' positions, shuffled and dealt out to one to three calls."""
    order = draw(st.permutations(range(len(windows))))
    calls = draw(st.integers(1, 3))
    return [hand for number in range(calls) if (hand := list(order[number::calls]))]


def hear_all(
    recognizer: Recognizer, windows: Sequence[Window], hands: list[list[int]]
) -> list[tuple[tuple[str, float, float], ...]]:
    """What is heard in each window when the calls come side by side."""
    heard: dict[int, WindowWords] = {}
    with closing(BatchingEngine([recognizer], BatchingRules())) as engine, ThreadPoolExecutor(len(hands)) as threads:

        def one_call(number: int) -> list[WindowWords]:
            mine = [replace(windows[index], call=f"call-{number}") for index in hands[number]]
            return engine.transcribe(mine, RUSSIAN)

        for hand, words in zip(hands, threads.map(one_call, range(len(hands))), strict=True):
            heard |= dict(zip(hand, words, strict=True))
    return [
        tuple((word.text, word.start_s, word.end_s) for word in heard[index].words) for index in range(len(windows))
    ]


def law(recognizer: Recognizer, windows: Sequence[Window], examples: int) -> Callable[[], Any]:
    alone = [hear_all(Narrowed(recognizer, 1, 1), [each], [[0]])[0] for each in windows]

    @settings(max_examples=examples, deadline=None, suppress_health_check=SHARED, phases=[Phase.generate])
    @given(data=st.data(), batch_size=st.integers(1, 6), slots=st.integers(1, 2))
    def holds(data: st.DataObject, batch_size: int, slots: int) -> None:
        hands = data.draw(st.composite(divided)(windows))
        assert hear_all(Narrowed(recognizer, batch_size, slots), windows, hands) == alone

    return holds


def test_it_holds_for_a_tiny_model_that_takes_its_words_from_nothing(tiny_model: ModelFiles, tmp_path: Path) -> None:
    pcm = tmp_path / "0.f32"
    np.random.default_rng(0).normal(0, 0.1, 16_000 * 60).astype(np.float32).tofile(pcm)
    whisper = Whisper(tiny_model, WhisperOptions(compute_type="int8", axis=AXIS))
    lengths_s = (1.0, 2.5, 8.0, 8.9, 9.5, 14.0, 19.2, 28.0)

    law(whisper, [window(0, (0.0, length_s), index=index, pcm=pcm) for index, length_s in enumerate(lengths_s)], 15)()


@pytest.fixture
def bank(front_end: ChildFrontEnd) -> Iterator[Sequence[Window]]:
    recording = SAMPLES / "bank.wav"
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        yield call.windows


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_holds_for_real_weights_and_a_real_call(bank: Sequence[Window]) -> None:
    axis = replace(AXIS, step_s=15.0)
    assert len({axis.seconds(each.duration_s) for each in bank}) < len(bank)  # some of them share a batch

    law(Whisper(base_model(), WhisperOptions(axis=axis)), bank, 3)()
