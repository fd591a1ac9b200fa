"""How far a transcript is to be relied on, by channel and for the call. Called by `domain.result`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.contracts.transcript import Quality
from services.transcriber.domain.signal import Signal
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.domain.words import Utterance

#: A word less sure than this is doubtful.
LOW_CONFIDENCE: Final = 0.5


def channel_quality(
    said: Sequence[Utterance], heard: Iterable[tuple[Window, WindowWords]], signal: Signal, speech_s: float
) -> Quality:
    """Of one channel.

    Args:
        said: What it said.
        heard: Its windows.
        signal: How it was recorded.
        speech_s: How long it spoke.
    """
    return Quality(
        level_db=_rounded(signal.level_db, 1),
        noise_db=_rounded(signal.noise_db, 1),
        snr_db=_rounded(signal.snr_db, 1),
        **_of_words(said, heard, speech_s),
    )


def call_quality(
    said: Sequence[Utterance],
    heard: Iterable[tuple[Window, WindowWords]],
    channels: Sequence[Quality],
    speech_s: float,
) -> Quality:
    """Of the call: words of all channels together, the signal of the worst that speaks."""
    return Quality(
        level_db=min((one.level_db for one in channels if one.level_db is not None), default=None),
        noise_db=max(
            (one.noise_db for one in channels if one.level_db is not None and one.noise_db is not None), default=None
        ),
        snr_db=min((one.snr_db for one in channels if one.snr_db is not None), default=None),
        **_of_words(said, heard, speech_s),
    )


def _of_words(
    said: Sequence[Utterance], heard: Iterable[tuple[Window, WindowWords]], speech_s: float
) -> dict[str, float | None]:
    words = [word for utterance in said for word in utterance.words]
    weighed = [(each.avg_logprob, len(each.words)) for _, each in heard if each.words]
    total = sum(weight for _, weight in weighed)
    logprob = sum(value * weight for value, weight in weighed) / total if total else None
    doubtful = sum(word.probability < LOW_CONFIDENCE for word in words) / len(words) if words else None
    rate = len(words) / speech_s if speech_s > 0 and words else None
    return {
        "avg_logprob": _rounded(logprob, 3),
        "low_confidence_share": _rounded(doubtful, 3),
        "words_per_s": _rounded(rate, 2),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
