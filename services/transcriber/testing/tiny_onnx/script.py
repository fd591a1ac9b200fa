"""What a tiny model says and when, and the vocabulary that it says it in."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Enough of them that what fills a window does not pass for a loop; no letter twice in a row.
WORDS: Final = (
    "раз",
    "два",
    "три",
    "четыре",
    "пять",
    "шесть",
    "семь",
    "восемь",
    "девять",
    "десять",
    "здравствуйте",
    "договор",
    "оплата",
    "счет",
    "номер",
    "адрес",
    "заказ",
    "доставка",
    "завтра",
    "утром",
    "вечером",
    "спасибо",
    "хорошо",
    "понятно",
    "минуту",
    "перезвоните",
    "менеджер",
    "сейчас",
    "проверю",
    "секунду",
    "пожалуйста",
    "перевод",
    "деньги",
    "карта",
    "город",
    "улица",
    "дом",
    "квартира",
    "телефон",
    "ремонт",
    "мастер",
    "приедет",
)
#: A word begins every so often: a whole number of frames of every kind.
WORD_S: Final = 0.72
#: No passage is longer.
_LONGEST_S: Final = 40.0
#: How sure the models are; the others of their vocabulary share the rest.
_SURE: Final = 8.0

LETTERS: Final = tuple(chr(ord("а") + index) for index in range(32))
SPACE: Final = "▁"
BLANK: Final = "<blk>"
UNKNOWN: Final = "<unk>"

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Script:
    """The words, said again and again, or what follows from the sound where it `listens`."""

    words: tuple[str, ...]
    listens: bool = False

    def letters(self) -> tuple[str, ...]:
        """A vocabulary of letters, the blank last, as GigaAM has it."""
        return (SPACE, *LETTERS, BLANK)

    def pieces(self) -> tuple[str, ...]:
        """A vocabulary of whole words and marks, the blank last."""
        return (UNKNOWN, *(f"{SPACE}{word}" for word in dict.fromkeys(self.words)), ",", BLANK)

    def logits(self, vocabulary: tuple[str, ...], frame_s: float, late_frames: int = 0) -> Weights:
        """Per frame and token, shape (frames, tokens): the script's token stands out, else the blank.

        Args:
            vocabulary: Letters, or pieces that begin words with `SPACE`.
            frame_s: How long a frame lasts; divides `WORD_S`.
            late_frames: How much later than the sound the model tells it.
        """
        blank = vocabulary.index(BLANK)
        said = np.full(round(_LONGEST_S / frame_s), blank)
        for number, start in enumerate(range(late_frames, len(said), round(WORD_S / frame_s))):
            word = self.words[number % len(self.words)]
            whole = (f"{SPACE}{word}", ",") if f"{SPACE}{word}" in vocabulary else (*word, SPACE)
            tokens = [vocabulary.index(token) for token in whole if token in vocabulary][: len(said) - start]
            said[start : start + len(tokens)] = tokens
        logits = np.zeros((len(said), len(vocabulary)), dtype=np.float32)
        if not self.listens:
            logits[:, blank] = _SURE / 2  # what is left when a transducer may not say the script's token again
            logits[np.arange(len(said)), said] = _SURE
        return logits

    def ear(self, *shape: int) -> Weights:
        """Weights over the sound: noise where it listens, else nothing."""
        noise = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
        return noise if self.listens else np.zeros(shape, dtype=np.float32)


def write_vocabulary(path: Path, vocabulary: tuple[str, ...]) -> None:
    """As onnx-asr reads it: a token and its number a line."""
    path.write_text("".join(f"{token} {number}\n" for number, token in enumerate(vocabulary)), encoding="utf-8")


def write_config(folder: Path, **config: object) -> None:
    """What onnx-asr must know of a model."""
    (folder / "config.json").write_text(json.dumps(config, ensure_ascii=False), encoding="utf-8")
