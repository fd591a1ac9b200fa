"""Tiny models that tell a token for each frame: GigaAM's and NeMo's, and T-one, which streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from services.transcriber.testing.tiny_onnx.graphs import FLOAT, FLOAT16, INT32, INT64, Graph, kernel
from services.transcriber.testing.tiny_onnx.script import BLANK, SPACE, Script, write_config, write_vocabulary

_GIGAAM_MELS: Final = 64
_NEMO_MELS: Final = 80
#: T-one takes 300 ms at 8 kHz at once, gives ten frames of 30 ms, and carries so many numbers from one to the next.
_CHUNK_SAMPLES: Final = 2400
_CHUNK_FRAMES: Final = 10
_STATE_SIZE: Final = 219_729
_LATE_FRAMES: Final = 11


def gigaam(name: str, vocabulary_name: str, version: str, *, pieces: bool = False) -> Callable[[Path, Script], None]:
    """What writes a GigaAM with this name of its file."""

    def build(folder: Path, script: Script) -> None:
        vocabulary = script.pieces() if pieces else script.letters()
        graph = Graph()
        features = graph.input("features", FLOAT, ("batch", _GIGAAM_MELS, "time"))
        graph.input("feature_lengths", INT64, ("batch",))
        ear = script.ear(len(vocabulary), _GIGAAM_MELS, kernel(4))
        scores = graph.scripted(features, ear, script.logits(vocabulary, 0.04), 4)
        graph.output("log_probs", graph.add("LogSoftmax", scores, axis=-1), FLOAT, ("batch", "frames", len(vocabulary)))
        graph.save(folder / f"{name}.onnx")
        write_vocabulary(folder / f"{vocabulary_name}.txt", vocabulary)
        write_config(folder, version=version, features_size=_GIGAAM_MELS, subsampling_factor=4)

    return build


def nemo(folder: Path, script: Script) -> None:
    """A FastConformer."""
    vocabulary = script.pieces()
    graph = Graph()
    features = graph.input("audio_signal", FLOAT, ("batch", _NEMO_MELS, "time"))
    graph.input("length", INT64, ("batch",))
    ear = script.ear(len(vocabulary), _NEMO_MELS, kernel(8))
    scores = graph.scripted(features, ear, script.logits(vocabulary, 0.08), 8)
    graph.output("logprobs", graph.add("LogSoftmax", scores, axis=-1), FLOAT, ("batch", "frames", len(vocabulary)))
    graph.save(folder / "model.onnx")
    write_vocabulary(folder / "vocab.txt", vocabulary)
    write_config(folder, model_type="nemo-conformer-ctc", features_size=_NEMO_MELS, subsampling_factor=8)


def t_one(folder: Path, script: Script) -> None:
    """T-one: a chunk at a time, counted in its state; the first one is the library's padding."""
    letters = (*script.letters()[1:-1], "ё")
    vocabulary = (*letters, SPACE, BLANK)
    logits = script.logits(vocabulary, 0.03, _LATE_FRAMES)
    logits = np.concatenate([np.zeros((_CHUNK_FRAMES, len(vocabulary)), dtype=np.float32), logits])
    said = logits[: len(logits) // _CHUNK_FRAMES * _CHUNK_FRAMES].reshape(-1, _CHUNK_FRAMES, len(vocabulary))
    samples = _CHUNK_SAMPLES // _CHUNK_FRAMES

    graph = Graph()
    signal = graph.input("signal", INT32, ("batch", _CHUNK_SAMPLES, 1))
    state = graph.input("state", FLOAT16, ("batch", _STATE_SIZE))
    counter = graph.part(state, 1, 0, 1)
    count = graph.add("Cast", graph.add("Squeeze", counter, graph.integers(1)), to=INT64)
    scores = graph.add("Gather", graph.constant(said), count, axis=0)
    sound = graph.add("Reshape", graph.add("Cast", signal, to=FLOAT), graph.integers(-1, _CHUNK_FRAMES, samples))
    ear = graph.constant(script.ear(samples, len(vocabulary)) / np.float32(2**15))
    scores = graph.add("Add", scores, graph.add("MatMul", sound, ear))
    one_more = graph.add("Add", graph.add("Cast", counter, to=FLOAT), graph.constant(np.ones(1, dtype=np.float32)))
    rest = graph.part(state, 1, 1, _STATE_SIZE)
    following = graph.add("Concat", graph.add("Cast", one_more, to=FLOAT16), rest, axis=1)
    shape = ("batch", _CHUNK_FRAMES, len(vocabulary))
    graph.output("logprobs", graph.add("LogSoftmax", scores, axis=-1), FLOAT, shape)
    graph.output("state_next", following, FLOAT16, ("batch", _STATE_SIZE))
    graph.save(folder / "model.onnx")
    write_config(
        folder,
        decoder_params={"vocabulary": [*letters, " "]},
        encoder_params={"reduction_kernel_size": 3},
        pad_token_id=len(vocabulary) - 1,
    )
