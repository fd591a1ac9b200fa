"""Front end and engine of the test build: cheap for an honest recording, real children for a marked one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.audio import DecodeLimits
from razgovor.chaos.engine_log import EngineLog
from razgovor.chaos.poison import PoisonedRecognizer, poison_in, poisoned_listener
from razgovor.chaos.settings import ChaosSettings
from services.transcriber.adapters.engine import ChildRecognizer, EngineLimits
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.batching import BatchingEngine, BatchingRules, Watch
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.prepared import PreparedCall
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FileFrontEnd, TimedEngine
from services.transcriber.ports import StillWanted
from services.transcriber.settings import TranscriberSettings


class ChaosFrontEnd:
    """A `ports.FrontEnd`: what is marked for the decoder goes through a decoder's child, the rest through none."""

    def __init__(self, child: ChildFrontEnd) -> None:
        self._child = child
        self._cheap = FileFrontEnd()

    @contextmanager
    def prepare(self, audio: Path, recording: Recording) -> Iterator[PreparedCall]:
        """See `ports.FrontEnd.prepare`."""
        poison = poison_in(audio.read_bytes())
        front_end = self._child if poison is not None and poison.is_decoders else self._cheap
        with front_end.prepare(audio, recording) as prepared:
            yield prepared


class ChaosEngine:
    """A `ports.Engine`: marked recordings go through an engine's child, the rest is `TimedEngine`'s."""

    def __init__(self, timed: TimedEngine, child: BatchingEngine, log: Path | None) -> None:
        self._timed = timed
        self._child = child
        self._log = None if log is None else EngineLog(log)

    @property
    def facts(self) -> EngineFacts:
        """See `ports.Engine.facts`."""
        return self._timed.facts

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        """See `ports.Engine.transcribe`."""
        if self._log is not None:
            self._log.begun(windows[0].call)
        poison = poison_in(windows[0].pcm.read_bytes())
        engine = self._child if poison is not None else self._timed
        return engine.transcribe(windows, hearing)


@contextmanager
def chaos_children(
    told: ChaosSettings, settings: TranscriberSettings, still_wanted: StillWanted, watch: Watch
) -> Iterator[tuple[ChaosFrontEnd, ChaosEngine]]:
    """Front end and engine; a child starts with the first recording that needs it."""
    decoder = ChildFrontEnd(
        scratch_dir=settings.scratch_dir,
        rules=Rules(),
        limits=FrontEndLimits(
            decode=DecodeLimits(max_duration_s=settings.max_duration_s, max_channels=settings.max_channels),
            timeout_s=settings.decode_timeout_s,
            memory_bytes=settings.decode_memory_bytes,
        ),
        still_wanted=still_wanted,
        listener=poisoned_listener,
    )
    recognizer = ChildRecognizer(
        PoisonedRecognizer,
        PoisonedRecognizer.facts,
        slots=1,
        limits=EngineLimits(
            base_timeout_s=settings.engine_base_timeout_s,
            timeout_per_speech_s=settings.engine_timeout_per_speech_s,
            memory_bytes=settings.engine_memory_bytes,
        ),
    )
    child = BatchingEngine([recognizer], BatchingRules(), still_wanted=still_wanted, watch=watch)
    timed = TimedEngine(told.engine_s)
    try:
        yield ChaosFrontEnd(decoder), ChaosEngine(timed, child, told.engine_log)
    finally:
        for part in (timed, child, recognizer, decoder):
            part.close()
