"""One batch of passages through Whisper: encode, generate, align. Used by `whisper`.

Tokens are generated without time stamps (faster, and sure in batches); word times come from the alignment of text and
sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from time import perf_counter
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations
from numpy.typing import NDArray

from services.transcriber.adapters.log_mel import FRAMES_PER_S, Mel
from services.transcriber.domain.hearing import Heard, Search
from services.transcriber.domain.windows import HeardWord

#: Nobody speaks more tokens in a second; whoever seems to is a loop.
_MAX_TOKENS_PER_S: Final = 12
_MIN_TOKENS: Final = 32
_MAX_TOKENS: Final = 224
#: The model's 448 positions hold this, the tokens of a passage and what stands between.
_MAX_PROMPT_TOKENS: Final = 210
_PREPENDED: Final = "\"'“¿([{-"
_APPENDED: Final = "\"'.。,，!！?？:：”)]}、"


class Laps:
    """How long each stage of a batch took."""

    def __init__(self) -> None:
        self.stages_s: dict[str, float] = {}
        self._begin_s = perf_counter()

    def ends(self, stage: str) -> None:
        """A stage has ended; the next begins."""
        now_s = perf_counter()
        self.stages_s[stage] = now_s - self._begin_s
        self._begin_s = now_s


def token_cap(duration_s: float) -> int:
    """How many tokens a passage may have."""
    return min(max(ceil(_MAX_TOKENS_PER_S * duration_s), _MIN_TOKENS), _MAX_TOKENS)


def hear(
    model: WhisperModel,
    mels: Sequence[Mel],
    language: str,
    search: Search,
    axis_s: float,
    *,
    prompt: str = "",
) -> list[Heard]:
    """Listen to passages as one batch; each result is the same whatever the others are.

    Args:
        model: Loaded; safe to use from several threads.
        mels: Of each passage, shape (bins, frames), at most as long as the axis.
        language: ISO 639-1.
        search: How tokens are looked for.
        axis_s: How much time the model looks at.
        prompt: Text that the words may resemble, as if it had been said before; what is too long loses its beginning.
    """
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)
    lap = Laps()
    encoded = model.encode(_on_axis(mels, axis_s))
    lap.ends("encode")
    # The axis decides how long the search may go on, so that it is the same in every batch; each passage is judged by its
    # own cap. CTranslate2 allows half of max_length, and no more than what the beginning leaves of it.
    begin = [*_told(tokenizer, prompt), *tokenizer.sot_sequence, tokenizer.no_timestamps]
    results = model.model.generate(
        encoded,
        [begin] * len(mels),
        max_length=max(2 * token_cap(axis_s), token_cap(axis_s) + len(begin)),
        length_penalty=1,
        return_scores=True,
        return_no_speech_prob=True,
        suppress_blank=True,
        suppress_tokens=[-1],
        **_arguments(search),
    )
    lap.ends("search")
    caps = [token_cap(mel.shape[1] / FRAMES_PER_S) for mel in mels]
    tokens = [
        [token for token in result.sequences_ids[0] if token < tokenizer.eot][:cap]
        for result, cap in zip(results, caps, strict=True)
    ]
    words = _words(model, tokenizer, tokens, encoded, [mel.shape[1] for mel in mels])
    lap.ends("align")
    stages_s = {stage: seconds / len(mels) for stage, seconds in lap.stages_s.items()}
    return [
        Heard(
            words=words[index],
            text=tokenizer.decode(tokens[index]).strip(),
            avg_logprob=_avg_logprob(result),
            no_speech_prob=float(result.no_speech_prob),
            hit_cap=len(tokens[index]) >= caps[index],
            stages_s=stages_s,
        )
        for index, result in enumerate(results)
    ]


def _told(tokenizer: Tokenizer, prompt: str) -> list[int]:
    return [tokenizer.sot_prev, *tokenizer.encode(f" {prompt}")[-_MAX_PROMPT_TOKENS:]] if prompt else []


def detect(model: WhisperModel, mels: Sequence[Mel], axis_s: float) -> list[Heard]:
    """Which language is spoken in each passage."""
    encoded = model.encode(_on_axis(mels, axis_s))
    return [
        Heard(languages={token.strip("<|>"): float(probability) for token, probability in likely})
        for likely in model.model.detect_language(encoded)
    ]


def _arguments(search: Search) -> dict[str, Any]:
    """By beam, or sampled where there is a temperature, for CTranslate2."""
    if search.temperature:
        return {
            "beam_size": 1,
            "num_hypotheses": search.beam_size,
            "sampling_topk": 0,
            "sampling_temperature": search.temperature,
        }
    return {"beam_size": search.beam_size, "patience": 1}


def _on_axis(mels: Sequence[Mel], axis_s: float) -> NDArray[np.float32]:
    """All of them on one time axis, shape (batch, bins, frames). Copied once: whoever copies keeps the other slots waiting."""
    frames = round(axis_s * FRAMES_PER_S)
    batch = np.zeros((len(mels), mels[0].shape[0], frames), dtype=np.float32)
    for row, mel in zip(batch, mels, strict=True):
        row[:, : mel.shape[1]] = mel[:, :frames]
    return batch


def _avg_logprob(result: ctranslate2.models.WhisperGenerationResult) -> float:
    """Per token, the end's included: CTranslate2 divided the sum by the text's tokens alone."""
    tokens = len(result.sequences_ids[0])
    return float(result.scores[0]) * tokens / (tokens + 1)


def _words(
    model: WhisperModel,
    tokenizer: Tokenizer,
    tokens: list[list[int]],
    encoded: ctranslate2.StorageView,
    frames: list[int],
) -> list[tuple[HeardWord, ...]]:
    words: list[tuple[HeardWord, ...]] = []
    alignments = model.find_alignment(tokenizer, tokens, encoded, frames)
    for alignment, count in zip(alignments, frames, strict=True):
        merge_punctuations(alignment, _PREPENDED, _APPENDED)
        words.append(tuple(_word(word, count / FRAMES_PER_S) for word in alignment if word["word"]))
    return words


def _word(word: dict[str, Any], latest_s: float) -> HeardWord:
    """Within its passage: an alignment may begin a step before it, and end a step after."""
    start_s = min(max(float(word["start"]), 0.0), latest_s)
    end_s = min(max(float(word["end"]), start_s), latest_s)
    return HeardWord(word["word"], start_s, end_s, float(word["probability"]))
