"""transcript.json: the canonical result, schema `razgovor.transcript/1`. Seconds from the start of the call."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.contracts.events import Timings
from pipeline.errors import CallFault


class Value(BaseModel):
    """A frozen part of a transcript. A field that a newer release added is carried along, not refused."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Word(Value):
    """A word and when it was said. Confidence 0: its window failed and was decoded again in vain."""

    text: str
    start_s: float
    end_s: float
    confidence: float


class Turn(Value):
    """What one channel said between two pauses or changes of speaker. Role None: mono, nobody can tell."""

    channel: int
    role: str | None
    start_s: float
    end_s: float
    text: str
    confidence: float | None
    words: tuple[Word, ...]


class Quality(Value):
    """How far words are to be relied on; None where there is nothing to tell it by.

    Attributes:
        avg_logprob: Mean log probability of the engine's tokens, weighed by words; below -1 it guessed.
        low_confidence_share: Share of words with a confidence below 0.5.
        words_per_s: Words in a second of speech; people say 1.5 to 4.
        level_db: RMS of speech, dB full scale. Of a call: its quietest channel's that speaks.
        noise_db: RMS between speech. Of a call: its noisiest channel's that speaks.
        snr_db: Speech above noise. Of a call: its worst channel's.
    """

    avg_logprob: float | None = None
    low_confidence_share: float | None = None
    words_per_s: float | None = None
    level_db: float | None = None
    noise_db: float | None = None
    snr_db: float | None = None


class LanguageDetection(Value):
    """How the language was told by ear.

    Attributes:
        language: What the call was transcribed in.
        clear: Whether it was heard clearly; else it is the client's default.
        probabilities: Of each language that was allowed, the mean over the windows; empty: the engine cannot tell.
        windows: So many were listened to.
    """

    language: str
    clear: bool
    probabilities: dict[str, float]
    windows: int


class Channel(Value):
    """A channel of the recording. Roles: operator, customer, or None where unknown."""

    index: int
    role: str | None
    speech_s: float
    quality: Quality | None = None


class Suppressed(Value):
    """A stretch that was kept out of the dialogue, and why.

    Reasons: `crosstalk`, `credits`, `sound_caption`, `repetition`, `no_speech`, `prompt`.
    """

    channel: int
    start_s: float
    end_s: float
    text: str
    reason: str


class Warning_(Value):  # noqa: N801  the builtin is called Warning
    """Something a reader of the transcript should know.

    Codes: `truncated_audio` (declared_s, decoded_s), `mono`, `dual_mono`, `swapped_channels`, `silent_channel` (channel),
    `glossary_missing`, `glossary_unchecked`, `too_quiet` (channel, level_db), `clipped` (channel, share), `crosstalk` (channel, leaked_s).
    """

    code: str
    details: dict[str, float] = Field(default_factory=dict)


class Provenance(Value):
    """What made the words, so that they can be judged and made again.

    Attributes:
        audio_sha256: Of the recording's bytes.
        engine: Its name and version.
        model: Its name.
        model_sha256: Of its weights.
        parameters: All that was set, by name.
        parameters_sha256: Of these as JSON with sorted names: equal for transcripts made alike. None: an older release.
        glossary: Name and version of the glossary that the engine was told; None: none.
        filters: Version of the rules that keep invented text out. None: an older release.
    """

    audio_sha256: str
    engine: str
    model: str
    model_sha256: str
    parameters: dict[str, Any]
    parameters_sha256: str | None = None
    glossary: str | None = None
    filters: str | None = None


class Transcript(Value):
    """The canonical result of one run of one job. Fields may be added to the schema, each with a default."""

    schema_: Literal["razgovor.transcript/1"] = Field(default="razgovor.transcript/1", alias="schema")
    job_id: str
    run: int
    call_id: str
    client: str
    language: str
    language_detection: LanguageDetection | None = None
    channel_mode: str
    duration_s: float
    partial: bool
    warnings: tuple[Warning_, ...]
    channels: tuple[Channel, ...]
    turns: tuple[Turn, ...]
    suppressed: tuple[Suppressed, ...]
    quality: Quality | None = None
    timings: Timings
    provenance: Provenance

    def to_bytes(self) -> bytes:
        """UTF-8 JSON; the same transcript gives the same bytes."""
        return self.model_dump_json(by_alias=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Transcript:
        """Read what `to_bytes` wrote.

        Raises:
            CallFault: `transcript_invalid`.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            raise CallFault("transcript_invalid") from error

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, turn by turn."""
        return tuple(word for turn in self.turns for word in turn.words)

    @property
    def speech_s(self) -> float:
        """Speech over all channels."""
        return sum(channel.speech_s for channel in self.channels)

    @property
    def confidence(self) -> float | None:
        """Mean word confidence, None without words."""
        words = self.words
        return sum(word.confidence for word in words) / len(words) if words else None


def sha256_hex(data: bytes) -> str:
    """Hex digest, as it stands in keys and events."""
    return hashlib.sha256(data).hexdigest()
