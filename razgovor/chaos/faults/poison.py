"""Recordings that crash, hang or bloat the decoder or the engine, some with the whole worker: they fail, the others end."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Final

from razgovor.chaos.engine_log import engine_calls
from razgovor.chaos.fault import Fault
from razgovor.chaos.poison import Poison
from razgovor.chaos.stage import Stage

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
        starts = engine_calls(stage.system.engine_log)
        often = Counter({one.job_id: starts[f"{one.job_id}/1"] for one in promises})
        most = max(often.values())
        stage.notes.expect(most <= _STARTS_MAX, f"a poisoned call was begun {most} times")
        stage.notes.expect(stage.kills >= len(_WITH_PARENT), "no worker died with its child")
