from __future__ import annotations

from datetime import timedelta

from pipeline.contracts.events import Event
from pipeline.outcome import Outcome
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from pipeline.testing import samples
from services.ledger.effects import Effect
from services.ledger.figures import Figures
from services.ledger.handler import Arrival, handle

TOOK_S = 42.0


def outcome(event: Event) -> Outcome[Effect]:
    at = samples.ACCEPTED_AT + timedelta(seconds=TOOK_S)
    return handle(Arrival(event.TOPIC, 0, 0, at), event, bill_reprocess=True)


def counted(*said: Event, by_client: bool = False) -> Metrics:
    metrics = Metrics()
    Figures(metrics, by_client=by_client).committed([outcome(event) for event in said])
    return metrics


def test_ends_are_counted_with_their_reasons() -> None:
    metrics = counted(
        samples.job_status("job-1"), samples.job_status("job-2"), samples.job_status("job-3", state="failed")
    )
    assert metrics.value(families.JOBS, outcome="completed", reason="", client="") == 2
    assert metrics.value(families.JOBS, outcome="failed", reason="no_audio", client="") == 1


def test_what_is_under_way_is_no_end() -> None:
    metrics = counted(samples.audio_uploaded(), samples.transcript_ready(), samples.job_status(state="transcribing"))
    assert metrics.value(families.JOBS, outcome="transcribing", reason="", client="") is None
    assert metrics.value(families.LEDGER_EVENTS, state="queued") == 1
    assert metrics.value(families.LEDGER_EVENTS, state="transcribed") == 1
    assert metrics.value(families.LATENCY, "_count") == 0


def test_clients_are_told_apart_only_when_wanted() -> None:
    assert counted(samples.job_status()).value(families.AUDIO, client="") == 74.01
    assert counted(samples.job_status(), by_client=True).value(families.AUDIO, client="acme") == 74.01


def test_latency_is_from_acceptance_to_completed_of_first_runs() -> None:
    metrics = counted(samples.job_status(), samples.job_status(run=2), samples.job_status("job-2", state="failed"))
    assert metrics.value(families.LATENCY, "_count") == 1
    assert metrics.value(families.LATENCY, "_sum") == TOOK_S


def test_a_claim_of_a_newer_release_counts_as_unknown() -> None:
    metrics = counted(samples.job_status(state="held"))
    assert metrics.value(families.LEDGER_EVENTS, state="unknown") == 1
    assert metrics.value(families.JOBS, outcome="held", reason="", client="") is None
