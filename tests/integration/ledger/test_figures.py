"""What is counted is what was committed for the first time."""

from __future__ import annotations

import pytest

from pipeline.errors import Transient
from pipeline.outcome import Outcome
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.effects import Effect
from services.ledger.figures import Figures, MeteredLedger
from services.ledger.handler import Arrival, handle


def completed(job_id: str) -> Outcome[Effect]:
    event = samples.job_status(job_id)
    return handle(Arrival(event.TOPIC, 0, 0, samples.ACCEPTED_AT), event, bill_reprocess=True)


def test_a_repeated_event_counts_once(database_urls: DatabaseUrls) -> None:
    metrics = Metrics()
    ledger = PostgresLedger(database_urls.ledger, batch_max_events=2, committed=Figures(metrics).committed)
    ledger.migrate()
    batch = [completed(f"job-{number % 3}") for number in range(7)]
    for _ in range(2):
        ledger.apply(batch)
    ledger.close()
    assert metrics.value(families.JOBS, outcome="completed", reason="", client="") == 3
    assert metrics.value(families.LATENCY, "_count") == 3


def test_what_was_not_committed_does_not_count() -> None:
    metrics = Metrics()
    nowhere = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"
    ledger = MeteredLedger(PostgresLedger(nowhere, committed=Figures(metrics).committed), metrics)
    with pytest.raises(Transient):
        ledger.apply([completed("job-1")])
    assert metrics.value(families.JOBS, outcome="completed", reason="", client="") is None
    away = {"peer": "database", "operation": "apply", "outcome": "transient"}
    assert metrics.value(families.PEER_CALLS, "_count", **away) == 1
