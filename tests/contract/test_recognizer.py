"""One suite over the fake recognizer and real ones: what `batching` may rely on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.onnx_recognizer import OnnxRecognizer
from services.transcriber.adapters.requests import OnnxOptions, WhisperOptions
from services.transcriber.adapters.whisper import Whisper
from services.transcriber.domain.hearing import Batch, Capacity, Heard, Passage, Search
from services.transcriber.domain.timeline import Span
from services.transcriber.fakes import FakeRecognizer, window
from services.transcriber.ports import Recognizer
from services.transcriber.testing import tiny_onnx, tiny_whisper

#: One of each family and each way to tell tokens.
ONNX_KINDS = ("gigaam-v3-ctc", "gigaam-v3-e2e-rnnt", "nemo-conformer-ctc", "t-one-ctc", "vosk")


def whisper(folder: Path) -> Recognizer:
    files = ModelFiles(tiny_whisper.build(folder / "tiny"), "tiny", "1" * 64)
    return Whisper(files, WhisperOptions(compute_type="float32", workers=2, batch_size=4))


def onnx(kind: str) -> Callable[[Path], Recognizer]:
    def load(folder: Path) -> Recognizer:
        files = ModelFiles(tiny_onnx.build(folder / kind, kind), kind, "2" * 64)
        return OnnxRecognizer(files, OnnxOptions(kind=kind, workers=2, batch_size=4))

    return load


RECOGNIZERS: dict[str, Callable[[Path], Recognizer]] = {
    "fake": lambda _folder: FakeRecognizer(Capacity(slots=2, batch_size=4)),
    "whisper": whisper,
    **{f"onnx-asr {kind}": onnx(kind) for kind in ONNX_KINDS},
}


@pytest.fixture(scope="module", params=RECOGNIZERS)
def recognizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return RECOGNIZERS[request.param](tmp_path_factory.mktemp("recognizer"))


@pytest.fixture(scope="module")
def pcm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pcm") / "0.f32"
    np.random.default_rng(0).normal(0, 0.1, 16_000 * 40).astype(np.float32).tofile(path)
    return path


@pytest.fixture
def passages(pcm: Path) -> list[Passage]:
    """As many as go into the smallest batch, of different lengths, calls and channels; whole windows and parts."""
    long = window(1, (4.0, 12.0), (20.0, 23.0), pcm=pcm, call="another")
    return [
        Passage.whole(window(0, (0.0, 3.0), pcm=pcm)),
        Passage.whole(long),
        Passage(window=long, part=Span(0, 80_000)),
        Passage(window=long, part=Span(80_000, long.samples)),
    ]


def hear(recognizer: Recognizer, passages: list[Passage], search: Search = Search()) -> list[Heard]:  # noqa: B008
    return recognizer.hear(Batch(passages=tuple(passages), language="ru", search=search))


def same(left: list[Heard], right: list[Heard]) -> bool:
    """The same words at the same times; how sure it is may differ in the last digits, as products of other shapes do."""

    def sure(heard: list[Heard]) -> list[float]:
        return [value for each in heard for value in (each.avg_logprob, each.no_speech_prob)]

    def said(heard: list[Heard]) -> list[object]:
        return [(each.text, [(word.text, word.start_s, word.end_s) for word in each.words]) for each in heard]

    return said(left) == said(right) and sure(left) == pytest.approx(sure(right), rel=1e-3, abs=1e-6)


def test_it_says_what_it_is_and_what_it_takes(recognizer: Recognizer) -> None:
    facts, capacity = recognizer.facts, recognizer.capacity

    assert facts.engine
    assert facts.model
    assert len(facts.model_sha256) == 64
    assert capacity.slots >= 1
    assert capacity.ahead >= 0
    assert capacity.express >= 0
    assert capacity.batch_size >= 1
    assert 8 <= capacity.window_s <= 30
    assert "ru" in capacity.languages


def test_every_passage_is_answered_in_the_order_asked(recognizer: Recognizer, passages: list[Passage]) -> None:
    heard = hear(recognizer, passages)

    assert len(heard) == len(passages)
    for passage, each in zip(passages, heard, strict=True):
        assert each.text.split() == "".join(word.text for word in each.words).split() != []
        assert [word.start_s for word in each.words] == sorted(word.start_s for word in each.words)
        assert all(0 <= word.start_s <= word.end_s <= passage.duration_s for word in each.words)
        assert all(0 <= word.probability <= 1 for word in each.words)
        assert each.avg_logprob <= 0
        assert 0 <= each.no_speech_prob <= 1
        assert each.languages == {}
        assert not each.failed


def test_what_is_heard_depends_on_no_other_passage_and_no_order(
    recognizer: Recognizer, passages: list[Passage]
) -> None:
    together = hear(recognizer, passages)

    assert same(hear(recognizer, passages[::-1])[::-1], together)
    assert same([hear(recognizer, [passage])[0] for passage in passages], together)


@pytest.mark.parametrize("search", [Search(beam_size=1), Search(whole_axis=True), Search(temperature=0.4)])
def test_every_search_finds_something(recognizer: Recognizer, passages: list[Passage], search: Search) -> None:
    assert all(heard.words for heard in hear(recognizer, passages, search))


def test_without_a_language_it_tells_which_may_be_spoken(recognizer: Recognizer, passages: list[Passage]) -> None:
    heard = recognizer.hear(Batch(passages=tuple(passages), language=None))

    for each in heard:
        assert each.words == ()
        assert set(each.languages) <= recognizer.capacity.languages
        assert sum(each.languages.values()) == pytest.approx(1.0, abs=0.01)


def test_all_its_slots_may_be_used_at_once(recognizer: Recognizer, passages: list[Passage]) -> None:
    alone = hear(recognizer, passages)
    capacity = recognizer.capacity
    with ThreadPoolExecutor(capacity.slots + capacity.ahead + capacity.express) as threads:
        together = list(threads.map(lambda _: hear(recognizer, passages), range(6)))

    assert all(same(heard, alone) for heard in together)
