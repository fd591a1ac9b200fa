"""One run over the sample calls with some settings. Called by `razgovor transcriber tune`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from time import perf_counter
from typing import Final

from pipeline.errors import Fatal
from razgovor.demo import samples
from razgovor.evaluation import references
from razgovor.evaluation.measures import CallResult, EngineResult, judge
from razgovor.evaluation.references import Reference
from razgovor.local_transcriber import Heard, LocalTranscriber, local_transcriber, settings
from razgovor.transcription import recordings
from razgovor.tuning.plan import Settings
from razgovor.tuning.search import Measured
from razgovor.tuning.storing import stored
from services.transcriber.settings import TranscriberSettings

#: A run that took less is run again over as many copies as fill it: a GPU is through the samples at once.
_LEAST_S: Final = 4.0
_MOST_COPIES: Final = 200
#: Two calls and silence: enough to tell settings apart, and through in seconds on two cores.
_SHIPPED: Final = ("bank.wav", "clinic.wav", "delivery.flac", "silence.wav")


@dataclass(frozen=True, slots=True)
class SampleCall:
    """A recording and what was said."""

    path: Path
    reference: Reference


def shipped() -> list[SampleCall]:
    """Of the demo's samples."""
    return [call for call in below([samples.folder()]) if call.path.name in _SHIPPED]


def below(sources: Sequence[Path]) -> list[SampleCall]:
    """Recordings with a reference beside them, or in a list beside them.

    Raises:
        ReferenceInvalid: One cannot be read.
        FileNotFoundError: A source is not there.
    """
    found = recordings.find(sources)
    known = references.find(found, None)
    return [SampleCall(one.path, known[one.name]) for one in found if one.name in known]


@dataclass(frozen=True, slots=True)
class Meter:
    """Runs the calls.

    Attributes:
        calls: Sample calls with what was said in them.
        fixed: Settings that no question changes: model, device.
        transcriber: Starts front end and engine.
        clock_s: Never goes back.
    """

    calls: Sequence[SampleCall]
    fixed: Settings
    transcriber: Callable[[TranscriberSettings], AbstractContextManager[LocalTranscriber]] = local_transcriber
    clock_s: Callable[[], float] = perf_counter

    def __call__(self, chosen: Settings) -> Measured:
        """Measure with these settings; front end and engine are started for it and ended.

        Raises:
            RazgovorError: It does not work: not enough memory, arithmetic that the device has not.
        """
        with self.transcriber(settings(**{**self.fixed, **chosen})) as transcriber:
            paths = [call.path for call in self.calls]
            begun_s = self.clock_s()
            heard = list(transcriber.hear(paths))
            took_s = self.clock_s() - begun_s
            copies = min(_MOST_COPIES, ceil(_LEAST_S / took_s))
            if copies > 1:
                begun_s = self.clock_s()
                for _ in transcriber.hear(paths * copies):
                    pass
                took_s = (self.clock_s() - begun_s) / copies
        return self._measured(heard, took_s)

    def _measured(self, heard: Sequence[Heard], took_s: float) -> Measured:
        by_path = {call.path: call.reference for call in self.calls}
        result = EngineResult(name="", calls=tuple(_judged(one, by_path[one.path]) for one in heard))
        # Where nobody speaks there is nothing to hear: it would pass for speed.
        call_s = sum(call.duration_s for call in result.calls if call.errors.words)
        return Measured(
            call_s_per_s=call_s / took_s,
            words=result.errors,
            silence_words=result.silence_words,
            stored=stored(
                (one.path, one.transcript) for one in heard if one.transcript is not None and by_path[one.path].turns
            ),
        )


def _judged(heard: Heard, reference: Reference) -> CallResult:
    if heard.transcript is None:
        raise Fatal(f"a sample call cannot be transcribed: {heard.reason}")
    return judge(heard.path.name, heard.transcript, reference)


def present(names: Sequence[str], fixed: Settings) -> dict[str, str | int | float]:
    """What these settings are now."""
    now: TranscriberSettings = settings(**fixed)
    return {name: getattr(now, name) for name in names}
