"""The law: whatever the order, the duplicates and the batches, the ledger is the same, byte for byte."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts import states
from pipeline.contracts.events import Event
from pipeline.outcome import Outcome
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger.adapters.postgres import PostgresLedger, checksum
from services.ledger.effects import Effect
from services.ledger.handler import Arrival, handle

TABLES = ("seen", "jobs", "runs", "results", "artefacts", "timings", "usage")
SAID = (states.TRANSCRIBING, states.FAILED, states.CANCELED, states.COMPLETED, states.ERASED, "held")


def everything_that_can_be_said(job_id: str, run: int) -> list[Event]:
    """Of a run whose envelope differs from the other run's, as it never should."""
    days = run if job_id == "job-a" else -run
    accepted_at = samples.ACCEPTED_AT + timedelta(days=days)
    envelope = {"accepted_at": accepted_at, "call_id": f"call-{days}", "client_id": f"client-{days}"}
    return [
        samples.audio_uploaded(job_id, run, **envelope),
        samples.transcript_ready(job_id, run, **envelope),
        *(samples.job_status(job_id, run, state, details={"limit": f"{run}"}, **envelope) for state in SAID),
    ]


WORLD = [event for job in ("job-a", "job-b") for run in (1, 2) for event in everything_that_can_be_said(job, run)]


def outcome(
    number: int, offset: int, *, late: timedelta = timedelta(0), bill_reprocess: bool = True
) -> Outcome[Effect]:
    """Event `number` of the world as it lies in its log; `offset` tells one delivery of it from another."""
    event = WORLD[number]
    written_at = samples.ACCEPTED_AT + timedelta(seconds=(number * 37) % 61, microseconds=number) + late
    return handle(Arrival(event.TOPIC, number % 3, offset, written_at), event, bill_reprocess=bill_reprocess)


def apply_in_batches(ledger: PostgresLedger, outcomes: Sequence[Outcome[Effect]], cuts: Sequence[int]) -> int:
    edges = [0, *sorted(cuts), len(outcomes)]
    return sum(ledger.apply(outcomes[first:last]) for first, last in itertools.pairwise(edges) if first < last)


def wipe(admin: psycopg.Connection[Any]) -> None:
    """Empty the tables under the append-only trigger, as only a superuser can."""
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("TRUNCATE " + ", ".join(f"ledger.{table}" for table in TABLES))


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Some of the world's events; a delivery of them with duplicates in any order; where it is cut into batches."""
    said = draw(st.lists(st.sampled_from(range(len(WORLD))), min_size=8, max_size=14, unique=True))
    again = draw(st.lists(st.sampled_from(said), max_size=len(said)))
    delivered = draw(st.permutations([*said, *again]))
    # Many cuts: within a transaction the ledger sorts, so only its borders let the order through.
    cuts = draw(st.lists(st.integers(0, len(delivered)), min_size=len(delivered) // 2, max_size=len(delivered)))
    return said, delivered, cuts


@pytest.mark.parametrize("bill_reprocess", [True, False], ids=["billed", "waived"])
def test_any_order_with_duplicates_in_any_batches_gives_the_same_ledger(
    ledger: PostgresLedger, owner: psycopg.Connection[Any], database_urls: DatabaseUrls, *, bill_reprocess: bool
) -> None:
    billed = partial(outcome, bill_reprocess=bill_reprocess)
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:

        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(deliveries())
        def law(drawn: tuple[list[int], list[int], list[int]]) -> None:
            said, delivered, cuts = drawn
            wipe(admin)
            assert ledger.apply([billed(number, offset) for offset, number in enumerate(sorted(said))]) == len(said)
            in_order = checksum(owner)
            wipe(admin)
            shuffled = [billed(number, 1000 + offset) for offset, number in enumerate(delivered)]
            assert apply_in_batches(ledger, shuffled, cuts) == len(said)
            assert checksum(owner) == in_order
            assert apply_in_batches(ledger, shuffled[::-1], cuts) == 0
            assert checksum(owner) == in_order

        law()


HOUR = timedelta(hours=1)


def states_and_bills(owner: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    states_of = "SELECT job_id, run, state, reason FROM ledger.runs ORDER BY job_id, run"
    bills = (
        "SELECT job_id, run, kind, leg, period, duration_ms, amount FROM ledger.usage ORDER BY job_id, run, kind, leg"
    )
    return [*owner.execute(states_of).fetchall(), *owner.execute(bills).fetchall()]


def test_everything_three_times_shuffled_and_an_hour_late_changes_nothing(
    ledger: PostgresLedger, owner: psycopg.Connection[Any]
) -> None:
    everything = list(range(len(WORLD)))
    ledger.apply([outcome(number, number) for number in everything])
    before = checksum(owner)
    again = everything * 3
    random.Random(11).shuffle(again)  # noqa: S311  an order, and always the same
    late = [outcome(number, 1000 + offset, late=HOUR) for offset, number in enumerate(again)]
    assert apply_in_batches(ledger, late, range(0, len(late), 7)) == 0
    assert checksum(owner) == before


def test_whatever_is_an_hour_late_states_and_bills_are_the_same(
    ledger: PostgresLedger, owner: psycopg.Connection[Any], database_urls: DatabaseUrls
) -> None:
    everything = list(range(len(WORLD)))
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:

        def said(late: frozenset[int]) -> list[tuple[Any, ...]]:
            wipe(admin)
            in_time = [outcome(number, number) for number in everything if number not in late]
            after = [outcome(number, number, late=HOUR) for number in everything if number in late]
            apply_in_batches(ledger, [*in_time, *after], range(0, len(everything), 5))
            return states_and_bills(owner)

        in_time = said(frozenset())

        @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.frozensets(st.sampled_from(everything)))
        def law(late: frozenset[int]) -> None:
            assert said(late) == in_time

        law()


def test_the_checksum_sees_every_event(ledger: PostgresLedger, owner: psycopg.Connection[Any]) -> None:
    sums = [checksum(owner)]
    for number in range(len(WORLD)):
        ledger.apply([outcome(number, number)])
        sums.append(checksum(owner))
    assert len(set(sums)) == len(sums)


@pytest.mark.parametrize("batch_max_events", [1, 3, 500])
def test_a_batch_larger_than_a_transaction_is_applied_whole(
    database_urls: DatabaseUrls, ledger: PostgresLedger, owner: psycopg.Connection[Any], batch_max_events: int
) -> None:
    small = PostgresLedger(database_urls.ledger, batch_max_events=batch_max_events)
    batch = [outcome(number, number) for number in (*range(len(WORLD)), *range(len(WORLD)))]
    assert small.apply(batch) == len(WORLD)
    small.close()
    before = checksum(owner)
    assert ledger.apply(batch) == 0
    assert checksum(owner) == before
