"""The law of batching: a window's words are the same whatever is heard beside it, in whatever order and batch size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.transcriber.__main__ import whisper_options
from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.whisper import Whisper
from services.transcriber.batching import BatchingEngine, BatchingRules
from services.transcriber.domain.hearing import Batch, Capacity, Heard, Hearing
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import window
from services.transcriber.ports import Recognizer
from services.transcriber.settings import TranscriberSettings
from tests.integration.transcriber.nonspeech import KINDS
from tests.integration.transcriber.recordings import SAMPLES, base_model, sha256

RUSSIAN = Hearing(language="ru")
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


def shares_batches(recognizer: Recognizer, windows: Sequence[Window]) -> bool:
    """Whether there is something to go wrong: some windows are of one time axis, and not all are."""
    axes = Counter(recognizer.capacity.axis.seconds(each.duration_s) for each in windows)
    return len(axes) > 1 and max(axes.values()) > 2


def test_it_holds_for_a_tiny_model_that_says_other_words_to_other_sounds(
    listening_model: ModelFiles, shipped_settings: TranscriberSettings, tmp_path: Path
) -> None:
    lengths_s = (1.0, 2.5, 8.0, 8.9, 8.9, 9.5, 11.5, 11.9)
    sounds = ("dial_tone", "dtmf", "piano", "strings", "siren", "hiss", "rumble", "hum")
    windows = []
    for index, (length_s, sound) in enumerate(zip(lengths_s, sounds, strict=True)):
        pcm = tmp_path / f"{sound}.f32"
        np.repeat(KINDS[sound](), 2).astype(np.float32).tofile(pcm)
        windows.append(window(0, (0.0, length_s), index=index, pcm=pcm))
    whisper = Whisper(listening_model, whisper_options(shipped_settings, 0))
    said = hear_all(whisper, windows, [[*range(len(windows))]])

    assert len({tuple(text for text, _, _ in words) for words in said}) == len(windows)
    assert shares_batches(whisper, windows)
    law(whisper, windows, 15)()


@pytest.fixture
def two_calls(front_end: ChildFrontEnd) -> Iterator[Sequence[Window]]:
    with ExitStack() as prepared:
        windows: list[Window] = []
        for number, file in enumerate(("bank.wav", "clinic.wav")):
            recording = Recording(call=f"j/{number}", sha256=sha256(SAMPLES / file))
            windows += prepared.enter_context(front_end.prepare(SAMPLES / file, recording)).windows
        yield windows


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_holds_for_real_weights_and_real_calls(
    two_calls: Sequence[Window], shipped_settings: TranscriberSettings
) -> None:
    whisper = Whisper(base_model(), whisper_options(shipped_settings, 0))

    assert shares_batches(whisper, two_calls)
    law(whisper, two_calls, 5)()
