"""A transcript against its reference: errors by channel, words where nobody spoke, starts of turns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from math import ceil
from typing import Final

from pipeline.contracts.transcript import Transcript, Turn
from razgovor.evaluation.alignment import Alignment, WordErrors, align
from razgovor.evaluation.references import Reference, SaidTurn
from razgovor.scoring import Score

#: A word so far from anybody's turn was invented, not merely heard early or late.
GRACE_S: Final = 0.5
#: A turn of which nothing was heard counts as found this late.
MISSED_TURN_S: Final = 10.0
PERCENTILE: Final = 95
#: Recordings whose channels hold one mix: sides cannot be told, so they are not compared.
_MIXED: Final = frozenset({"mono", "dual_mono"})
#: With these nobody can tell where a turn ends, or whose it is.
_UNSIDED: Final = frozenset({"mono", "dual_mono", "silent_channel"})


@dataclass(frozen=True, slots=True)
class ChannelResult:
    """One side of a call; channel None: all sides together."""

    channel: int | None
    role: str | None
    alignment: Alignment


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """One recording as one engine heard it.

    Attributes:
        recording: Its name.
        failed: The reason why there is no transcript; None: there is one.
        channels: Each side; empty where it failed.
        silence_words: Words where nobody speaks.
        silence_s: How long nobody speaks, over all channels; None: the reference does not say when somebody does.
        start_errors_s: Distance of each true turn's start from the nearest start heard on its channel.
        channel_mode: As the transcript says.
        warnings: Of the transcript, by code.
        suppressed: Stretches kept out of the dialogue.
    """

    recording: str
    failed: str | None = None
    channels: tuple[ChannelResult, ...] = ()
    silence_words: int = 0
    silence_s: float | None = None
    start_errors_s: tuple[float, ...] = ()
    channel_mode: str = ""
    warnings: tuple[str, ...] = ()
    suppressed: int = 0
    duration_s: float = 0.0

    @property
    def errors(self) -> WordErrors:
        """Over all channels."""
        return sum((one.alignment.errors for one in self.channels), WordErrors())

    @property
    def characters(self) -> Score:
        """Over all channels."""
        return sum((one.alignment.characters for one in self.channels), Score(0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineResult:
    """All recordings as one engine heard them."""

    name: str
    engine: str = ""
    calls: tuple[CallResult, ...] = field(default=())

    @property
    def heard(self) -> tuple[CallResult, ...]:
        """Those with a transcript."""
        return tuple(call for call in self.calls if call.failed is None)

    @property
    def errors(self) -> WordErrors:
        """Over all calls, weighed by their words."""
        return sum((call.errors for call in self.calls), WordErrors())

    @property
    def characters(self) -> Score:
        """Over all calls."""
        return sum((call.characters for call in self.calls), Score(0, 0))

    @property
    def silence_words(self) -> int:
        """Words where nobody speaks."""
        return sum(call.silence_words for call in self.calls)

    @property
    def silence_s(self) -> float:
        """How long nobody is known to speak."""
        return sum(call.silence_s or 0.0 for call in self.calls)

    @property
    def start_errors_s(self) -> tuple[float, ...]:
        """Of all turns."""
        return tuple(chain.from_iterable(call.start_errors_s for call in self.calls))

    @property
    def start_error_s(self) -> float | None:
        """Their 95th percentile; None without turns."""
        return percentile(self.start_errors_s)


def failed(recording: str, reason: str, reference: Reference, language: str = "ru") -> CallResult:
    """A recording that gave no transcript: every word of it is missed."""
    text = " ".join(turn.text for turn in reference.in_order)
    return CallResult(
        recording=recording, failed=reason, channels=(ChannelResult(None, None, align(text, "", language)),)
    )


def judge(recording: str, transcript: Transcript, reference: Reference) -> CallResult:
    """Count what went wrong in a transcript."""
    sided = reference.sided and transcript.channel_mode not in _MIXED
    warnings = tuple(warning.code for warning in transcript.warnings)
    turn_starts_known = sided and reference.timed and not _UNSIDED & set(warnings)
    return CallResult(
        recording=recording,
        channels=tuple(_channels(transcript, reference, sided=sided)),
        silence_words=sum(_in_silence(transcript, reference, sided=sided)) if reference.timed else 0,
        silence_s=_silence_s(transcript, reference, sided=sided) if reference.timed else None,
        start_errors_s=tuple(_start_errors(transcript.turns, reference.turns)) if turn_starts_known else (),
        channel_mode=transcript.channel_mode,
        warnings=warnings,
        suppressed=len(transcript.suppressed),
        duration_s=transcript.duration_s,
    )


def percentile(values: Sequence[float], percent: int = PERCENTILE) -> float | None:
    """The smallest value that so many per cent are not above; None without values."""
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)] if values else None


def _channels(transcript: Transcript, reference: Reference, *, sided: bool) -> Iterator[ChannelResult]:
    if not sided:
        heard = " ".join(turn.text for turn in transcript.turns)
        said = " ".join(turn.text for turn in reference.in_order)
        yield ChannelResult(None, None, align(said, heard, transcript.language))
        return
    roles = {channel.index: channel.role for channel in transcript.channels}
    for channel in sorted({*roles, *(turn.channel for turn in reference.turns if turn.channel is not None)}):
        said = " ".join(turn.text for turn in reference.in_order if turn.channel == channel)
        heard = " ".join(turn.text for turn in transcript.turns if turn.channel == channel)
        yield ChannelResult(channel, roles.get(channel), align(said, heard, transcript.language))


def _in_silence(transcript: Transcript, reference: Reference, *, sided: bool) -> Iterator[bool]:
    """For each word, whether nobody speaks around its middle."""
    for turn in transcript.turns:
        spans = list(_spans(reference, turn.channel if sided else None))
        for word in turn.words:
            middle_s = (word.start_s + word.end_s) / 2
            yield not any(start_s - GRACE_S <= middle_s <= end_s + GRACE_S for start_s, end_s in spans)


def _silence_s(transcript: Transcript, reference: Reference, *, sided: bool) -> float:
    channels = [channel.index for channel in transcript.channels] if sided else [None]
    return sum(max(0.0, transcript.duration_s - _length_s(_spans(reference, channel))) for channel in channels)


def _spans(reference: Reference, channel: int | None) -> Iterator[tuple[float, float]]:
    for turn in reference.turns:
        if turn.start is not None and turn.end is not None and channel in {None, turn.channel}:
            yield turn.start, turn.end


def _length_s(spans: Iterable[tuple[float, float]]) -> float:
    """Of the union: turns may overlap."""
    total_s = reached_s = 0.0
    for start_s, end_s in sorted(spans):
        total_s += max(0.0, end_s - max(start_s, reached_s))
        reached_s = max(reached_s, end_s)
    return total_s


def _start_errors(heard: Sequence[Turn], said: Sequence[SaidTurn]) -> Iterator[float]:
    for turn in said:
        starts = (abs(ours.start_s - (turn.start or 0.0)) for ours in heard if ours.channel == turn.channel)
        yield min((*starts, MISSED_TURN_S))
