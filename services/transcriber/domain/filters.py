"""What engines invent: the credits of the films they learned from, and loops. Called by `domain.result`.

Nothing is thrown away: what is kept out of the dialogue is listed with its reason.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from services.transcriber.domain.words import Utterance

CREDITS: Final = "credits"
REPETITION: Final = "repetition"
NO_SPEECH: Final = "no_speech"
CROSSTALK: Final = "crosstalk"

#: Text that compresses better than this is a loop.
MAX_COMPRESSION_RATIO: Final = 2.4

# Nobody says these on the telephone: they go wherever they stand. Matched on lower-case words joined by single spaces.
_CREDITS_ANYWHERE: Final = re.compile(
    r"\b(?:"
    r"редактор субтитров(?: \w{1,2})?(?: \w+)?(?: корректор(?: \w{1,2})?(?: \w+)?)?"
    r"|корректор \w \w+"
    r"|субтитры (?:сделал|сделала|сделали|создал|создавал|создала|создали|делал|подготовил|подогнал|добавил)(?: \w+)?"
    r"|субтитры (?:и перевод|предоставлены|подготовлены) \w+"
    r"|dimatorzok"
    r"|смотрите продолжение в (?:следующей|новой) серии"
    r"|продолжение в следующей (?:части|серии)"
    r"|подписывайтесь на (?:наш |мой )?канал"
    r"|ставьте лайки?"
    r"|subtitles by(?: the)? \w+(?: \w+)?"
    r")\b"
)
# People may say these inside a sentence: they go only where they stand alone between two pauses.
_CREDITS_ALONE: Final = re.compile(
    r"(?:(?:продолжение следует|спасибо за просмотр|спасибо за субтитры \w+|до новых встреч"
    r"|всем пока|thank you for watching|thanks for watching) ?)+"
)
_NOT_A_WORD: Final = re.compile(r"[^\w]+")


@dataclass(frozen=True, slots=True)
class Kept:
    """An utterance kept out of the dialogue, and why."""

    utterance: Utterance
    reason: str


def compression_ratio(text: str) -> float:
    """How much smaller the text gets: about 1 for short speech, far above 2 for loops; 0 for no text."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def sieve(said: Iterable[Utterance]) -> tuple[list[Utterance], list[Kept]]:
    """What goes into the dialogue, and what is kept out of it."""
    passed: list[Utterance] = []
    kept_out: list[Kept] = []
    for utterance in said:
        for part, reason in _judged(utterance):
            if reason is None:
                passed.append(part)
            else:
                kept_out.append(Kept(part, reason))
    return passed, kept_out


def _judged(utterance: Utterance) -> Iterator[tuple[Utterance, str | None]]:
    if compression_ratio(utterance.text) > MAX_COMPRESSION_RATIO:
        yield utterance, REPETITION
        return
    flags = _credit_flags([_NOT_A_WORD.sub(" ", word.text.lower()).strip() for word in utterance.words])
    for reason, wanted in ((None, False), (CREDITS, True)):
        words = tuple(word for word, flag in zip(utterance.words, flags, strict=True) if flag is wanted)
        if words:
            yield replace(utterance, words=words), reason


def _credit_flags(words: list[str]) -> list[bool]:
    """Per word, whether it belongs to credits."""
    line = " ".join(word for word in words if word)
    if _CREDITS_ALONE.fullmatch(line):
        return [True] * len(words)
    matches = [match.span() for match in _CREDITS_ANYWHERE.finditer(line)]
    flags: list[bool] = []
    position = 0
    for word in words:
        flags.append(bool(word) and any(begin <= position < end for begin, end in matches))
        position += len(word) + 1 if word else 0
    return flags
