"""Tiny models that tell tokens by an encoder, a decoder that knows the last token, and what joins the two.

The joiner never says the last token again, so that each is told once and the blank follows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from services.transcriber.testing.tiny_onnx.graphs import FLOAT, INT32, INT64, Graph, kernel
from services.transcriber.testing.tiny_onnx.script import BLANK, Script, write_config, write_vocabulary

_GIGAAM_MELS: Final = 64
_GIGAAM_HIDDEN: Final = 320
_MELS: Final = 80
_NEMO_LAYERS: Final = 1
_NEMO_HIDDEN: Final = 8
_VOSK_CONTEXT: Final = 2
#: Taken from the score of the token that was said last.
_NOT_AGAIN: Final = 100.0


def gigaam(name: str, vocabulary_name: str, version: str, *, pieces: bool = False) -> Callable[[Path, Script], None]:
    """What writes a GigaAM with this name of its files."""

    def build(folder: Path, script: Script) -> None:
        vocabulary = script.pieces() if pieces else script.letters()
        tokens = len(vocabulary)
        encoder = Graph()
        features = encoder.input("audio_signal", FLOAT, ("batch", _GIGAAM_MELS, "time"))
        lengths = encoder.input("length", INT64, ("batch",))
        scores = encoder.scripted(
            features, script.ear(tokens, _GIGAAM_MELS, kernel(4)), script.logits(vocabulary, 0.04), 4
        )
        encoder.output("encoded", encoder.add("Transpose", scores, perm=[0, 2, 1]), FLOAT, ("batch", tokens, "frames"))
        frames = encoder.add("Cast", encoder.frames(lengths, 4), to=INT32)
        encoder.output("encoded_len", frames, INT32, ("batch",))
        encoder.save(folder / f"{name}_encoder.onnx")

        decoder = Graph()
        last = decoder.input("x", INT64, (1, 1))
        hidden, cell = (decoder.input(each, FLOAT, (1, 1, _GIGAAM_HIDDEN)) for each in ("h.1", "c.1"))
        decoder.output("dec", _penalty(decoder, last, vocabulary, _GIGAAM_HIDDEN), FLOAT, (1, 1, _GIGAAM_HIDDEN))
        decoder.output("h", hidden, FLOAT, (1, 1, _GIGAAM_HIDDEN))
        decoder.output("c", cell, FLOAT, (1, 1, _GIGAAM_HIDDEN))
        decoder.save(folder / f"{name}_decoder.onnx")

        joint = Graph()
        encoded = joint.input("enc", FLOAT, (1, tokens, 1))
        decoded = joint.input("dec", FLOAT, (1, _GIGAAM_HIDDEN, 1))
        joined = joint.add("Sub", encoded, joint.part(decoded, 1, 0, tokens))
        joint.output("joint", joint.add("Reshape", joined, joint.integers(1, 1, 1, tokens)), FLOAT, (1, 1, 1, tokens))
        joint.save(folder / f"{name}_joint.onnx")

        write_vocabulary(folder / f"{vocabulary_name}.txt", vocabulary)
        write_config(folder, version=version, features_size=_GIGAAM_MELS, max_tokens_per_step=3)

    return build


def nemo(folder: Path, script: Script) -> None:
    """A FastConformer; decoder and joiner are one."""
    vocabulary = script.pieces()
    tokens = len(vocabulary)
    encoder = Graph()
    features = encoder.input("audio_signal", FLOAT, ("batch", _MELS, "time"))
    lengths = encoder.input("length", INT64, ("batch",))
    scores = encoder.scripted(features, script.ear(tokens, _MELS, kernel(8)), script.logits(vocabulary, 0.08), 8)
    encoder.output("outputs", encoder.add("Transpose", scores, perm=[0, 2, 1]), FLOAT, ("batch", tokens, "frames"))
    encoder.output("encoded_lengths", encoder.frames(lengths, 8), INT64, ("batch",))
    encoder.save(folder / "encoder-model.onnx")

    joiner = Graph()
    encoded = joiner.input("encoder_outputs", FLOAT, (1, tokens, 1))
    last = joiner.input("targets", INT32, (1, 1))
    joiner.input("target_length", INT32, (1,))
    state = (_NEMO_LAYERS, 1, _NEMO_HIDDEN)
    states = [joiner.input(f"input_states_{number}", FLOAT, state) for number in (1, 2)]
    penalty = _penalty(joiner, joiner.add("Cast", last, to=INT64), vocabulary, tokens)
    joined = joiner.add("Sub", joiner.add("Transpose", encoded, perm=[0, 2, 1]), penalty)
    joiner.output("outputs", joiner.add("Reshape", joined, joiner.integers(1, 1, 1, tokens)), FLOAT, (1, 1, 1, tokens))
    for number, value in enumerate(states, start=1):
        joiner.output(f"output_states_{number}", value, FLOAT, state)
    joiner.save(folder / "decoder_joint-model.onnx")

    write_vocabulary(folder / "vocab.txt", vocabulary)
    write_config(folder, model_type="nemo-conformer-rnnt", features_size=_MELS, subsampling_factor=8)


def vosk(folder: Path, script: Script) -> None:
    """A Zipformer of Kaldi's family with a decoder that knows the last two tokens; its blank is the first token."""
    vocabulary = (BLANK, *script.pieces()[:-1])
    tokens = len(vocabulary)
    (folder / "am-onnx").mkdir(exist_ok=True)
    (folder / "lang").mkdir(exist_ok=True)
    encoder = Graph()
    features = encoder.input("x", FLOAT, ("batch", "time", _MELS))
    lengths = encoder.input("x_lens", INT64, ("batch",))
    frames = encoder.add("Transpose", features, perm=[0, 2, 1])
    scores = encoder.scripted(frames, script.ear(tokens, _MELS, kernel(4)), script.logits(vocabulary, 0.04), 4)
    encoder.output("encoder_out", scores, FLOAT, ("batch", "frames", tokens))
    encoder.output("encoder_out_lens", encoder.frames(lengths, 4), INT64, ("batch",))
    encoder.save(folder / "am-onnx" / "encoder.onnx")

    decoder = Graph()
    context = decoder.input("y", INT64, (1, _VOSK_CONTEXT))
    last = decoder.part(context, 1, _VOSK_CONTEXT - 1, _VOSK_CONTEXT)
    penalty = decoder.add("Squeeze", _penalty(decoder, last, vocabulary, tokens), decoder.integers(1))
    decoder.output("decoder_out", penalty, FLOAT, (1, tokens))
    decoder.save(folder / "am-onnx" / "decoder.onnx")

    joiner = Graph()
    encoded = joiner.input("encoder_out", FLOAT, (1, tokens))
    decoded = joiner.input("decoder_out", FLOAT, (1, tokens))
    joiner.output("logit", joiner.add("Sub", encoded, decoded), FLOAT, (1, tokens))
    joiner.save(folder / "am-onnx" / "joiner.onnx")
    write_vocabulary(folder / "lang" / "tokens.txt", vocabulary)


def _penalty(graph: Graph, last: str, vocabulary: tuple[str, ...], width: int) -> str:
    """From the last token, shape (1, 1), to what is taken from each token's score, shape (1, 1, width): never the blank's."""
    table = np.zeros((len(vocabulary), width), dtype=np.float32)
    for token in range(len(vocabulary)):
        if token != vocabulary.index(BLANK):
            table[token, token] = _NOT_AGAIN
    return graph.add("Gather", graph.constant(table), last, axis=0)
