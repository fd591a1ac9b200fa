"""A CTranslate2 Whisper of a megabyte, made of NumPy in a tenth of a second: it says the same words to every sound.

For tests of the engine's wiring: it loads, encodes, searches, aligns and decodes like a real one, and hears nothing.
What it says is fixed by position: each decoder position points, through the projection, at the next token of the text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import ctranslate2
import numpy as np
from numpy.typing import NDArray

WORDS: Final = ("Раз", "два", "три")

_D_MODEL: Final = 64
_HEADS: Final = 2
_MELS: Final = 80
_SOURCE_POSITIONS: Final = 1500
_TARGET_POSITIONS: Final = 448
_PROMPT_TOKENS: Final = 4
_END: Final = "<|endoftext|>"
_SPECIAL: Final = (
    _END,
    "<|startoftranscript|>",
    "<|ru|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
    "<|0.00|>",
    "<|0.02|>",
)

Weights = NDArray[np.float32]


def build(folder: Path, words: tuple[str, ...] = WORDS, seed: int = 0) -> Path:
    """Write the model into the folder.

    Args:
        folder: Is made if it is not there.
        words: What it says, in a few words.
        seed: Of the weights that do not matter.

    Returns:
        The folder.
    """
    # The empty token first: without it CTranslate2 takes the model for English-only.
    text = [_byte_level(f" {word}") for word in words]
    vocabulary = ["", *dict.fromkeys(text), *_SPECIAL]
    ids = {token: index for index, token in enumerate(vocabulary)}
    spec = ctranslate2.specs.WhisperSpec(1, _HEADS, 1, _HEADS)
    _Filler(np.random.default_rng(seed)).fill(spec, [ids[token] for token in [*text, _END]], len(vocabulary))
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [ids["<|ru|>"], ids["<|en|>"]]
    spec.config.alignment_heads = [[0, 0], [0, 1]]
    spec.validate()
    spec.optimize()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer(ids), ensure_ascii=False), encoding="utf-8")
    return folder


class _Filler:
    """Gives every weight of a specification its shape: noise where it does not matter."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random

    def fill(self, spec: Any, says: list[int], tokens: int) -> None:
        """Fill encoder and decoder."""
        spec.encoder.conv1.weight = self._noise(_D_MODEL, _MELS, 3)
        spec.encoder.conv1.bias = np.zeros(_D_MODEL, dtype=np.float32)
        spec.encoder.conv2.weight = self._noise(_D_MODEL, _D_MODEL, 3)
        spec.encoder.conv2.bias = np.zeros(_D_MODEL, dtype=np.float32)
        spec.encoder.position_encodings.encodings = self._noise(_SOURCE_POSITIONS, _D_MODEL)
        spec.decoder.embeddings.weight = self._noise(tokens, _D_MODEL)
        spec.decoder.position_encodings.encodings = _one_hot_positions()
        spec.decoder.projection.weight = _pointers(says, tokens)
        for part in (spec.encoder, spec.decoder):
            self._norm(part.layer_norm)
            self._layer(part.layer[0])
        self._attention(spec.decoder.layer[0].attention, rows=(1, 2, 1))

    def _layer(self, layer: Any) -> None:
        self._attention(layer.self_attention, rows=(3, 1))
        self._norm(layer.ffn.layer_norm)
        self._linear(layer.ffn.linear_0, 4 * _D_MODEL, _D_MODEL)
        self._linear(layer.ffn.linear_1, _D_MODEL, 4 * _D_MODEL)

    def _attention(self, attention: Any, rows: tuple[int, ...]) -> None:
        self._norm(attention.layer_norm)
        for linear, times in zip(attention.linear, rows, strict=True):
            self._linear(linear, times * _D_MODEL, _D_MODEL)

    def _linear(self, linear: Any, rows: int, columns: int) -> None:
        linear.weight = self._noise(rows, columns)
        linear.bias = np.zeros(rows, dtype=np.float32)

    @staticmethod
    def _norm(norm: Any) -> None:
        norm.gamma = np.ones(_D_MODEL, dtype=np.float32)
        norm.beta = np.zeros(_D_MODEL, dtype=np.float32)

    def _noise(self, *shape: int) -> Weights:
        return self._random.normal(0, 1e-3, shape).astype(np.float32)


def _one_hot_positions() -> Weights:
    """Each position an axis of its own; those beyond the last axis share it."""
    axis = np.minimum(np.arange(_TARGET_POSITIONS), _D_MODEL - 1)
    return 10 * np.eye(_D_MODEL, dtype=np.float32)[axis]


def _pointers(says: list[int], tokens: int) -> Weights:
    """From a position's axis to the token said there; after the text always its end."""
    projection = np.zeros((tokens, _D_MODEL), dtype=np.float32)
    for axis in range(_D_MODEL):
        position = max(0, axis - (_PROMPT_TOKENS - 1))
        projection[says[min(position, len(says) - 1)], axis] = 2.0
    return projection


def _tokenizer(ids: dict[str, int]) -> dict[str, Any]:
    """A tokenizer.json that knows whole words, spelt in byte-level letters like Whisper's."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": ids[token], "content": token, "special": True}
            | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
            for token in _SPECIAL
        ],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {"type": "WordLevel", "vocab": ids, "unk_token": ""},
    }


def _byte_level(text: str) -> str:
    """GPT-2's spelling of bytes: printable Latin-1 stands for itself, the others follow from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + n) for n, byte in enumerate(others)}
    return "".join(letters[byte] for byte in text.encode())
