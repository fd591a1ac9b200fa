"""Loops: text that engines repeat without end. Called by `filters`, and by whoever hears, to tell a failed attempt."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

#: Text that compresses better than this is a loop.
MAX_COMPRESSION_RATIO: Final = 2.4

#: Of shorter text the ratio says nothing: people dictate «девятьсот, девятьсот, девять, девять».
MIN_LOOP_BYTES: Final = 200

#: So often in a row nobody says a word, nor a phrase of two words and more. (People do say "алло" five times.)
MIN_WORD_REPEATS: Final = 8
MIN_PHRASE_REPEATS: Final = 4
#: A letter: a hum is heard as «и и и и и и и», by a model that is rather sure of it. Digits are dictated, so they are words.
MIN_LETTER_REPEATS: Final = 5
_MAX_PHRASE_WORDS: Final = 12


def compression_ratio(text: str) -> float:
    """How much smaller the text gets: about 1 for short speech, far above 2 for loops; 0 for no text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def is_loop(text: str) -> bool:
    """Whether a text, as a whole, compresses as no speech does."""
    return len(text.encode()) >= MIN_LOOP_BYTES and compression_ratio(text) > MAX_COMPRESSION_RATIO


def loop_flags(words: Sequence[str]) -> list[bool]:
    """Per word, whether it belongs to a loop: the same words again and again, in a row.

    Args:
        words: Bare: lower case, no marks. An empty one belongs to what stands before it.
    """
    flags = [False] * len(words)
    said = [index for index, word in enumerate(words) if word]
    for size in range(1, min(_MAX_PHRASE_WORDS, len(said) // 2) + 1):
        same = 0
        for position in range(size, len(said)):
            same = same + 1 if words[said[position]] == words[said[position - size]] else 0
            if same >= size * (_repeats(words[said[position]], size) - 1):
                for index in range(said[position - same - size + 1], said[position] + 1):
                    flags[index] = True
    return flags


def _repeats(word: str, size: int) -> int:
    """How often a phrase of so many words, this one its last, is no speech any more."""
    if size > 1:
        return MIN_PHRASE_REPEATS
    return MIN_LETTER_REPEATS if len(word) == 1 and word.isalpha() else MIN_WORD_REPEATS
