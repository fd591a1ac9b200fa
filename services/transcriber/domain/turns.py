"""Utterances become a dialogue: turns in order of time. Called by `domain.result`.

A turn goes on over a short pause as long as the other side stays silent; it ends at a long pause or when another channel
begins. Where the channels do not tell the speakers apart, every pause may be a change of speaker and ends the turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pipeline.contracts.transcript import Turn, Word
from services.transcriber.domain.words import SpokenWord, Utterance

#: One person's pause longer than this begins a new turn.
MAX_PAUSE_S: Final = 1.0


def dialogue(
    said: Iterable[Utterance], roles: Mapping[int, str | None], *, one_speaker_a_channel: bool
) -> tuple[Turn, ...]:
    """Turns by start; each holds consecutive utterances of one channel."""
    turns: list[list[Utterance]] = []
    for utterance in sorted(said, key=lambda spoken: (spoken.start_s, spoken.channel)):
        if turns and one_speaker_a_channel and _goes_on(turns[-1][-1], utterance):
            turns[-1].append(utterance)
        else:
            turns.append([utterance])
    return tuple(_turn(parts, roles.get(parts[0].channel)) for parts in turns)


def _goes_on(last: Utterance, following: Utterance) -> bool:
    return last.channel == following.channel and following.start_s - last.end_s <= MAX_PAUSE_S


def _turn(parts: list[Utterance], role: str | None) -> Turn:
    words = tuple(_word(word) for part in parts for word in part.words)
    return Turn(
        channel=parts[0].channel,
        role=role,
        start_s=words[0].start_s,
        end_s=words[-1].end_s,
        text=" ".join(word.text for word in words),
        confidence=round(sum(word.confidence for word in words) / len(words), 3),
        words=words,
    )


def _word(word: SpokenWord) -> Word:
    return Word(text=word.text, start_s=word.start_s, end_s=word.end_s, confidence=round(word.probability, 3))
