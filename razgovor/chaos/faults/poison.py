"""Recordings that crash, hang or bloat the decoder or the engine, some with the whole worker: they fail, the others end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from razgovor.chaos.book import Promise
from razgovor.chaos.engine_log import engine_calls
from razgovor.chaos.fault import Fault
from razgovor.chaos.hands import starts_of
from razgovor.chaos.poison import Poison
from razgovor.chaos.stage import Stage
from services.transcriber.domain.starts import CRASHES_ALONE, CRASHES_TOGETHER

#: Two starts beside others, then two alone, and one more that was in flight when another's poison struck.
_STARTS_MAX: Final = 5
_WITH_PARENT: Final = frozenset({Poison.ENGINE_WITH_PARENT, Poison.DECODER_WITH_PARENT})


class PoisonAudio(Fault):
    """Every kind of poison beside sound calls: each fails with its reason, the sound ones end."""

    number: ClassVar[int] = 14
    name: ClassVar[str] = "poisoned recordings: crash, hang, memory, with the parent"
    drain_s: ClassVar[float] = 400.0

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        with stage.flow(stage.pace.rate_per_s / 2):
            promises = [promise for poison in Poison for promise in stage.send_and_wait(1, poison=poison)]
            stage.tell(f"{len(promises)} poisoned calls are under way")
            stage.system.wait_ended_of([promise.job_id for promise in promises], self.drain_s)
        self._expect_few_starts(stage, promises)
        stage.notes.expect(stage.kills >= len(_WITH_PARENT), "no worker died with its child")

    @staticmethod
    def _expect_few_starts(stage: Stage, promises: Sequence[Promise]) -> None:
        """Of none that was let go of: poison enough in a row, and a worker takes its engine for sick and blames no call."""
        heard = engine_calls(stage.system.engine_log)
        for promise in promises:
            starts = starts_of(stage.ground.store, promise.job_id)
            begun = heard[f"{promise.job_id}/1"] - len(starts.released)
            crashes = len(starts.unreleased)
            what = f"{promise.order.poison}: {promise.job_id}"
            stage.notes.expect(begun <= _STARTS_MAX, f"{what} was begun {begun} times")
            stage.notes.expect(
                crashes <= CRASHES_TOGETHER + CRASHES_ALONE, f"{what} crashed {crashes} workers or children"
            )
