"""The second engine on tiny models of true shape: every kind, its words and times, and what a batch does not change."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import Fatal
from services.transcriber import models
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.onnx_recognizer import OnnxRecognizer
from services.transcriber.adapters.requests import OnnxOptions, onnx_facts
from services.transcriber.domain.hearing import Batch, Heard, Passage
from services.transcriber.fakes import window
from services.transcriber.models.formats import ONNX_KINDS
from services.transcriber.testing.tiny_onnx import KINDS, WORD_S, WORDS, build

#: A kind tells where a letter was to a frame or two.
FRAME_S = 0.08
#: The longest passages of the property below; all of one time axis.
LONGEST_S = 7.5
#: One of each way to make features, and to tell tokens.
LISTENERS = ("gigaam-v2-ctc", "gigaam-v3-ctc", "gigaam-v3-rnnt", "nemo-conformer-ctc", "t-one-ctc", "vosk")


class Load(Protocol):
    """Loads a tiny model, each once."""

    def __call__(self, kind: str, *, listens: bool = False) -> OnnxRecognizer: ...


@pytest.fixture(scope="module")
def pcm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pcm") / "0.f32"
    np.random.default_rng(0).normal(0, 0.1, 16_000 * 60).astype(np.float32).tofile(path)
    return path


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    @cache
    def load(kind: str, *, listens: bool = False) -> OnnxRecognizer:
        folder = build(tmp_path_factory.mktemp(kind), kind, listens=listens)
        return OnnxRecognizer(ModelFiles(folder, kind, "2" * 64), OnnxOptions(kind=kind))

    return load


def hear(recognizer: OnnxRecognizer, *passages: Passage) -> list[Heard]:
    return recognizer.hear(Batch(passages=passages, language="ru"))


def test_every_kind_of_the_catalogue_has_a_tiny_model() -> None:
    assert set(KINDS) == set(ONNX_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_its_words_where_they_were_said(load: Load, pcm: Path, kind: str) -> None:
    [heard] = hear(load(kind), Passage.whole(window(0, (2.0, 13.0), pcm=pcm)))

    said = [word.text.strip(" ,") for word in heard.words[:15]]
    assert said == list(WORDS[:15])
    for number, word in enumerate(heard.words[:15]):
        assert word.start_s == pytest.approx(number * WORD_S, abs=FRAME_S / 2)
        assert word.start_s < word.end_s <= (number + 1) * WORD_S
        assert word.probability > 0.9
    assert -0.1 < heard.avg_logprob < 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_tiny_folder_is_told_by_the_catalogue_and_verified(tmp_path: Path, kind: str) -> None:
    model = models.resolve(str(build(tmp_path / kind, kind)), cache=tmp_path / "cache", may_fetch=False)

    assert (model.format.name, model.format.engine, model.format.quantization) == (kind, "onnx-asr", None)
    assert models.verify(str(model.folder), cache=tmp_path / "cache").good


@pytest.mark.parametrize("kind", LISTENERS)
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    spans=st.lists(
        st.tuples(st.integers(0, 50), st.floats(3.8, LONGEST_S)), min_size=2, max_size=4, unique_by=lambda span: span[0]
    ),
    data=st.data(),
)
def test_what_is_heard_is_the_same_whatever_the_batch_mates_and_their_order(
    load: Load,
    pcm: Path,
    kind: str,
    spans: list[tuple[int, float]],
    data: st.DataObject,
) -> None:
    """The model listens, and looks past each frame: a passage that heard its neighbours' length would say other words."""
    recognizer = load(kind, listens=True)
    passages = [Passage.whole(window(0, (start, start + length_s), pcm=pcm)) for start, length_s in spans]
    order = data.draw(st.permutations(range(len(passages))))
    together = hear(recognizer, *(passages[index] for index in order))

    assert all(heard.words for heard in together)
    for index, heard in zip(order, together, strict=True):
        [alone] = hear(recognizer, passages[index])
        assert heard.text == alone.text
        assert [word.start_s for word in heard.words] == [word.start_s for word in alone.words]
        sure = [
            word.probability for word in alone.words
        ]  # to the last digits: products of other shapes round otherwise
        assert [word.probability for word in heard.words] == pytest.approx(sure, rel=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_shortest_passage_and_one_of_silence_are_answered(load: Load, tmp_path: Path, kind: str) -> None:
    silence = tmp_path / "silence.f32"
    np.zeros(16_000, dtype=np.float32).tofile(silence)
    shortest = Passage.whole(window(0, (0.0, 0.01), pcm=silence))
    second = Passage.whole(window(0, (0.0, 1.0), pcm=silence))

    for heard, passage in zip(hear(load(kind), shortest, second), (shortest, second), strict=True):
        assert all(word.end_s <= passage.duration_s for word in heard.words)


def test_no_speech_has_no_words_and_no_doubt(tmp_path: Path, pcm: Path) -> None:
    folder = build(tmp_path / "mute", "gigaam-v3-ctc", words=("",))
    recognizer = OnnxRecognizer(ModelFiles(folder, "mute", ""), OnnxOptions(kind="gigaam-v3-ctc"))
    [heard] = hear(recognizer, Passage.whole(window(0, (0.0, 3.0), pcm=pcm)))

    assert (heard.words, heard.text, heard.avg_logprob, heard.failed) == ((), "", 0.0, False)


def test_it_says_what_it_is(load: Load) -> None:
    facts = load("t-one-ctc").facts

    assert facts.engine.startswith("onnx-asr ")
    assert " / onnxruntime " in facts.engine
    assert (facts.model, facts.model_sha256) == ("t-one-ctc", "2" * 64)
    assert facts.parameters == {
        "device": "cpu",
        "kind": "t-one-ctc",
        "quantization": "none",
        "axis_step_s": 4.0,
        "axis_pause_s": 0.25,
        "axis_least_s": 4.0,
        "axis_whole_s": 32.0,
    }


def test_an_engine_that_is_not_installed_says_how_to() -> None:
    def nothing(package: str) -> str:
        raise PackageNotFoundError(package)

    with pytest.raises(Fatal, match=r"requirements/onnx\.txt"):
        onnx_facts(ModelFiles(Path("x"), "gigaam-v3-ctc", ""), OnnxOptions(kind="gigaam-v3-ctc"), installed=nothing)


@pytest.mark.parametrize("damage", ["missing", "cut off", "another kind", "no vocabulary"])
def test_a_model_that_is_none_ends_the_process(tmp_path: Path, damage: str) -> None:
    folder = build(tmp_path / "model", "gigaam-v3-ctc")
    weights = folder / "v3_ctc.onnx"
    match damage:
        case "missing":
            weights.unlink()
        case "cut off":
            weights.write_bytes(weights.read_bytes()[:1000])
        case "no vocabulary":
            (folder / "v3_vocab.txt").write_text("nonsense\n", encoding="utf-8")
    kind = "t-one-ctc" if damage == "another kind" else "gigaam-v3-ctc"

    with pytest.raises(Fatal, match="broken-one cannot be loaded"):
        OnnxRecognizer(ModelFiles(folder, "broken-one", ""), OnnxOptions(kind=kind))


def test_a_device_that_is_not_here_ends_the_process(tmp_path: Path) -> None:
    folder = build(tmp_path / "model", "gigaam-v3-ctc")

    with pytest.raises(Fatal, match="onnxruntime-gpu"):
        OnnxRecognizer(ModelFiles(folder, "own", ""), OnnxOptions(kind="gigaam-v3-ctc", device="cuda"))
