from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import CallFault, Fatal, Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.adapters.engine import EngineLimits, WhisperEngine
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window
from services.transcriber.fakes import FakeEngine, window
from services.transcriber.ports import Engine, EngineCrashed
from services.transcriber.testing.tiny_whisper import WORDS, build

RUSSIAN = Hearing(language="ru")

OPTIONS = WhisperOptions(compute_type="float32")


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    path = tmp_path / "0.f32"
    np.random.default_rng(0).normal(0, 0.1, 16_000 * 60).astype(np.float32).tofile(path)
    return path


@pytest.fixture(params=["fake", "whisper"])
def engine(request: pytest.FixtureRequest, tiny_engine: WhisperEngine) -> Engine:
    return FakeEngine() if request.param == "fake" else tiny_engine


def windows(pcm: Path) -> list[Window]:
    """Of different lengths, channels and calls."""
    return [
        window(0, (0.0, 3.0), pcm=pcm),
        window(1, (1.0, 20.0), pcm=pcm),
        window(0, (4.0, 6.0), (10.0, 15.0), index=1, pcm=pcm),
        window(0, (30.0, 58.0), call="another", pcm=pcm),
        window(1, (50.0, 52.0), call="another", pcm=pcm),
    ]


def test_every_window_gets_its_words_in_the_order_asked(engine: Engine, pcm: Path) -> None:
    asked = windows(pcm)

    heard = engine.transcribe(asked, RUSSIAN)

    assert len(heard) == len(asked)
    for each, words in zip(asked, heard, strict=True):
        assert words.words
        assert all(word.text.strip() for word in words.words)
        assert words.engine_ms > 0
        assert words.given_up == ()
        assert all(word.end_s <= each.duration_s for word in words.words)


def test_what_is_heard_in_a_window_does_not_depend_on_the_others(engine: Engine, pcm: Path) -> None:
    asked = windows(pcm)

    together = engine.transcribe(asked, RUSSIAN)
    alone = [engine.transcribe([each], RUSSIAN)[0] for each in asked]

    assert [words.words for words in together] == [words.words for words in alone]


def test_nothing_asked_is_nothing_heard(engine: Engine) -> None:
    assert engine.transcribe([], RUSSIAN) == []


def test_the_engine_says_what_it_is(tiny_engine: WhisperEngine) -> None:
    assert tiny_engine.facts.engine.startswith("faster-whisper ")
    assert (tiny_engine.facts.model, tiny_engine.facts.model_sha256) == ("tiny", "1" * 64)
    assert tiny_engine.facts.parameters == {
        "compute_type": "float32",
        "beam_size": 5,
        "batch_size": 4,
        "window_s": 28.0,
    }


def test_whisper_says_what_its_weights_say(tiny_engine: WhisperEngine, pcm: Path) -> None:
    [heard] = tiny_engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], RUSSIAN)

    assert [word.text.strip() for word in heard.words] == list(WORDS)
    assert heard.retries == 0
    assert all(0 < word.probability <= 1 for word in heard.words)


def test_an_unknown_language_is_the_calls_fault(tiny_engine: WhisperEngine, pcm: Path) -> None:
    with pytest.raises(CallFault) as fault:
        tiny_engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], Hearing(language="tlh"))

    assert fault.value.reason == "engine_failed"


def test_a_killed_child_is_replaced_and_the_work_done(tiny_engine: WhisperEngine, pcm: Path) -> None:
    tiny_engine.start()
    first = tiny_engine.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: tiny_engine.pid is None)

    [heard] = tiny_engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], RUSSIAN)

    assert heard.words
    assert tiny_engine.pid not in {None, first}


def test_what_nobody_foresaw_is_a_crash_too_and_the_next_call_has_a_fresh_engine(
    tiny_engine: WhisperEngine, pcm: Path, tmp_path: Path
) -> None:
    tiny_engine.start()
    first = tiny_engine.pid
    with pytest.raises(EngineCrashed):
        tiny_engine.transcribe([window(0, (0.0, 3.0), pcm=tmp_path / "gone.f32")], RUSSIAN)

    assert tiny_engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], RUSSIAN)[0].words
    assert tiny_engine.pid not in {None, first}


def test_calls_side_by_side_each_get_their_own_words(engine: Engine, pcm: Path) -> None:
    asked = [
        [window(0, (0.0, 2.0 + count), pcm=pcm, call=f"job-{count}/1", index=index) for index in range(count)]
        for count in range(1, 5)
    ]
    alone = [[words.words for words in engine.transcribe(windows, RUSSIAN)] for windows in asked]
    with ThreadPoolExecutor(len(asked)) as threads:
        together = list(threads.map(lambda windows: engine.transcribe(windows, RUSSIAN), asked))

    assert [[words.words for words in heard] for heard in together] == alone


def test_a_call_that_is_not_wanted_any_more_never_comes_to_its_turn(tiny_model: ModelFiles, pcm: Path) -> None:
    def not_wanted(call: str) -> None:
        assert call == "job-1/1"
        raise Postponed("the call is another's now")

    engine = WhisperEngine(tiny_model, OPTIONS, EngineLimits(), still_wanted=not_wanted)
    with pytest.raises(Postponed, match="another's"):
        engine.transcribe([window(0, (0.0, 1.0), pcm=pcm, call="job-1/1")], RUSSIAN)

    assert engine.pid is None
    engine.close()


@pytest.fixture
def babbler(tmp_path: Path) -> Iterator[WhisperEngine]:
    """A model that says the same word forty times, whatever it hears."""
    files = ModelFiles(build(tmp_path / "babbler", ("да",) * 40), "babbler", "")
    engine = WhisperEngine(files, OPTIONS, EngineLimits())
    yield engine
    engine.close()


def test_a_loop_is_listened_to_again_in_halves_and_then_given_up(babbler: WhisperEngine, pcm: Path) -> None:
    [heard] = babbler.transcribe([window(0, (0.0, 10.0), pcm=pcm)], RUSSIAN)

    assert heard.words == ()
    assert [lost.reason for lost in heard.given_up] == ["repetition", "repetition"]
    assert heard.given_up[0].start_s == 0
    assert heard.given_up[0].end_s == heard.given_up[1].start_s
    assert heard.given_up[1].end_s == 10.0
    assert 2.5 <= heard.given_up[0].end_s <= 7.5
    assert heard.retries == 4
    assert heard.compression_ratio > 2.4


def test_a_greedy_engine_searches_wider_first(tmp_path: Path, pcm: Path) -> None:
    files = ModelFiles(build(tmp_path / "babbler", ("да",) * 40), "babbler", "")
    engine = WhisperEngine(files, WhisperOptions(compute_type="float32", beam_size=1), EngineLimits())

    [heard] = engine.transcribe([window(0, (0.0, 1.0), pcm=pcm)], RUSSIAN)
    engine.close()

    assert (len(heard.given_up), heard.retries) == (1, 3)


def test_a_folder_without_a_model_ends_the_process(tmp_path: Path) -> None:
    engine = WhisperEngine(ModelFiles(tmp_path, "nothing", ""), OPTIONS, EngineLimits())

    with pytest.raises(Fatal, match="nothing"):
        engine.start()
    engine.close()


def test_too_long_over_a_call_is_a_crash(tiny_model: ModelFiles, pcm: Path) -> None:
    limits = EngineLimits(base_timeout_s=0.001, timeout_per_speech_s=0.0)
    engine = WhisperEngine(tiny_model, OPTIONS, limits)

    with pytest.raises(EngineCrashed):
        engine.transcribe(windows(pcm), RUSSIAN)
    engine.close()


def test_a_closed_engine_leaves_the_call_to_another_worker(tiny_model: ModelFiles, pcm: Path) -> None:
    engine = WhisperEngine(tiny_model, OPTIONS, EngineLimits())
    engine.close()

    with pytest.raises(Postponed, match="being closed"):
        engine.transcribe(windows(pcm), RUSSIAN)
