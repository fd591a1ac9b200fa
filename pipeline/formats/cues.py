"""A dialogue as subtitles: turns cut into pieces that can be read while they are spoken. Called by WebVTT and SRT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.contracts.transcript import Transcript, Turn
from pipeline.formats.plain import one_line
from pipeline.formats.speakers import dialogue, labels
from pipeline.formats.timecodes import milliseconds
from pipeline.formats.wording import Wording

#: Two lines of 42 characters with room for the speaker, and 7 s: what subtitlers take as readable.
MAX_CUE_CHARACTERS: Final = 70
MAX_CUE_MS: Final = 7_000
#: From so many characters on a cue ends where a sentence or a clause ends.
_SENTENCE_CHARACTERS: Final = 35
_CLAUSE_CHARACTERS: Final = 50
_SENTENCE_ENDS: Final = (".", "!", "?", "…")
_CLAUSE_ENDS: Final = (",", ";", ":")
#: A cue must last; where a turn does not, it is shown so long.
_MIN_CUE_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle: from `start_ms` to a later `end_ms`, one line of text; speaker None: nobody can tell."""

    start_ms: int
    end_ms: int
    speaker: str | None
    text: str


@dataclass(slots=True)
class _Piece:
    """Words of a turn that are shown together."""

    start_ms: int
    end_ms: int
    text: str

    def takes(self, token: str, end_ms: int) -> bool:
        """Whether another word still fits, by length, time and sense."""
        length = len(self.text)
        finished = (length >= _SENTENCE_CHARACTERS and self.text.endswith(_SENTENCE_ENDS)) or (
            length >= _CLAUSE_CHARACTERS and self.text.endswith(_CLAUSE_ENDS)
        )
        fits = length + 1 + len(token) <= MAX_CUE_CHARACTERS and end_ms - self.start_ms <= MAX_CUE_MS
        return fits and not finished


def cues(transcript: Transcript, words: Wording) -> list[Cue]:
    """All cues by start. Together they say every word of the dialogue; turns without text have none."""
    by_channel = labels(transcript, words)
    made = [
        Cue(piece.start_ms, _later(piece), by_channel.get(turn.channel), piece.text)
        for turn in dialogue(transcript)
        for piece in _pieces(turn)
    ]
    return sorted(made, key=lambda cue: cue.start_ms)


def _later(piece: _Piece) -> int:
    return piece.end_ms if piece.end_ms > piece.start_ms else piece.start_ms + _MIN_CUE_MS


def _pieces(turn: Turn) -> Iterator[_Piece]:
    text = one_line(turn.text)
    if not text:
        return
    start_ms, end_ms = milliseconds(turn.start_s), milliseconds(turn.end_s)
    tokens = text.split(" ")
    if tokens != [
        one_line(word.text) for word in turn.words
    ]:  # the text was not made of these words: their times say nothing
        yield _Piece(start_ms, end_ms, text)
        return
    piece: _Piece | None = None
    for token, word in zip(tokens, turn.words, strict=True):
        # A word outside its turn or before the last one would put the text out of order.
        begin_ms = max(milliseconds(word.start_s), start_ms if piece is None else piece.start_ms)
        stop_ms = max(milliseconds(word.end_s), begin_ms)
        if piece is not None and piece.takes(token, stop_ms):
            piece.text = f"{piece.text} {token}"
            piece.end_ms = max(piece.end_ms, stop_ms)
            continue
        if piece is not None:
            yield piece
        piece = _Piece(begin_ms, stop_ms, token)
    if piece is not None:
        yield piece
