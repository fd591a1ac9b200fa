"""Tokens with the seconds at which they were heard become words. For recognizers that tell tokens, not words.

A token is a letter, a piece of a word or a punctuation mark; a space in front of it, or a token that is a space, begins a
word. Nobody says when a token ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.transcriber.domain.windows import HeardWord

#: A letter takes about so long: the last token of a word that a pause follows ends after its letters.
LETTER_S: Final = 0.08


@dataclass(frozen=True, slots=True)
class Token:
    """A token, the second at which it was heard, and its log-probability."""

    text: str
    start_s: float
    logprob: float

    @property
    def is_space(self) -> bool:
        """Whether it only parts words."""
        return not self.text.strip()

    @property
    def is_mark(self) -> bool:
        """Whether it names what is no text: `<unk>`."""
        return self.text.strip().startswith("<") and self.text.endswith(">")


def words_of(tokens: Sequence[Token], *, late_s: float = 0.0, duration_s: float) -> tuple[HeardWord, ...]:
    """The words of a passage, in order, each within it; a word's probability is the mean of its tokens'.

    Args:
        tokens: In their order; their seconds never descend.
        late_s: How much later than the sound the model tells tokens.
        duration_s: The passage's length.
    """

    def within(second: float) -> float:
        return min(max(second - late_s, 0.0), duration_s)

    return tuple(
        HeardWord(
            text=" " + "".join(token.text.strip() for token, _ in word),
            start_s=within(word[0][0].start_s),
            end_s=within(max(end_s for _, end_s in word)),
            probability=math.exp(mean_logprob([token for token, _ in word])),
        )
        for word in _words(tokens)
    )


def mean_logprob(tokens: Sequence[Token]) -> float:
    """Of the tokens that are text; 0 where there are none."""
    said = [token.logprob for token in tokens if not token.is_space and not token.is_mark]
    return min(sum(said) / len(said), 0.0) if said else 0.0


def _words(tokens: Sequence[Token]) -> list[list[tuple[Token, float]]]:
    """Tokens by word, each with the second at which it ends. What has no letter, such as a comma, joins the word before."""
    words: list[list[tuple[Token, float]]] = []
    for part in _parted(tokens):
        if words and not any(letter.isalnum() for token, _ in part for letter in token.text):
            words[-1].extend(part)
        else:
            words.append(part)
    return words


def _parted(tokens: Sequence[Token]) -> list[list[tuple[Token, float]]]:
    parts: list[list[tuple[Token, float]]] = []
    after_space = True
    nexts_s = [*(token.start_s for token in tokens[1:]), math.inf]
    for token, next_s in zip(tokens, nexts_s, strict=False):
        if token.is_space:
            after_space = True
        elif not token.is_mark:
            if after_space or token.text[0].isspace():
                parts.append([])
            said_s = token.start_s + LETTER_S * len(token.text.strip())
            parts[-1].append((token, max(min(said_s, next_s), token.start_s)))
            after_space = False
    return parts
