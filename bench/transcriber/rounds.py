"""Rounds: every arm once, in random order, between two probes. Kept as they come, so that a run may be done in parts."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.transcriber.arms import Platform
from bench.transcriber.calls import Call
from bench.transcriber.machine import moment, probe_s
from bench.transcriber.processes import ArmProcess, started
from pipeline.contracts.transcript import Transcript
from razgovor.evaluation.measures import EngineResult, judge

#: A round whose probes differ by more says more of the machine than of the arms.
MAX_MOVE: Final = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One arm in one round.

    Attributes:
        call_s_per_s: Seconds of calls (not of channels) per second.
        cpu_s: Processor seconds by part.
        others_cores: Cores that everybody else kept busy meanwhile.
        stolen_s: Processor seconds that the host gave to other machines.
        wer, cer, silence_words, start_error_s: As `razgovor eval` counts them.
        fill: How full the batches were, where it is known.
    """

    arm: str
    wall_s: float
    call_s_per_s: float
    cpu_s: dict[str, float]
    others_cores: float
    stolen_s: float
    wer: float
    cer: float
    silence_words: int
    start_error_s: float | None
    fill: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """All arms in one round."""

    calls: int
    duration_s: float
    probe_before_s: float
    probe_after_s: float
    turns: tuple[Turn, ...]

    @property
    def moved(self) -> float:
        """By how much the machine changed between the probes."""
        return abs(self.probe_after_s / self.probe_before_s - 1)

    @property
    def quiet(self) -> bool:
        """Whether it counts."""
        return self.moved <= MAX_MOVE

    def turn(self, arm: str) -> Turn | None:
        """An arm's turn, None where it had none."""
        return next((turn for turn in self.turns if turn.arm == arm), None)


def run(
    arms: Sequence[str],
    platform: Platform,
    calls: Sequence[Call],
    *,
    rounds: int,
    keep: Path,
    told: Callable[[str], None],
) -> None:
    """So many rounds more, each appended to `keep` as a line; `told` hears of every step."""
    with ExitStack() as running:
        processes = []
        for name in arms:
            told(f"loading {name}")
            process = running.enter_context(started(name, platform))
            process.lap([calls[0].path])  # warm: first allocations, first look at the files
            processes.append(process)
        for number in range(rounds):
            order = random.sample(processes, len(processes))
            done = _round(order, calls, partial(_tell, told, f"round {number + 1} of {rounds}"))
            with keep.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(done)) + "\n")


def _tell(told: Callable[[str], None], where: str, step: str) -> None:
    told(f"{where}: {step}")


def _round(order: Sequence[ArmProcess], calls: Sequence[Call], told: Callable[[str], None]) -> Round:
    before_s = probe_s()
    turns = []
    for process in order:
        told(process.name)
        turns.append(_turn(process, calls))
    return Round(
        calls=len(calls),
        duration_s=sum(call.duration_s for call in calls),
        probe_before_s=before_s,
        probe_after_s=probe_s(),
        turns=tuple(turns),
    )


def _turn(process: ArmProcess, calls: Sequence[Call]) -> Turn:
    began = moment()
    lap = process.lap([call.path for call in calls])
    ended = moment()
    cpu_s = sum(lap.cpu_s.values())
    words = judged(process.name, lap.transcripts, calls)
    return Turn(
        arm=process.name,
        wall_s=lap.wall_s,
        call_s_per_s=sum(call.duration_s for call in calls) / lap.wall_s,
        cpu_s=dict(lap.cpu_s),
        others_cores=max(0.0, ended.busy_s - began.busy_s - cpu_s) / (ended.at_s - began.at_s),
        stolen_s=ended.stolen_s - began.stolen_s,
        wer=words.errors.rate,
        cer=words.characters.wer,
        silence_words=words.silence_words,
        start_error_s=words.start_error_s,
        fill=dict(lap.fill),
    )


def judged(arm: str, transcripts: Any, calls: Sequence[Call]) -> EngineResult:
    """An arm's transcripts against what was said."""
    heard: dict[Path, Transcript] = transcripts
    return EngineResult(name=arm, calls=tuple(judge(call.name, heard[call.path], call.reference) for call in calls))


def kept(path: Path) -> list[Round]:
    """The rounds that were kept."""
    if not path.exists():
        return []
    rounds = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Round(**{**one, "turns": tuple(Turn(**turn) for turn in one["turns"])}) for one in rounds]
