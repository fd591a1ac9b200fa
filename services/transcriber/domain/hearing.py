"""What a recognizer is asked and what it answers: the values that cross `ports.Recognizer`. Used by `batching`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from math import ceil
from typing import Final

from services.transcriber.domain.repetition import is_loop
from services.transcriber.domain.timeline import Span, to_seconds
from services.transcriber.domain.windows import HeardWord, Window


class Features(StrEnum):
    """What a recognizer listens to."""

    SAMPLES = "samples"
    LOG_MEL_80 = "log-mel-80"
    LOG_MEL_128 = "log-mel-128"

    @property
    def mel_bins(self) -> int:
        """Of the log-mel spectrum; 0 where there is none."""
        return {Features.LOG_MEL_80: 80, Features.LOG_MEL_128: 128}.get(self, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How a call's windows are to be heard.

    Attributes:
        language: ISO 639-1; None: only tell which one is spoken.
        priority: The event's: whose windows go first.
        prompt: Text that the words may resemble: names, tariffs.
    """

    language: str | None
    priority: str = "normal"
    prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """How much time a model looks at for a passage: the passage and a pause, in whole steps.

    Passages are batched only with those of the same axis, so that no passage hears its neighbours' length.

    Attributes:
        step_s: Axes are multiples of this.
        pause_s: At least so much silence after the passage.
        least_s: The shortest axis.
        whole_s: The longest axis.
    """

    step_s: float = 30.0
    pause_s: float = 0.0
    least_s: float = 30.0
    whole_s: float = 30.0

    def seconds(self, duration_s: float) -> float:
        """The axis of a passage of this length."""
        stepped_s = ceil((duration_s + self.pause_s) / self.step_s) * self.step_s
        return min(max(stepped_s, self.least_s), self.whole_s)

    @property
    def parameters(self) -> dict[str, float]:
        """As they stand in a transcript's provenance."""
        return {f"axis_{name}": value for name, value in asdict(self).items()}


#: What Whisper looks at unless the settings say otherwise.
CUT_AXIS: Final = TimeAxis(step_s=5.0, pause_s=1.0, least_s=10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A window, or a part of it, to be heard. Small: the samples stay in the channel's file.

    Attributes:
        window: What holds it.
        part: Which of the window's samples.
    """

    window: Window
    part: Span

    @classmethod
    def whole(cls, window: Window) -> Passage:
        """All of a window."""
        return cls(window=window, part=Span(0, window.samples))

    @property
    def is_whole(self) -> bool:
        """Whether it is all of its window."""
        return self.part == Span(0, self.window.samples)

    @property
    def duration_s(self) -> float:
        """How much is heard."""
        return to_seconds(self.part.samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How tokens are looked for; a recognizer without a search takes no notice.

    Attributes:
        beam_size: Hypotheses kept; with a temperature: drawn.
        temperature: 0: the most likely; above: drawn by chance.
        whole_axis: Look at the whole time axis, whatever the passage's length.
    """

    beam_size: int = 5
    temperature: float = 0.0
    whole_axis: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Passages that are heard together, of any calls and channels; what is heard in one never depends on the others.

    Attributes:
        passages: At most `Capacity.batch_size`, all of one time axis.
        language: Of all of them, ISO 639-1; None: no words are wanted, only which language is spoken in each.
        search: How tokens are looked for.
        prompt: Text that the words may resemble: names, tariffs. One for all of them.
    """

    passages: tuple[Passage, ...]
    language: str | None
    search: Search = Search()
    prompt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one search heard in a passage.

    Attributes:
        words: With their seconds from the passage's start, in order.
        text: Of all of them.
        avg_logprob: Mean over the tokens.
        no_speech_prob: That nobody speaks.
        hit_cap: It would have gone on: a loop, or a very fast speaker.
        languages: Probability by language; only where no language was given.
        stages_s: Its share of the time that its batch took, by stage: features, encode, search, align.
    """

    words: tuple[HeardWord, ...] = ()
    text: str = ""
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0
    hit_cap: bool = False
    languages: Mapping[str, float] = field(default_factory=dict)
    stages_s: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def failed(self) -> bool:
        """Whether it is a loop: nonsense, however sure the model was."""
        return self.hit_cap or is_loop(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a recognizer takes.

    Attributes:
        slots: Batches that it works on at once.
        ahead: Batches given to it beyond these, so that it never waits for the next.
        express: Batches of small calls that it works on beyond the slots, while these hold long ones.
        batch_size: Passages in a batch.
        least_batch: From so many on, a passage takes no longer in a smaller batch: what is left is shared among the slots.
        window_s: The longest passage.
        features: What it listens to.
        languages: What it understands, ISO 639-1.
        searches: Whether it may hear something else when it is asked again in another way.
        axis: How much time it looks at.
    """

    slots: int = 1
    ahead: int = 0
    express: int = 0
    batch_size: int = 1
    least_batch: int = 1
    window_s: float = 30.0
    features: Features = Features.SAMPLES
    languages: frozenset[str] = frozenset({"ru"})
    searches: bool = True
    axis: TimeAxis = TimeAxis()
