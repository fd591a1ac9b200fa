"""Which language is spoken, by ear: among those allowed, and only if it is clear. Called by `conditions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.contracts.transcript import LanguageDetection
from services.transcriber.domain.windows import Window

#: So many windows are listened to, the longest of all channels.
WINDOWS: Final = 3
#: Less is not clear.
CLEAR: Final = 0.8


def telling(windows: Sequence[Window]) -> list[Window]:
    """The windows that tell most, whichever channel they are of."""
    return sorted(windows, key=lambda window: -window.samples)[:WINDOWS]


def choose(heard: Sequence[Mapping[str, float]], allowed: Sequence[str], default: str) -> LanguageDetection:
    """The allowed language that is heard most, if it is clear; else the default.

    Args:
        heard: Probability by language, of each window; empty where the engine cannot tell.
        allowed: ISO 639-1 codes.
        default: One of them.
    """
    told = [each for each in heard if each]
    means = {language: sum(each.get(language, 0.0) for each in told) / max(1, len(told)) for language in allowed}
    best = max(allowed, key=lambda language: (means[language], language == default))
    clear = means[best] >= CLEAR
    return LanguageDetection(
        language=best if clear else default,
        clear=clear,
        probabilities={language: round(means[language], 4) for language in sorted(allowed)} if told else {},
        windows=len(told),
    )
