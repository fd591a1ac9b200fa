"""Said and heard, laid word by word. Pure; the edit distance is jiwer's. Called by `measures`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest

import jiwer

from razgovor.scoring import Score, normalise


class Kind(StrEnum):
    """What became of a word."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSED = "missed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Step:
    """One word of the comparison.

    Attributes:
        kind: What became of it.
        said: The word of the reference; empty where one was added.
        heard: The word of the transcript; empty where one was missed.
    """

    kind: Kind
    said: str
    heard: str


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Errors by kind; they add up."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    added: int = 0

    @property
    def words(self) -> int:
        """Of the reference."""
        return self.right + self.wrong + self.missed

    @property
    def errors(self) -> int:
        """All kinds together."""
        return self.wrong + self.missed + self.added

    @property
    def rate(self) -> float:
        """Word error rate; 0 without reference words."""
        return self.errors / self.words if self.words else 0.0

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.right + other.right, self.wrong + other.wrong, self.missed + other.missed, self.added + other.added
        )


@dataclass(frozen=True, slots=True)
class Alignment:
    """A text against its reference.

    Attributes:
        steps: In order.
        characters: Errors and length by character, spaces included.
    """

    steps: tuple[Step, ...]
    characters: Score

    @property
    def errors(self) -> WordErrors:
        """By kind."""
        kinds = [step.kind for step in self.steps]
        return WordErrors(*(kinds.count(kind) for kind in (Kind.RIGHT, Kind.WRONG, Kind.MISSED, Kind.ADDED)))


def align(said: str, heard: str, language: str = "ru") -> Alignment:
    """Lay what was heard on what was said, both brought to bare words by `scoring.normalise`."""
    wanted, got = normalise(said, language), normalise(heard, language)
    if not wanted or not got:
        steps = (
            *(Step(Kind.MISSED, word, "") for word in wanted.split()),
            *(Step(Kind.ADDED, "", word) for word in got.split()),
        )
        return Alignment(steps, Score(len(wanted or got), len(wanted)))
    characters = jiwer.process_characters(wanted, got)
    return Alignment(
        tuple(_steps(jiwer.process_words(wanted, got))),
        Score(
            characters.substitutions + characters.deletions + characters.insertions,
            characters.hits + characters.substitutions + characters.deletions,
        ),
    )


def _steps(measured: jiwer.WordOutput) -> Iterator[Step]:
    [said], [heard], [chunks] = measured.references, measured.hypotheses, measured.alignments
    kinds = {"equal": Kind.RIGHT, "substitute": Kind.WRONG, "delete": Kind.MISSED, "insert": Kind.ADDED}
    for chunk in chunks:
        pairs = zip_longest(
            said[chunk.ref_start_idx : chunk.ref_end_idx], heard[chunk.hyp_start_idx : chunk.hyp_end_idx], fillvalue=""
        )
        yield from (Step(kinds[chunk.type], before, after) for before, after in pairs)
