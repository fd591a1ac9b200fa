"""A CTranslate2 Whisper of any shape, its weights random: it says the same words to every sound.

For tests of the engine's wiring (`tiny_whisper`) and for benchmarks where no real weights can be had: what a batch costs
depends on the shape of the weights and on how many tokens are said, not on what they mean. What it says is fixed by
position: each decoder position points, through the projection, at the next token of the text; or at several, among which
the sound chooses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import ctranslate2
import numpy as np
from numpy.typing import NDArray

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
#: Random numbers are drawn once; each weight is a stretch of them that begins elsewhere, so that no two are alike.
_POOL: Final = 1 << 24
_LETTERS: Final = "абвгдеклмнопрстуя"

#: So many of the decoder's last axes tell what is heard, where a model listens.
_HEARING_AXES: Final = 24
#: How loud sound is in the decoder beside the positions' 10, and in the choice: enough to choose a token, too little to skip one.
_HEARD: Final = 0.04
_CHOOSES: Final = 0.8

Weights: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How large a model is.

    Attributes:
        width: Of its hidden states (d_model); four times that within the feed-forward layers.
        heads: Of each attention.
        encoder_layers: So many.
        decoder_layers: So many.
        mels: Bins of the log-mel spectrogram.
        tokens: Of the vocabulary, at least; 0: as few as the text needs.
        half: Weights as float16 instead of float32.
    """

    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int
    tokens: int = 0
    half: bool = True


TINY: Final = Shape(width=64, heads=2, encoder_layers=1, decoder_layers=1, mels=80, half=False)
#: Of OpenAI's models, by the names of the catalogue.
SHAPES: Final = {
    "base": Shape(width=512, heads=8, encoder_layers=6, decoder_layers=6, mels=80, tokens=51_865),
    "small": Shape(width=768, heads=12, encoder_layers=12, decoder_layers=12, mels=80, tokens=51_865),
    "large-v3-turbo": Shape(width=1280, heads=20, encoder_layers=32, decoder_layers=4, mels=128, tokens=51_866),
    "large-v3": Shape(width=1280, heads=20, encoder_layers=32, decoder_layers=32, mels=128, tokens=51_866),
}


def made_up_words(count: int, seed: int = 0) -> tuple[str, ...]:
    """So many words that mean nothing and do not repeat, so that nothing takes their text for a loop."""
    random = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(random.choice(list(_LETTERS), size=random.integers(3, 9)))] = None
    return tuple(found)


def build(folder: Path, shape: Shape, words: Sequence[str], seed: int = 0, *, choices: int = 1) -> Path:
    """Write the model into the folder: a second for `base`, half a minute for `large-v3` (3 GB).

    Args:
        folder: Is made if it is not there.
        shape: Of the model.
        words: What it says, a token each; at most 440, or as many as the width has axes.
        seed: Of the weights that do not matter.
        choices: So many of the words stand for one that is said: which, the sound decides. 1: it hears nothing.

    Returns:
        The folder.
    """
    # The empty token first: without it CTranslate2 takes the model for English-only.
    text = [_byte_level(f" {word}") for word in words]
    said = ["", *dict.fromkeys(text)]
    fillers = [f"<|{number}|>" for number in range(shape.tokens - len(said) - len(_SPECIAL))]
    vocabulary = [*said, *fillers, *_SPECIAL]
    ids = {token: index for index, token in enumerate(vocabulary)}
    spec = ctranslate2.specs.WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    places = [[ids[token] for token in text[begin : begin + choices]] for begin in range(0, len(text), choices)]
    filler = _Filler(shape, seed)
    filler.fill(spec, [*places, [ids[_END]]], len(vocabulary))
    if choices > 1:
        filler.listen(spec, places)
    spec.register_vocabulary(vocabulary)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = [ids["<|ru|>"], ids["<|en|>"]]
    spec.config.alignment_heads = [[shape.decoder_layers - 1, head] for head in range(min(shape.heads, 6))]
    spec.validate()
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer(ids), ensure_ascii=False), encoding="utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": shape.mels}), encoding="utf-8")
    return folder


class _Filler:
    """Gives every weight of a specification its shape: noise where it does not matter."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._random = np.random.default_rng(seed)
        self._dtype = np.dtype(np.float16 if shape.half else np.float32)
        pool = self._random.standard_normal(_POOL if shape.half else _POOL >> 8, dtype=np.float32)
        self._pool = (pool * np.float32(1e-3)).astype(self._dtype)

    def fill(self, spec: Any, says: list[list[int]], tokens: int) -> None:
        """Fill encoder and decoder."""
        width = self._shape.width
        spec.encoder.conv1.weight = self._noise(width, self._shape.mels, 3)
        spec.encoder.conv1.bias = self._zeros(width)
        spec.encoder.conv2.weight = self._noise(width, width, 3)
        spec.encoder.conv2.bias = self._zeros(width)
        spec.encoder.position_encodings.encodings = self._noise(_SOURCE_POSITIONS, width)
        spec.decoder.embeddings.weight = self._noise(tokens, width)
        spec.decoder.position_encodings.encodings = _one_hot_positions(width).astype(self._dtype)
        spec.decoder.projection.weight = _pointers(says, tokens, width).astype(self._dtype)
        for part in (spec.encoder, spec.decoder):
            self._norm(part.layer_norm)
            for layer in part.layer:
                self._layer(layer)
        for layer in spec.decoder.layer:
            self._attention(layer.attention, rows=(1, 2, 1))

    def listen(self, spec: Any, says: list[list[int]]) -> None:
        """Let the sound choose among the tokens of each place: encoder and cross attention carry it into the last axes."""
        width = self._shape.width
        spec.encoder.conv1.weight = self._loud(width, self._shape.mels, 3) * self._dtype.type(0.1)
        spec.encoder.conv2.weight = self._loud(width, width, 3) * self._dtype.type(0.1)
        attention = spec.decoder.layer[-1].attention
        attention.linear[1].weight[width:] = 0.3 * self._loud(
            width, width
        )  # the values; keys stay noise: all is heard alike
        attention.linear[2].weight = self._zeros(width, width)
        attention.linear[2].weight[-_HEARING_AXES:] = _HEARD * self._loud(_HEARING_AXES, width)
        for tokens in says:
            spec.decoder.projection.weight[tokens, -_HEARING_AXES:] = _CHOOSES * self._loud(len(tokens), _HEARING_AXES)

    def _loud(self, *shape: int) -> Weights:
        return self._random.standard_normal(shape).astype(self._dtype)

    def _layer(self, layer: Any) -> None:
        self._attention(layer.self_attention, rows=(3, 1))
        self._norm(layer.ffn.layer_norm)
        self._linear(layer.ffn.linear_0, 4 * self._shape.width, self._shape.width)
        self._linear(layer.ffn.linear_1, self._shape.width, 4 * self._shape.width)

    def _attention(self, attention: Any, rows: tuple[int, ...]) -> None:
        self._norm(attention.layer_norm)
        for linear, times in zip(attention.linear, rows, strict=True):
            self._linear(linear, times * self._shape.width, self._shape.width)

    def _linear(self, linear: Any, rows: int, columns: int) -> None:
        linear.weight = self._noise(rows, columns)
        linear.bias = self._zeros(rows)

    def _norm(self, norm: Any) -> None:
        norm.gamma = np.ones(self._shape.width, dtype=self._dtype)
        norm.beta = self._zeros(self._shape.width)

    def _zeros(self, *shape: int) -> Weights:
        return np.zeros(shape, dtype=self._dtype)

    def _noise(self, *shape: int) -> Weights:
        size = int(np.prod(shape))
        begin = int(self._random.integers(max(1, self._pool.size - size)))
        return np.resize(self._pool[begin : begin + size], size).reshape(shape)


def _one_hot_positions(width: int) -> NDArray[np.float32]:
    """Each position an axis of its own; those beyond the last axis share it."""
    axis = np.minimum(np.arange(_TARGET_POSITIONS), width - 1)
    return 10 * np.eye(width, dtype=np.float32)[axis]


def _pointers(says: list[list[int]], tokens: int, width: int) -> NDArray[np.float32]:
    """From a position's axis to the tokens that may be said there; after the text always its end."""
    projection = np.zeros((tokens, width), dtype=np.float32)
    for axis in range(width):
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
