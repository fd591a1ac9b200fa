"""One batch of passages through Whisper: log-mel, encode, generate, align. Used by `whisper` in its child.

A passage is what a window holds, or half of it. Tokens are generated without time stamps (faster, and sure in batches);
word times come from the alignment of text and sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import merge_punctuations
from numpy.typing import NDArray

from services.transcriber.adapters.pcm import Samples
from services.transcriber.domain.filters import MAX_COMPRESSION_RATIO, compression_ratio
from services.transcriber.domain.timeline import to_seconds
from services.transcriber.domain.windows import HeardWord

#: Nobody speaks more tokens in a second; whoever seems to is a loop.
_MAX_TOKENS_PER_S: Final = 12
_MIN_TOKENS: Final = 32
_MAX_TOKENS: Final = 224
_WHOLE_AXIS_FRAMES: Final = 3000
_PREPENDED: Final = "\"'“¿([{-"
_APPENDED: Final = "\"'.。,，!！?？:：”)]}、"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How tokens are looked for: by beam, or sampled where the temperature is not 0."""

    beam_size: int = 5
    temperature: float = 0.0

    @property
    def arguments(self) -> dict[str, Any]:
        """For CTranslate2."""
        if self.temperature:
            return {
                "beam_size": 1,
                "num_hypotheses": self.beam_size,
                "sampling_topk": 0,
                "sampling_temperature": self.temperature,
            }
        return {"beam_size": self.beam_size, "patience": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one search heard in a passage.

    Attributes:
        words: With their seconds from the passage's start.
        text: Of all of them.
        avg_logprob: Mean over the tokens.
        no_speech_prob: That nobody speaks.
        hit_cap: It would have gone on: a loop, or a very fast speaker.
    """

    words: tuple[HeardWord, ...]
    text: str
    avg_logprob: float
    no_speech_prob: float
    hit_cap: bool

    @property
    def failed(self) -> bool:
        """Whether to listen again."""
        return self.hit_cap or compression_ratio(self.text) > MAX_COMPRESSION_RATIO


def token_cap(duration_s: float) -> int:
    """How many tokens a passage may have."""
    return min(max(ceil(_MAX_TOKENS_PER_S * duration_s), _MIN_TOKENS), _MAX_TOKENS)


def hear(model: WhisperModel, passages: Sequence[Samples], language: str, search: Search) -> list[Attempt]:
    """Listen to passages as one batch; each result is the same whatever the others are.

    Args:
        model: Loaded; safe to use from several threads.
        passages: Each at most 30 s.
        language: ISO 639-1.
        search: How tokens are looked for.
    """
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=language)
    mels = [model.feature_extractor(passage)[..., :-1] for passage in passages]
    encoded = model.encode(np.stack([_whole_axis(mel) for mel in mels]))
    caps = [token_cap(to_seconds(passage.size)) for passage in passages]
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    # CTranslate2 allows half of max_length. The batch shares one cap; each passage is judged by its own.
    results = model.model.generate(
        encoded,
        [prompt] * len(passages),
        max_length=2 * max(caps),
        length_penalty=1,
        return_scores=True,
        return_no_speech_prob=True,
        suppress_blank=True,
        suppress_tokens=[-1],
        **search.arguments,
    )
    tokens = [[token for token in result.sequences_ids[0] if token < tokenizer.eot] for result in results]
    words = _words(model, tokenizer, tokens, encoded, [mel.shape[-1] for mel in mels])
    return [
        Attempt(
            words=words[index],
            text=tokenizer.decode(tokens[index]).strip(),
            avg_logprob=_avg_logprob(result),
            no_speech_prob=float(result.no_speech_prob),
            hit_cap=len(tokens[index]) >= caps[index],
        )
        for index, result in enumerate(results)
    ]


def _whole_axis(mel: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.pad(mel[..., :_WHOLE_AXIS_FRAMES], ((0, 0), (0, max(0, _WHOLE_AXIS_FRAMES - mel.shape[-1]))))


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
    for alignment in model.find_alignment(tokenizer, tokens, encoded, frames):
        merge_punctuations(alignment, _PREPENDED, _APPENDED)
        words.append(
            tuple(
                HeardWord(word["word"], float(word["start"]), float(word["end"]), float(word["probability"]))
                for word in alignment
                if word["word"]
            )
        )
    return words
