"""PostgreSQL away, refusing, or giving up on us: what becomes of it, and that the ledger goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pipeline.errors import Fatal, Transient
from pipeline.outcome import Outcome
from pipeline.testing import samples
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_postgres
from services.ledger.adapters.postgres import PostgresLedger
from services.ledger.adapters.postgres.errors import translated
from services.ledger.effects import Effect
from services.ledger.handler import Arrival, handle


def completed(job_id: str) -> Outcome[Effect]:
    event = samples.job_status(job_id)
    return handle(Arrival(event.TOPIC, 0, 0, samples.ACCEPTED_AT), event, bill_reprocess=True)


@pytest.fixture
def own_server() -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop."""
    with temporary_postgres() as server:
        yield server


def test_a_server_that_crashed_is_waited_for_and_the_same_batch_counts_once(own_server: EmbeddedPostgres) -> None:
    urls = own_server.urls()
    ledger = PostgresLedger(urls.ledger)
    ledger.migrate()
    assert ledger.apply([completed("job-1")]) == 1
    crash(own_server)
    for _ in range(2):
        with pytest.raises(Transient):
            ledger.apply([completed("job-1"), completed("job-2")])
    with pytest.raises(Transient):
        ledger.migrate()
    assert own_server.start() == urls
    assert ledger.apply([completed("job-1"), completed("job-2")]) == 1
    ledger.migrate()
    ledger.close()


def crash(server: EmbeddedPostgres) -> None:
    """Kill the server's keeper, and the server with it: after no orderly stop the address stays the same."""
    assert server.keeper_pid is not None
    os.kill(server.keeper_pid, signal.SIGKILL)
    address = server.urls().admin
    eventually(lambda: not answers(address))
    server.stop()


def answers(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


def test_a_cut_connection_is_made_again(ledger: PostgresLedger, database_urls: DatabaseUrls) -> None:
    ledger.apply([completed("job-1")])
    with psycopg.connect(database_urls.admin, autocommit=True) as admin:
        cut = admin.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = 'razgovor-ledger' AND datname = current_database()"
        ).fetchall()
    assert cut == [(True,)]
    with pytest.raises(Transient, match="apply"):
        ledger.apply([completed("job-2")])
    assert ledger.apply([completed("job-1"), completed("job-2")]) == 1


def test_a_batch_that_is_refused_leaves_nothing_and_is_fatal(
    ledger: PostgresLedger, owner: psycopg.Connection[Any]
) -> None:
    owner.execute("ALTER TABLE ledger.timings RENAME TO elsewhere")
    with pytest.raises(Fatal, match="apply: UndefinedTable 42P01"):
        ledger.apply([completed("job-1")])
    assert owner.execute("SELECT count(*) FROM ledger.seen").fetchone() == (0,)
    owner.execute("ALTER TABLE ledger.elsewhere RENAME TO timings")
    assert ledger.apply([completed("job-1")]) == 1


@pytest.mark.parametrize(
    "error",
    [
        psycopg.errors.DeadlockDetected(),
        psycopg.errors.SerializationFailure(),
        psycopg.errors.DiskFull(),
        psycopg.errors.TooManyConnections(),
        psycopg.errors.AdminShutdown(),
        psycopg.errors.CannotConnectNow(),
        psycopg.errors.QueryCanceled(),
        psycopg.errors.LockNotAvailable(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_is_transient(error: psycopg.Error) -> None:
    with pytest.raises(Transient, match=f"apply: {type(error).__name__} {error.sqlstate}"), translated("apply"):
        raise error


def test_an_error_says_nothing_of_the_row() -> None:
    with pytest.raises(Fatal) as caught, translated("apply"):
        raise psycopg.errors.NotNullViolation("DETAIL: Failing row contains (Иванов)")
    assert str(caught.value) == "apply: NotNullViolation 23502"


def test_a_wrong_password_is_named_and_not_shown(database_urls: DatabaseUrls) -> None:
    wrong = database_urls.ledger.replace("razgovor_ledger:", "razgovor_ledger:x")
    with pytest.raises(Fatal, match="password authentication failed") as caught:
        PostgresLedger(wrong).migrate()
    assert wrong.split(":")[2].split("@")[0] not in str(caught.value)


def test_an_address_that_is_none_is_fatal() -> None:
    with pytest.raises(Fatal):
        PostgresLedger("postgresql://?nonsense=1").migrate()
