from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import Transient
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from services.ingest.backlog import EVERY_S, BacklogGauge, Waiting


class Measured:
    """Answers with `found`; None: the database is away. Each answer takes `takes_s`."""

    def __init__(self) -> None:
        self.found: Sequence[Waiting] | None = ()
        self.takes_s = 0.0
        self.now_s = 0.0

    def monotonic_s(self) -> float:
        return self.now_s

    def measure(self) -> Sequence[Waiting]:
        self.now_s += self.takes_s
        if self.found is None:
            raise Transient("away")
        return self.found


def bulk(jobs: int, state: str = "waiting") -> Waiting:
    return Waiting(priority="bulk", state=state, jobs=jobs, audio_s=jobs * 60.0, oldest_s=5.0)


def test_it_shows_jobs_audio_and_age_and_forgets_what_is_empty_now() -> None:
    backlog, metrics = Measured(), Metrics()
    gauge = BacklogGauge(backlog, metrics)
    backlog.found = [bulk(10), bulk(3, "announced")]
    gauge.step()
    assert metrics.value(families.BACKLOG_JOBS, priority="bulk", state="waiting") == 10
    assert metrics.value(families.BACKLOG_AUDIO, priority="bulk", state="announced") == 180.0
    assert metrics.value(families.BACKLOG_AGE, priority="bulk", state="waiting") == 5.0
    backlog.found = [bulk(2, "announced")]
    gauge.step()
    assert metrics.value(families.BACKLOG_JOBS, priority="bulk", state="waiting") is None
    assert metrics.value(families.BACKLOG_JOBS, priority="bulk", state="announced") == 2


def test_while_the_database_is_away_it_stays_as_it_was() -> None:
    backlog, metrics = Measured(), Metrics()
    gauge = BacklogGauge(backlog, metrics)
    backlog.found = [bulk(10)]
    gauge.step()
    backlog.found = None
    gauge.step()
    assert metrics.value(families.BACKLOG_JOBS, priority="bulk", state="waiting") == 10
    away = {"peer": "database", "operation": "measure_backlog", "outcome": "transient"}
    assert metrics.value(families.PEER_CALLS, "_count", **away) == 1


def test_measuring_takes_a_small_part_of_the_time() -> None:
    backlog = Measured()
    gauge = BacklogGauge(backlog, Metrics(), backlog.monotonic_s)
    assert gauge.step() == EVERY_S
    backlog.takes_s = 3.0
    assert gauge.step() == 60.0
