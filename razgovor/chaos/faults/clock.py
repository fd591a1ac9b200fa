"""Workers whose clocks are an hour off: nothing depends on a worker's clock."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from razgovor.chaos.fault import CannotPlay, Fault
from razgovor.chaos.stage import Stage

_PLACES: Final = ("/usr/lib", "/usr/local/lib", "/lib")
_NAME: Final = "faketime/libfaketime.so.1"
_OFFSETS: Final = ("+3600s", "-3600s")


def libfaketime() -> Path:
    """The library that tells a process another time.

    Raises:
        CannotPlay: It is not installed.
    """
    for place in _PLACES:
        for found in (*Path(place).glob(_NAME), *Path(place).glob(f"*/{_NAME}")):
            return found
    raise CannotPlay("libfaketime is not installed (Debian: apt-get install libfaketime)")


class WrongClocks(Fault):
    """One worker of each service an hour ahead, then an hour behind: the bill's times are the database's."""

    number: ClassVar[int] = 10
    name: ClassVar[str] = "workers' clocks an hour off"

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        library = libfaketime()
        workers = [stage.system.workers(service)[0] for service in ("ledger", "ingest", "transcriber", "exporter")]
        with stage.flow():
            for offset in _OFFSETS:
                stage.tell(f"clocks at {offset}")
                life = {"LD_PRELOAD": str(library), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
                for worker in workers:
                    stage.system.crew.renew(worker, life)
                stage.pause(1.0)
                stage.system.crew.wait_ready()
                stage.pause(4.0)
            for worker in workers:
                stage.system.crew.renew(worker)
            stage.pause(1.0)
            stage.system.crew.wait_ready()
        stage.system.wait_ended(self.drain_s, stage.first_promise)
        off_s = stage.ground.record.worst_acceptance_s(
            {promise.job_id: promise.accepted_at_s for promise in stage.promises}
        )
        stage.notes.expect(off_s < self.limit_s, f"a call was accepted {off_s:.0f} s off the database's clock")
