"""The ports' shipped fakes: no decoder, no model, always the same answer. For tests here and of whole pipelines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import CallFault, RazgovorError
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.timeline import Piece, Span, to_samples
from services.transcriber.domain.windows import HeardWord, Window, WindowWords

#: Seconds of each invented word.
WORD_S = 0.5


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
    def prepare(self, audio: Path, *, call: str, sha256: str) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        if hashlib.sha256(audio.read_bytes()).hexdigest() != sha256:
            raise CallFault("audio_mismatch")
        if self.error is not None:
            raise self.error
        self.prepared.append(call)
        yield self.call


class FakeEngine:
    """A `ports.Engine` that hears numbered words, one every WORD_S; `error` is raised instead if there is one."""

    facts = EngineFacts("fake 1", "numbers", "0" * 64, {"beam_size": 1})

    def __init__(self, error: RazgovorError | None = None) -> None:
        self.error = error
        self.calls = 0

    def transcribe(self, windows: Sequence[Window], language: str) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        self.calls += 1
        if self.error is not None:
            raise self.error
        return [_numbered(each, language) for each in windows]


def _numbered(heard: Window, language: str) -> WindowWords:
    words = tuple(
        HeardWord(f" {language}{heard.channel}{position}", position * WORD_S, (position + 1) * WORD_S, 0.9)
        for position in range(int(heard.duration_s / WORD_S))
    )
    return WindowWords(words=words, avg_logprob=-0.1, engine_ms=10.0)
