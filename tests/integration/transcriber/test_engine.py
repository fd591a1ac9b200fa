from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import CallFault, Fatal, Postponed
from pipeline.testing.waiting import eventually
from services.transcriber.adapters.engine import EngineLimits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window
from services.transcriber.fakes import FakeEngine, window
from services.transcriber.ports import Engine, EngineCrashed
from services.transcriber.testing.tiny_whisper import WORDS, build
from tests.integration.transcriber.engines import WhisperChild, whisper_child

RUSSIAN = Hearing(language="ru")

OPTIONS = WhisperOptions(compute_type="float32")


@pytest.fixture
def pcm(tmp_path: Path) -> Path:
    path = tmp_path / "0.f32"
    np.random.default_rng(0).normal(0, 0.1, 16_000 * 60).astype(np.float32).tofile(path)
    return path


@pytest.fixture(params=["fake", "whisper"])
def engine(request: pytest.FixtureRequest, tiny_child: WhisperChild) -> Engine:
    return FakeEngine() if request.param == "fake" else tiny_child.engine


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


def test_the_engine_says_what_it_is(tiny_child: WhisperChild) -> None:
    assert tiny_child.engine.facts.engine.startswith("faster-whisper ")
    assert (tiny_child.engine.facts.model, tiny_child.engine.facts.model_sha256) == ("tiny", "1" * 64)
    assert tiny_child.engine.facts.parameters == {
        "device": "cpu",
        "compute_type": "float32",
        "beam_size": 5,
        "axis_step_s": 5.0,
        "axis_pause_s": 1.0,
        "axis_least_s": 10.0,
        "axis_whole_s": 30.0,
        "window_s": 28.0,
    }


def test_whisper_says_what_its_weights_say(tiny_child: WhisperChild, pcm: Path) -> None:
    [heard] = tiny_child.engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], RUSSIAN)

    assert [word.text.strip() for word in heard.words] == list(WORDS)
    assert heard.retries == 0
    assert all(0 < word.probability <= 1 for word in heard.words)


def test_an_unknown_language_is_the_calls_fault(tiny_child: WhisperChild, pcm: Path) -> None:
    with pytest.raises(CallFault) as fault:
        tiny_child.engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], Hearing(language="tlh"))

    assert fault.value.reason == "unsupported_language"


def test_a_killed_child_is_replaced_and_the_work_done(tiny_child: WhisperChild, pcm: Path) -> None:
    tiny_child.recognizer.start()
    first = tiny_child.recognizer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: tiny_child.recognizer.pid is None)

    [heard] = tiny_child.engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], RUSSIAN)

    assert heard.words
    assert tiny_child.recognizer.pid not in {None, first}


def test_what_nobody_foresaw_is_a_crash_too_and_the_next_call_has_a_fresh_engine(
    tiny_child: WhisperChild, pcm: Path, tmp_path: Path
) -> None:
    tiny_child.recognizer.start()
    first = tiny_child.recognizer.pid
    with pytest.raises(EngineCrashed):
        tiny_child.engine.transcribe([window(0, (0.0, 3.0), pcm=tmp_path / "gone.f32")], RUSSIAN)

    assert tiny_child.engine.transcribe([window(0, (0.0, 3.0), pcm=pcm)], RUSSIAN)[0].words
    assert tiny_child.recognizer.pid not in {None, first}


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

    with closing(whisper_child(tiny_model, OPTIONS, still_wanted=not_wanted)) as child:
        with pytest.raises(Postponed, match="another's"):
            child.engine.transcribe([window(0, (0.0, 1.0), pcm=pcm, call="job-1/1")], RUSSIAN)

        assert child.recognizer.pid is None


@pytest.fixture
def babbler(tmp_path: Path) -> ModelFiles:
    """A model that says the same word fifty times, whatever it hears."""
    return ModelFiles(build(tmp_path / "babbler", ("да",) * 50), "babbler", "")


def test_a_loop_is_listened_to_again_whole_and_in_halves_and_then_given_up(babbler: ModelFiles, pcm: Path) -> None:
    with closing(whisper_child(babbler, OPTIONS)) as child:
        [heard] = child.engine.transcribe([window(0, (0.0, 10.0), pcm=pcm)], RUSSIAN)

    assert heard.words == ()
    assert [lost.reason for lost in heard.given_up] == ["repetition", "repetition"]
    assert heard.given_up[0].start_s == 0
    assert heard.given_up[0].end_s == heard.given_up[1].start_s
    assert heard.given_up[1].end_s == 10.0
    assert 2.5 <= heard.given_up[0].end_s <= 7.5
    assert heard.retries == 5  # on the whole axis, in two halves, and each of them with a little chance
    assert heard.compression_ratio > 2.4


def test_a_greedy_engine_searches_wider_first(babbler: ModelFiles, pcm: Path) -> None:
    with closing(whisper_child(babbler, WhisperOptions(compute_type="float32", beam_size=1))) as child:
        [heard] = child.engine.transcribe([window(0, (0.0, 1.0), pcm=pcm)], RUSSIAN)

    assert (len(heard.given_up), heard.retries) == (1, 2)


def test_a_folder_without_a_model_ends_the_process(tmp_path: Path) -> None:
    with closing(whisper_child(ModelFiles(tmp_path, "nothing", ""), OPTIONS)) as child:
        with pytest.raises(Fatal, match="nothing"):
            child.recognizer.start()
        with pytest.raises(Fatal, match="nothing"):
            child.engine.start()


def test_too_long_over_a_call_is_a_crash(tiny_model: ModelFiles, pcm: Path) -> None:
    limits = EngineLimits(base_timeout_s=0.001, timeout_per_speech_s=0.0)
    with closing(whisper_child(tiny_model, OPTIONS, limits=limits)) as child, pytest.raises(EngineCrashed):
        child.engine.transcribe(windows(pcm), RUSSIAN)


def test_a_closed_engine_leaves_the_call_to_another_worker(tiny_model: ModelFiles, pcm: Path) -> None:
    child = whisper_child(tiny_model, OPTIONS)
    child.close()

    with pytest.raises(Postponed, match="being closed"):
        child.engine.transcribe(windows(pcm), RUSSIAN)
