"""Counts what was committed, for Prometheus. Told by `adapters.postgres` after each transaction; decides nothing.

Each event counts once, as in the ledger itself: repeated and replayed ones do not show here.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts import states
from pipeline.outcome import Outcome
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics
from services.ledger.effects import Effect, KeepResult, MergeRun, RecordEvent
from services.ledger.ports import Ledger


class Figures:
    """Turns committed outcomes into metrics.

    Args:
        metrics: Where they are counted.
        by_client: Whether ends and durations are told apart by client: a label value for each.
    """

    def __init__(self, metrics: Metrics, *, by_client: bool = False) -> None:
        self._metrics = metrics
        self._by_client = by_client
        metrics.start_at_zero(families.LATENCY)

    def committed(self, new: Sequence[Outcome[Effect]]) -> None:
        """Count the outcomes of one transaction, whose events were all new."""
        for outcome in new:
            client = ""
            for effect in outcome.effects:
                if isinstance(effect, RecordEvent):
                    self._metrics.add(families.LEDGER_EVENTS, state=(effect.counted and effect.state) or "unknown")
                elif isinstance(effect, MergeRun):
                    client = effect.client_id if self._by_client else ""
                    self._ended(effect, client)
                elif isinstance(effect, KeepResult):
                    self._metrics.add(families.AUDIO, effect.duration_ms / 1000, client=client)

    def _ended(self, claim: MergeRun, client: str) -> None:
        if claim.state not in states.TERMINAL:
            return
        self._metrics.add(families.JOBS, outcome=claim.state, reason=claim.reason or "", client=client)
        if claim.state == states.COMPLETED and claim.run == 1:
            took_s = (claim.claimed_at - claim.accepted_at).total_seconds()
            self._metrics.observe(families.LATENCY, max(0.0, took_s))


class MeteredLedger:
    """See `ports.Ledger`: any of them, with the time it takes counted."""

    def __init__(self, ledger: Ledger, metrics: Metrics) -> None:
        self._ledger = ledger
        self._metrics = metrics

    def apply(self, outcomes: Sequence[Outcome[Effect]]) -> int:
        """See `Ledger.apply`."""
        with self._metrics.call("database", "apply"):
            return self._ledger.apply(outcomes)
