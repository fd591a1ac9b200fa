"""ONNX models of every kind that onnx-asr knows for Russian, tiny and of true shape: for tests of the second engine.

Names, types and ranks of inputs and outputs, file names, vocabularies and configurations are those that onnx-asr looks for;
only the weights are few. What a model says is fixed by position: a word every `WORD_S`, whatever it hears. Built with
`listens`, it says what follows from the sound instead, and looks a little past each frame as real encoders do, so that a
passage that heard its neighbours in a batch would say something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from services.transcriber.testing.tiny_onnx import ctc, transducers
from services.transcriber.testing.tiny_onnx.script import WORD_S, WORDS, Script

_BUILDERS: Final[Mapping[str, Callable[[Path, Script], None]]] = {
    "gigaam-v2-ctc": ctc.gigaam("v2_ctc", "v2_vocab", "v2"),
    "gigaam-v2-rnnt": transducers.gigaam("v2_rnnt", "v2_vocab", "v2"),
    "gigaam-v3-ctc": ctc.gigaam("v3_ctc", "v3_vocab", "v3"),
    "gigaam-v3-rnnt": transducers.gigaam("v3_rnnt", "v3_vocab", "v3"),
    "gigaam-v3-e2e-ctc": ctc.gigaam("v3_e2e_ctc", "v3_e2e_ctc_vocab", "v3", pieces=True),
    "gigaam-v3-e2e-rnnt": transducers.gigaam("v3_e2e_rnnt", "v3_e2e_rnnt_vocab", "v3", pieces=True),
    "nemo-conformer-ctc": ctc.nemo,
    "nemo-conformer-rnnt": transducers.nemo,
    "t-one-ctc": ctc.t_one,
    "vosk": transducers.vosk,
}

KINDS: Final = tuple(_BUILDERS)

__all__ = ["KINDS", "WORDS", "WORD_S", "build"]


def build(folder: Path, kind: str, words: tuple[str, ...] = WORDS, *, listens: bool = False) -> Path:
    """Write a model into the folder.

    Args:
        folder: Is made if it is not there.
        kind: One of `KINDS`, onnx-asr's name.
        words: What it says, again and again; lower-case letters, none twice in a row.
        listens: Say what follows from the sound instead.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _BUILDERS[kind](folder, Script(words, listens=listens))
    return folder
