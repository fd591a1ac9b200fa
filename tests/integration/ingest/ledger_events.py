"""Has the real ledger record events, so that its views show them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

from pipeline.contracts.events import Event
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.handler import Arrival, handle


def record(url: str, *events: Event) -> None:
    """Record events, each a second after the one before. Offsets are theirs alone."""
    with closing(PostgresLedger(url)) as ledger:
        apply(ledger, events)


def apply(ledger: PostgresLedger, events: Sequence[Event]) -> None:
    """The same by a ledger that is at hand."""
    ledger.apply(
        [
            handle(
                Arrival(event.TOPIC, 0, number, event.accepted_at + timedelta(seconds=number + 1)),
                event,
                bill_reprocess=True,
            )
            for number, event in enumerate(events)
        ]
    )
