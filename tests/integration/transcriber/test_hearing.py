"""How an engine is asked to hear: which language is spoken, and with a glossary told before. One suite over fake and real."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window
from services.transcriber.fakes import FakeEngine, window
from services.transcriber.ports import Engine
from tests.integration.transcriber.engines import WhisperChild

LONG_PROMPT = ", ".join(f"тариф номер {number}" for number in range(200)) + "."


@pytest.fixture
def windows(tmp_path: Path) -> list[Window]:
    pcm = tmp_path / "0.f32"
    np.random.default_rng(0).normal(0, 0.1, 16_000 * 30).astype(np.float32).tofile(pcm)
    return [window(0, (0.0, 4.0), pcm=pcm), window(1, (4.0, 28.0), pcm=pcm)]


@pytest.fixture(params=["fake", "whisper"])
def engine(request: pytest.FixtureRequest, tiny_child: WhisperChild) -> Iterator[Engine]:
    if request.param == "fake":
        yield FakeEngine(spoken={"ru": 0.9, "en": 0.1})
    else:
        yield tiny_child.engine


def test_asked_for_the_language_alone_it_tells_probabilities_and_no_words(
    engine: Engine, windows: list[Window]
) -> None:
    heard = engine.transcribe(windows, Hearing(language=None))

    assert [words.words for words in heard] == [(), ()]
    for words in heard:
        assert "ru" in words.languages
        assert sum(words.languages.values()) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("prompt", ["Семейный плюс, Мегабит.", LONG_PROMPT])
def test_a_glossary_however_long_fits_before_what_is_heard(prompt: str, engine: Engine, windows: list[Window]) -> None:
    told = engine.transcribe(windows, Hearing(language="ru", prompt=prompt))

    # Which words, the tiny model cannot tell: its text hangs on the position, which a prompt moves.
    assert len(told) == len(windows)
    assert [words.given_up for words in told] == [(), ()]
