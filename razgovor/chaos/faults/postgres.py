"""Faults of PostgreSQL: stopped at once, and connections cut in the middle of COMMIT."""

from __future__ import annotations

from typing import ClassVar, Final

from razgovor.chaos.clients import UNAVAILABLE
from razgovor.chaos.fault import POSTGRES_LIMIT_S, Fault
from razgovor.chaos.proxies.faults import CutAt
from razgovor.chaos.stage import Stage

_CUTS: Final = 6


class PostgresDown(Fault):
    """Stopped as by `pg_ctl -m immediate`, and connections cut at COMMIT: 503 meanwhile, no effect twice."""

    number: ClassVar[int] = 6
    name: ClassVar[str] = "PostgreSQL stopped at once, COMMIT cut"
    limit_s: ClassVar[float] = POSTGRES_LIMIT_S
    answers: ClassVar[frozenset[int]] = frozenset({UNAVAILABLE})
    peer_limit: ClassVar[bool] = True

    def play(self, stage: Stage) -> None:
        """See `Fault.play`."""
        with stage.flow():
            stage.pause(1.0)
            stage.ground.postgres.crash()
            stage.pause(stage.pace.outage_s)
            stage.ground.postgres.start()
            stage.tell(f"PostgreSQL is back, flow after {stage.recovered():.1f} s")
            for forwarded in (True, False):
                stage.ground.proxies["postgres"].set(CutAt(pattern="COMMIT", forwarded=forwarded, times=_CUTS))
                stage.pause(3.0)
            cuts = stage.ground.proxies["postgres"].befallen().get("cut_at", 0)
            stage.notes.expect(cuts >= _CUTS, f"only {cuts} connections were cut at COMMIT")
            stage.ground.heal()
        stage.notes.expect(stage.answers[UNAVAILABLE], "no upload was answered with 503 while PostgreSQL was away")
        without = stage.system.clients.without_retry_after
        stage.notes.expect(not without, f"{without} answers 503 came without Retry-After")
