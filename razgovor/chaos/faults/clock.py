"""Workers whose clocks are an hour off, or jump: nothing depends on a worker's clock."""

from __future__ import annotations

from typing import ClassVar, Final

from razgovor.chaos.fault import Fault
from razgovor.chaos.stage import Stage

_HOUR_S: Final = 3600.0
_JUMPS_S: Final = 2.0
#: Of each round: offset and jumps of the first worker of each service, then of the second.
_ROUNDS: Final = (((_HOUR_S, 0.0), (-_HOUR_S, 0.0)), ((_HOUR_S, _JUMPS_S), (0.0, 0.0)))
#: Between ingest's commit and the client's reading of the answer.
_TOLERANCE_S: Final = 30.0


class WrongClocks(Fault):
    """Of each service one worker an hour ahead and one behind, then one jumping: the bill's times are the database's."""

    number: ClassVar[int] = 10
    name: ClassVar[str] = "workers' clocks an hour off, and jumping"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        services = [stage.system.workers(service)[:2] for service in ("ledger", "ingest", "transcriber", "exporter")]
        with stage.flow():
            for clocks in _ROUNDS:
                stage.tell(
                    "clocks " + ", ".join(f"{off:+.0f} s off{', jumping' * bool(jumps)}" for off, jumps in clocks)
                )
                lives = {
                    worker: {"RAZGOVOR_CLOCK_OFFSET_S": str(offset_s), "RAZGOVOR_CLOCK_JUMPS_S": str(jumps_s)}
                    for workers in services
                    for worker, (offset_s, jumps_s) in zip(workers, clocks, strict=False)
                }
                stage.renewed(lives)
                stage.pause(4.0)
            stage.renewed({workers[0]: {} for workers in services})
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        uploads = [promise for promise in stage.promises if not promise.order.by_event]
        promised = {promise.job_id: promise.accepted_at_s for promise in uploads}
        off_s = stage.ground.record.worst_acceptance_s(promised)
        stage.notes.expect(off_s < _TOLERANCE_S, f"a call was accepted {off_s:.0f} s off the database's clock")
