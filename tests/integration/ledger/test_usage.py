"""Usage: append-only, balanced, priced by what stood at acceptance."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from pipeline.outcome import Outcome
from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.effects import Effect
from services.ledger.handler import Arrival, handle

Connection = psycopg.Connection[Any]


def complete(ledger: PostgresLedger, job_id: str = "job-1", **fields: Any) -> None:
    event = samples.job_status(job_id, **fields)
    arrival = Arrival(event.TOPIC, 0, 0, samples.ACCEPTED_AT)
    assert ledger.apply([handle(arrival, event, bill_reprocess=True)]) == 1


def run_of(state: str, run: int, *, bill_reprocess: bool = False, **fields: Any) -> Outcome[Effect]:
    event = samples.job_status(run=run, state=state, **fields)
    arrival = Arrival(event.TOPIC, 0, run, samples.ACCEPTED_AT)
    return handle(arrival, event, bill_reprocess=bill_reprocess)


def billed(owner: Connection) -> list[tuple[Any, ...]]:
    return owner.execute("SELECT calls, billed_ms FROM ledger.usage_v1").fetchall()


def legs(owner: Connection) -> list[tuple[Any, ...]]:
    return owner.execute("SELECT leg, duration_ms, amount, currency FROM ledger.usage ORDER BY job_id, leg").fetchall()


def test_an_entry_has_two_legs_that_sum_to_zero(ledger: PostgresLedger, owner: Connection) -> None:
    complete(ledger)
    assert legs(owner) == [("client", 74_010, Decimal(0), "XXX"), ("service", -74_010, Decimal(0), "XXX")]


def test_the_clients_own_price_beats_the_general_one_and_a_later_one_counts_later(
    ledger: PostgresLedger, owner: Connection
) -> None:
    owner.execute(
        """INSERT INTO ledger.prices VALUES
        ('transcription', NULL, '2026-01-01Z', 1, 'RUB'),
        ('transcription', 'acme', '2026-01-01Z', 2, 'RUB'),
        ('transcription', 'acme', '2026-11-01Z', 0.6, 'RUB'),
        ('transcription', 'acme', '2026-12-01Z', 900, 'RUB'),
        ('else', 'acme', '2026-11-02Z', 900, 'RUB')"""
    )
    complete(ledger)
    complete(ledger, "job-2", client_id="other")
    amounts = [amount for _, _, amount, _ in legs(owner)]
    assert amounts == [Decimal("0.740100"), Decimal("-0.740100"), Decimal("1.233500"), Decimal("-1.233500")]


def test_a_call_that_failed_first_and_completed_later_is_billed_once(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply([run_of("failed", 1), run_of("completed", 2)])
    assert billed(owner) == [(1, 74_010)]
    assert [kind for (kind,) in owner.execute("SELECT DISTINCT kind FROM ledger.usage")] == ["transcription"]


def test_a_reprocess_that_is_not_billed_has_its_entry_taken_back(ledger: PostgresLedger, owner: Connection) -> None:
    owner.execute("INSERT INTO ledger.prices VALUES ('transcription', NULL, '2026-01-01Z', 1, 'RUB')")
    ledger.apply([run_of("completed", 1)])
    owner.execute("INSERT INTO ledger.prices VALUES ('transcription', 'acme', '2026-01-01Z', 9, 'RUB')")
    ledger.apply([run_of("completed", 2)])
    assert billed(owner) == [(1, 74_010)]
    assert owner.execute("SELECT sum(amount), sum(duration_ms) FROM ledger.usage").fetchone() == (0, 0)
    net = "SELECT run, sum(amount) FROM ledger.usage WHERE leg = 'client' GROUP BY run ORDER BY run"
    assert owner.execute(net).fetchall() == [(1, Decimal("1.233500")), (2, Decimal(0))]


def by_days(owner: Connection) -> list[tuple[Any, ...]]:
    return owner.execute("SELECT day::text, calls, billed_ms FROM ledger.usage_days_v1 ORDER BY day").fetchall()


def test_days_are_those_of_utc_and_sum_up_to_the_months(
    ledger: PostgresLedger, owner: Connection, database_urls: DatabaseUrls
) -> None:
    late = samples.ACCEPTED_AT.replace(hour=23, minute=59)
    complete(ledger, "job-1", accepted_at=late)
    complete(ledger, "job-2", accepted_at=late.astimezone(timezone(timedelta(hours=3))))
    complete(ledger, "job-3", accepted_at=late + timedelta(minutes=1))
    second = PostgresLedger(database_urls.ledger)
    complete(second, "job-4", accepted_at=late)
    second.close()
    assert by_days(owner) == [("2026-11-23", 3, 3 * 74_010), ("2026-11-24", 1, 74_010)]
    assert billed(owner) == [(4, 4 * 74_010)]


def test_what_is_waived_is_taken_off_its_day(ledger: PostgresLedger, owner: Connection) -> None:
    ledger.apply([run_of("completed", 1), run_of("completed", 2)])
    assert by_days(owner) == [("2026-11-23", 1, 74_010)]


def test_a_duration_beyond_all_bounds_stops_nobody(ledger: PostgresLedger, owner: Connection) -> None:
    longest = samples.completion().model_copy(update={"duration_ms": 2**63 - 1})
    for number in range(3):
        complete(ledger, f"job-{number}", completion=longest)
    assert by_days(owner) == [("2026-11-23", 3, 2**63 - 1)]


@pytest.mark.parametrize("order", list(itertools.permutations([1, 2, 3])))
def test_the_lowest_completed_run_is_billed_in_whatever_order_they_come(
    ledger: PostgresLedger, owner: Connection, order: tuple[int, ...]
) -> None:
    for run in order:
        ledger.apply([run_of("completed", run)])
    net = "SELECT run, sum(duration_ms) FROM ledger.usage WHERE leg = 'client' GROUP BY run ORDER BY run"
    assert owner.execute(net).fetchall() == [(1, 74_010), (2, 0), (3, 0)]
    assert billed(owner) == [(1, 74_010)]


def test_runs_of_one_job_posted_side_by_side_are_billed_once(
    ledger: PostgresLedger, owner: Connection, database_urls: DatabaseUrls
) -> None:
    others = [PostgresLedger(database_urls.ledger) for _ in range(4)]
    together = threading.Barrier(4)

    def complete_run(one: PostgresLedger, run: int) -> int:
        together.wait(timeout=20)
        return one.apply([run_of("completed", run)])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(complete_run, others, [4, 3, 2, 1])) == 4
    for one in (*others, ledger):
        one.close()
    assert billed(owner) == [(1, 74_010)]


@pytest.mark.parametrize("role", ["ledger", "admin"])
@pytest.mark.parametrize(
    "change",
    ["UPDATE ledger.usage SET duration_ms = 0", "DELETE FROM ledger.usage", "TRUNCATE ledger.usage"],
)
def test_nobody_changes_what_was_posted(
    ledger: PostgresLedger, owner: Connection, database_urls: DatabaseUrls, role: str, change: str
) -> None:
    complete(ledger)
    before = legs(owner)
    with (
        psycopg.connect(getattr(database_urls, role), autocommit=True) as connection,
        pytest.raises(errors.IntegrityConstraintViolation, match="append-only"),
    ):
        connection.execute(sql.SQL(change))
    assert legs(owner) == before


@pytest.mark.parametrize(
    "posted",
    [
        [("client", 5, 0)],
        [("client", 5, 0), ("service", -4, 0)],
        [("client", 5, 1), ("service", -5, -2)],
        [("client", 0, 0)],
    ],
)
def test_an_entry_that_does_not_balance_is_refused(owner: Connection, posted: list[tuple[str, int, int]]) -> None:
    with pytest.raises(errors.IntegrityConstraintViolation, match="balance"):
        owner.execute(
            """INSERT INTO ledger.usage (
                job_id, run, kind, leg, client_id, period, accepted_at, duration_ms, amount, currency)
            SELECT 'j', 1, 'correction', leg, 'acme', '2026-11-01', now(), duration_ms, amount, 'RUB'
            FROM unnest(%s::text[], %s::bigint[], %s::numeric[]) AS legs (leg, duration_ms, amount)""",
            tuple(list(column) for column in zip(*posted, strict=True)),
        )
