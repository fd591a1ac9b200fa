"""How far the words of a window are to be believed, by the engine's own doubts. Called by `domain.result`.

Measured with Whisper base: in windows of speech nobody-speaks stays below 0.3 and the log probability above -0.5; in 34
recordings of tones, music and noise, made to be heard without speech detection, the one is above 0.4 and the other mostly
below -1 (what is not, are the credits and captions that `filters` knows).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from services.transcriber.domain.filters import NO_SPEECH
from services.transcriber.domain.windows import GivenUp, Window, WindowWords

#: Nobody speaks: this likely and more, while the text is as unlikely as that and less. Either pair.
SILENT: Final = ((0.6, -1.0), (0.4, -1.5))
#: Text less likely than this came out of a window that failed: nobody should rely on a word of it.
FAILED_LOGPROB: Final = -1.0


def credible(window: Window, words: WindowWords) -> WindowWords:
    """The same; or all of it given up where nobody seems to speak; or, from a failed window, words with probability 0."""
    if not words.words or words.avg_logprob >= FAILED_LOGPROB:
        return words
    if any(words.no_speech_prob > silent and words.avg_logprob < unlikely for silent, unlikely in SILENT):
        text = "".join(word.text for word in words.words).strip()
        return replace(words, words=(), given_up=(GivenUp(0.0, window.duration_s, text, NO_SPEECH),))
    return replace(words, words=tuple(replace(word, probability=0.0) for word in words.words))
