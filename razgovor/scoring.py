"""How right a transcript is: word error rate after normalising. Used by the demo, by `evaluation` and by what measures.

Lower case, ё as е, punctuation dropped, digits written out as words: cardinal numbers in the nominative, as neither a
reference nor a transcript says which case was meant. Both texts are treated alike, so whether an engine writes 12 or
двенадцать is no error; двенадцатого against 12 is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import jiwer
from num2words import num2words

_NUMBER: Final = re.compile(r"\d+")
_NO_WORD: Final = re.compile(r"[^\w]|_")
#: Longer runs of digits are read digit by digit, as people do; so are those that begin with a zero.
_MAX_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Score:
    """Word errors against reference words; scores add up."""

    errors: int
    words: int

    @property
    def wer(self) -> float:
        """Word error rate, 0 without reference words."""
        return self.errors / self.words if self.words else 0.0

    def __add__(self, other: Score) -> Score:
        return Score(self.errors + other.errors, self.words + other.words)


def normalise(text: str, language: str = "ru") -> str:
    """Words, single spaces between them, nothing else."""
    spelt = _NUMBER.sub(lambda match: f" {_spelt(match.group(), language)} ", text)
    return " ".join(_NO_WORD.sub(" ", spelt.lower().replace("ё", "е")).split())


def _spelt(digits: str, language: str) -> str:
    if len(digits) > _MAX_DIGITS or (digits.startswith("0") and len(digits) > 1):
        return " ".join(num2words(int(digit), lang=language) for digit in digits)
    return str(num2words(int(digits), lang=language))


def score(reference: str, hypothesis: str, language: str = "ru") -> Score:
    """Word errors of a text; of an empty reference, every word is one."""
    wanted, got = normalise(reference, language), normalise(hypothesis, language)
    if not wanted:
        return Score(len(got.split()), 0)
    measured = jiwer.process_words(wanted, got)
    return Score(
        measured.substitutions + measured.deletions + measured.insertions,
        measured.hits + measured.substitutions + measured.deletions,
    )


def wer(pairs: Iterable[tuple[str, str]], language: str = "ru") -> float:
    """Word error rate over (reference, hypothesis) pairs, weighed by their words."""
    return sum((score(reference, hypothesis, language) for reference, hypothesis in pairs), Score(0, 0)).wer
