"""The ports' shipped fakes: no decoder, no model. For tests here and of whole pipelines.

`FakeFrontEnd` and `FakeEngine` always say the same. `FileFrontEnd` and `TimedEngine` say what follows from the
recording's bytes, so that a judge who knows the recording knows the words that must come out.
"""

from __future__ import annotations

import hashlib
import threading
import wave
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.errors import CallFault, Postponed, RazgovorError, RetriableFault
from services.transcriber.domain.hearing import Batch, Capacity, Heard, Hearing, Passage
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.timeline import Piece, Span, to_samples, to_seconds
from services.transcriber.domain.windows import HeardWord, Window, WindowWords

#: Seconds of each invented word.
WORD_S = 0.5
#: Words that follow from a recording, and the digits of its hash in each.
DERIVED_WORDS: Final = 4
_DIGITS: Final = 8


def window(
    channel: int, *spans_s: tuple[float, float], index: int = 0, call: str = "call", pcm: Path | None = None
) -> Window:
    """A window of one channel over these seconds of the call, the voice filling all of them."""
    spans = [Span(to_samples(start_s), to_samples(end_s)) for start_s, end_s in spans_s]
    return Window(
        call=call,
        channel=channel,
        index=index,
        pieces=tuple(Piece(span, span) for span in spans),
        pcm=pcm or Path(f"{channel}.f32"),
        quietest=sum(span.samples for span in spans) // 2,
    )


#: A stereo call of ten seconds: the one speaks, then the other.
TWO_SPEAKERS = PreparedCall(
    duration_s=10.0,
    channels=(PreparedChannel(), PreparedChannel()),
    windows=(window(0, (1.0, 3.0)), window(1, (4.0, 6.0))),
    decode_ms=5,
    vad_ms=7,
)


class FakeFrontEnd:
    """A `ports.FrontEnd` that prepares every recording alike; `error` is raised instead if there is one."""

    def __init__(self, call: PreparedCall = TWO_SPEAKERS, error: RazgovorError | None = None) -> None:
        self.call = call
        self.error = error
        self.prepared: list[str] = []

    @contextmanager
    def prepare(self, audio: Path, recording: Recording) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        if hashlib.sha256(audio.read_bytes()).hexdigest() != recording.sha256:
            raise RetriableFault("audio_mismatch")
        if self.error is not None:
            raise self.error
        self.prepared.append(recording.call)
        yield self.call


def numbered_word(language: str, channel: int, position: int) -> str:
    """What `FakeRecognizer` hears there: a word of its own, so that many of them are no loop."""
    word = f"{language}{channel}{position}"
    return f" {word}{hashlib.sha256(word.encode()).hexdigest()[:_DIGITS]}"


class FakeRecognizer:
    """A `ports.Recognizer` that hears numbered words, one every WORD_S.

    Args:
        capacity: What it takes.
        errors: Raised by the next batches, one each, in this order; None: that one is heard.
        before: Is told of each batch before it is heard, and may take its time.
        loops_from_s: Hears nonsense in passages that last at least so long.
    """

    facts = EngineFacts("fake 1", "numbers", "0" * 64, {"beam_size": 1})

    def __init__(
        self,
        capacity: Capacity = Capacity(),  # noqa: B008  a value
        *,
        errors: Sequence[Exception | None] = (),
        before: Callable[[Batch], None] = lambda _batch: None,
        loops_from_s: float | None = None,
    ) -> None:
        self.capacity = capacity
        self.batches: list[Batch] = []
        self._errors = list(errors)
        self._before = before
        self._loops_from_s = loops_from_s
        self._lock = threading.Lock()

    def hear(self, batch: Batch) -> list[Heard]:
        """See `ports.Recognizer.hear`."""
        with self._lock:
            self.batches.append(batch)
            error = self._errors.pop(0) if self._errors else None
        self._before(batch)
        if error is not None:
            raise error
        return [self._heard(passage, batch.language) for passage in batch.passages]

    def _heard(self, passage: Passage, language: str | None) -> Heard:
        if language is None:
            return Heard(languages={each: 1 / len(self.capacity.languages) for each in self.capacity.languages})
        if self._loops_from_s is not None and passage.duration_s >= self._loops_from_s:
            return Heard(text="да " * 100, hit_cap=True)
        begin = round(to_seconds(passage.part.start) / WORD_S)
        words = tuple(
            HeardWord(
                numbered_word(language, passage.window.channel, begin + position),
                position * WORD_S,
                (position + 1) * WORD_S,
                0.9,
            )
            for position in range(int(passage.duration_s / WORD_S))
        )
        return Heard(words=words, text="".join(word.text for word in words).strip(), avg_logprob=-0.1)


class FakeEngine:
    """A `ports.Engine` that hears numbered words, one every WORD_S; `error` is raised instead if there is one.

    Asked for a language only, it hears `spoken`. `hearings` tells how it was asked.
    """

    facts = EngineFacts("fake 1", "numbers", "0" * 64, {"beam_size": 1})

    def __init__(self, error: RazgovorError | None = None, *, spoken: Mapping[str, float] | None = None) -> None:
        self.error = error
        self.spoken = spoken or {}
        self.calls = 0
        self.hearings: list[Hearing] = []

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        self.calls += 1
        if self.error is not None:
            raise self.error
        self.hearings.append(hearing)
        if hearing.language is None:
            return [WindowWords(words=(), languages=self.spoken) for _ in windows]
        return [_numbered(each, hearing.language) for each in windows]


def _numbered(heard: Window, language: str) -> WindowWords:
    words = tuple(
        HeardWord(f" {language}{heard.channel}{position}", position * WORD_S, (position + 1) * WORD_S, 0.9)
        for position in range(int(heard.duration_s / WORD_S))
    )
    return WindowWords(words=words, avg_logprob=-0.1, engine_ms=10.0)


def derived_words(sha256: str) -> tuple[str, ...]:
    """The words that `TimedEngine` hears in a recording with this hash."""
    return tuple(sha256[start : start + _DIGITS] for start in range(0, DERIVED_WORDS * _DIGITS, _DIGITS))


class FileFrontEnd:
    """A `ports.FrontEnd` without decoder and child: takes WAV, believes its header, hears speech from end to end.

    The one window of a call lies over the recording itself, so that `TimedEngine` can look at its bytes.
    """

    @contextmanager
    def prepare(self, audio: Path, recording: Recording) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        if hashlib.sha256(audio.read_bytes()).hexdigest() != recording.sha256:
            raise RetriableFault("audio_mismatch")
        try:
            with wave.open(str(audio), "rb") as header:
                duration_s = header.getnframes() / header.getframerate()
                channels = header.getnchannels()
        except (wave.Error, EOFError) as error:
            raise CallFault("no_audio") from error
        yield PreparedCall(
            duration_s=duration_s,
            channels=tuple(PreparedChannel() for _ in range(channels)),
            windows=(window(0, (0.0, duration_s), call=recording.call, pcm=audio),),
        )


class TimedEngine:
    """A `ports.Engine` that takes its time, for any number of calls side by side, and hears `derived_words`.

    Args:
        engine_s: How long a call takes.
    """

    facts = EngineFacts("timed 1", "hash", "0" * 64, {})

    def __init__(self, engine_s: float) -> None:
        self._engine_s = engine_s
        self._closed = threading.Event()

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:  # noqa: ARG002  the port's
        """See `ports.Engine.transcribe`."""
        if self._closed.wait(self._engine_s):
            raise Postponed("the worker is being closed")
        return [self._heard(each) for each in windows]

    def close(self) -> None:
        """Let go of the calls that are waiting."""
        self._closed.set()

    def _heard(self, heard: Window) -> WindowWords:
        said = derived_words(hashlib.sha256(heard.pcm.read_bytes()).hexdigest())
        each_s = heard.duration_s / len(said)
        words = tuple(
            HeardWord(f" {word}", index * each_s, (index + 1) * each_s, 0.9) for index, word in enumerate(said)
        )
        return WindowWords(words=words, avg_logprob=-0.1, engine_ms=self._engine_s * 1000)
