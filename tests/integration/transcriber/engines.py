"""An engine over a child of its own, as the service builds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from services.transcriber.adapters.engine import ChildRecognizer, EngineLimits, Load, load_whisper
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions, whisper_facts
from services.transcriber.batching import BatchingEngine, BatchingRules
from services.transcriber.domain.hearing import Search
from services.transcriber.ports import StillWanted


@dataclass(frozen=True, slots=True)
class WhisperChild:
    """The engine, and the child that it has hear."""

    engine: BatchingEngine
    recognizer: ChildRecognizer

    def close(self) -> None:
        self.engine.close()
        self.recognizer.close()


def whisper_child(
    files: ModelFiles,
    options: WhisperOptions,
    parameters: Mapping[str, str | float] | None = None,
    *,
    limits: EngineLimits | None = None,
    still_wanted: StillWanted = lambda _call: None,
    load: Load | None = None,
) -> WhisperChild:
    recognizer = ChildRecognizer(
        load or partial(load_whisper, files, options),
        whisper_facts(files, options),
        slots=options.workers,
        ahead=options.ahead,
        express=options.express,
        limits=limits or EngineLimits(),
    )
    rules = BatchingRules(search=Search(beam_size=options.beam_size))
    return WhisperChild(BatchingEngine([recognizer], rules, parameters, still_wanted=still_wanted), recognizer)
