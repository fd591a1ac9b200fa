"""What engines invent, kept out of the dialogue with its reason. Called by `domain.result`.

Nothing is thrown away: what is kept out is listed in the transcript's `suppressed`. Which rules these were is told by
`VERSION`, in every transcript's provenance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from services.transcriber.domain.film_credits import bare, credit_flags, is_sound_caption
from services.transcriber.domain.repetition import MAX_COMPRESSION_RATIO, compression_ratio, is_loop, loop_flags
from services.transcriber.domain.words import SpokenWord, Utterance

#: Of all rules that keep text out; raised with every change of them.
VERSION: Final = "3"

CREDITS: Final = "credits"
SOUND_CAPTION: Final = "sound_caption"
REPETITION: Final = "repetition"
PROMPT: Final = "prompt"
NO_SPEECH: Final = "no_speech"
CROSSTALK: Final = "crosstalk"

#: An utterance of which so large a part reads on in the prompt, over more than one of its terms, is the prompt.
_PROMPT_SHARE: Final = 0.8
_PROMPT_TERMS: Final = 3

__all__ = ["MAX_COMPRESSION_RATIO", "compression_ratio"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An utterance kept out of the dialogue, and why."""

    utterance: Utterance
    reason: str


def sieve(said: Iterable[Utterance], prompt: tuple[str, ...] = ()) -> tuple[list[Utterance], list[Kept]]:
    """What goes into the dialogue, and what is kept out of it.

    Args:
        said: What was heard.
        prompt: The terms that the engine was told beforehand, in their order.
    """
    told = _Prompt.of(prompt)
    passed: list[Utterance] = []
    kept_out: list[Kept] = []
    for utterance in said:
        for part, reason in _judged(utterance, told):
            if reason is None:
                passed.append(part)
            else:
                kept_out.append(Kept(part, reason))
    return passed, kept_out


def _judged(utterance: Utterance, prompt: _Prompt) -> Iterator[tuple[Utterance, str | None]]:
    words = [word.text for word in utterance.words]
    bares = [bare(word) for word in words]
    probability = sum(word.probability for word in utterance.words) / len(words)
    if is_sound_caption(words, probability):
        yield utterance, SOUND_CAPTION
    elif prompt.is_read_from(bares):
        yield utterance, PROMPT
    elif is_loop(utterance.text):
        yield utterance, REPETITION
    else:
        yield from _parted(utterance, credit_flags(words, probability), loop_flags(bares))


def _parted(
    utterance: Utterance, in_credits: list[bool], in_loop: list[bool]
) -> Iterator[tuple[Utterance, str | None]]:
    """The utterance, cut where credits or a loop begin and end."""

    def reason(item: tuple[SpokenWord, bool, bool]) -> str | None:
        _, is_credit, is_loop = item
        return CREDITS if is_credit else REPETITION if is_loop else None

    for why, group in groupby(zip(utterance.words, in_credits, in_loop, strict=True), key=reason):
        yield replace(utterance, words=tuple(word for word, _, _ in group)), why


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt's words in a line, and which term each belongs to."""

    words: tuple[str, ...]
    terms: tuple[int, ...]

    @classmethod
    def of(cls, terms: tuple[str, ...]) -> _Prompt:
        pairs = [(word, index) for index, term in enumerate(terms) for word in bare(term).split()]
        return cls(tuple(word for word, _ in pairs), tuple(index for _, index in pairs))

    def is_read_from(self, bares: list[str]) -> bool:
        """Whether the words are, but for a few, a stretch of the prompt that runs over several of its terms."""
        said = " ".join(word for word in bares if word).split()
        begin, length = self._longest_common_run(said)
        terms = len(set(self.terms[begin : begin + length]))
        return terms >= _PROMPT_TERMS and length >= _PROMPT_SHARE * len(said)

    def _longest_common_run(self, said: list[str]) -> tuple[int, int]:
        """Where in the prompt, and how many words."""
        best = (0, 0)
        lengths = [0] * (len(self.words) + 1)
        for word in said:
            following = [0] * (len(self.words) + 1)
            for index, told in enumerate(self.words):
                if told == word:
                    following[index + 1] = lengths[index] + 1
                    best = max(best, (index + 1 - following[index + 1], following[index + 1]), key=lambda run: run[1])
            lengths = following
        return best
