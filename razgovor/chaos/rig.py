"""The rig: plays faults one after another over one running system, judges each, and all of it at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from pipeline.errors import RazgovorError
from razgovor.chaos.fault import CannotPlay, Fault
from razgovor.chaos.judging import judge, slowest_recovery_s, unexpected_answers
from razgovor.chaos.orphans import SWEPT_WITHIN_S, Orphans
from razgovor.chaos.stage import Pace, Stage
from razgovor.chaos.system import System
from razgovor.chaos.table import Row

_WRONG_SHOWN: Final = 5

Tell = Callable[[str], None]


class Rig:
    """Plays over a system that runs.

    Args:
        system: The system.
        seed: Of the run.
        pace: How much and how long.
        patience: Every return may take so many times as long as it is allowed to.
        tell: Shows what is going on, a line at a time.
    """

    def __init__(self, system: System, *, seed: int, pace: Pace, patience: float, tell: Tell) -> None:
        self._system = system
        self._seed = seed
        self._pace = pace
        self._patience = patience
        self._tell = tell

    def run(self, faults: Sequence[Fault]) -> list[Row]:
        """Play all, then look for orphans.

        Returns:
            Their rows, in the order of the matrix.
        """
        windows: list[tuple[Row, float]] = []
        for fault in faults:
            began_at_s = time.time()
            self._tell(f"fault {fault.number}: {fault.name}")
            row = self._play(fault)
            self._tell(f"fault {fault.number}: {_in_short(row)}")
            windows.append((row, began_at_s))
        return self._with_orphans(windows)

    def _play(self, fault: Fault) -> Row:
        stage = Stage(
            self._system,
            seed=f"{self._seed}/{fault.number}",
            pace=self._pace,
            limit_s=fault.limit_s * self._patience,
            call_events=fault.call_events,
            tell=lambda what: self._tell(f"  {what}"),
        )
        try:
            fault.play(stage)
        except CannotPlay as lack:
            return Row(fault=fault.number, name=fault.name, limit_s=fault.limit_s * self._patience, skipped=str(lack))
        except RazgovorError as error:
            stage.notes.problems.append(" ".join(str(error).split())[:500])
        self._mend(stage)
        self._drain(fault, stage)
        return self._judged(fault, stage)

    def _mend(self, stage: Stage) -> None:
        """Whatever became of the fault: peers up, proxies open, workers awake."""
        try:
            self._system.ground.heal()
            self._system.mend()
            self._system.crew.wait_ready()
        except RazgovorError as error:
            stage.notes.problems.append(str(error))

    def _drain(self, fault: Fault, stage: Stage) -> None:
        try:
            self._system.wait_ended(fault.drain_s, stage.first_promise)
        except RazgovorError as error:
            stage.notes.problems.append(str(error))

    def _judged(self, fault: Fault, stage: Stage) -> Row:
        promises = stage.promises
        ends = self._system.ground.record.ends([promise.job_id for promise in promises])
        verdict = judge(promises, ends, stage.refusals)
        answers = unexpected_answers(stage.answers, fault.answers)
        kills = self._system.crew.deaths[stage.first_death :]
        of_kills_s = 0.0 if fault.peer_limit else slowest_recovery_s(promises, ends, kills)
        return Row(
            fault=fault.number,
            name=fault.name,
            kills=stage.kills,
            jobs=verdict.jobs,
            lost=verdict.lost,
            billed_twice=verdict.billed_twice,
            recovery_s=max([of_kills_s, *stage.notes.recoveries_s]),
            limit_s=fault.limit_s * self._patience,
            problems=(*stage.notes.problems, *answers, *verdict.wrong[:_WRONG_SHOWN]),
            seconds=time.time() - stage.began_at_s,
        )

    def _with_orphans(self, windows: Sequence[tuple[Row, float]]) -> list[Row]:
        self._tell("waiting for the janitor")
        orphans = Orphans(self._system.ground.store, self._system.ground.record)
        left_at_s = orphans.wait_swept(SWEPT_WITHIN_S)
        rows: list[Row] = []
        for index, (row, began_at_s) in enumerate(windows):
            ended_at_s = windows[index + 1][1] if index + 1 < len(windows) else time.time()
            rows.append(row.with_orphans(sum(began_at_s <= left_s < ended_at_s for left_s in left_at_s)))
        return sorted(rows, key=lambda row: row.fault)


def _in_short(row: Row) -> str:
    if row.skipped is not None:
        return f"not played: {row.skipped}"
    verdict = "ok" if row.is_good else "BAD"
    return (
        f"{verdict}, {row.kills} kills, {row.jobs} jobs, {row.lost} lost, {row.billed_twice} billed twice, "
        f"back after {row.recovery_s:.1f} s, {row.seconds:.0f} s{''.join(f'; {problem}' for problem in row.problems)}"
    )
