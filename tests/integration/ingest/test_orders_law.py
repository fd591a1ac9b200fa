"""The law of orders over PostgreSQL and the real ledger: what `tests/unit/ingest/test_orders_law.py` holds of the fakes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import psycopg
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from pipeline.contracts.events import JobStatus
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresRuns,
    PostgresStops,
    PostgresSubmissions,
)
from services.ingest.admin import add_key, new_key
from services.ingest.clients import Client
from services.ingest.scopes import SCOPES
from services.ledger.adapters.postgres import PostgresLedger
from tests.integration.databases import DATABASES
from tests.integration.ingest.ledger_events import apply
from tests.unit.ingest.orders_world import QUOTA, Orders, Tables, in_memory


@dataclass(frozen=True)
class House:
    """A database over which one example comes after the other."""

    database: Database
    admin: psycopg.Connection
    ledger: PostgresLedger
    numbers: Iterator[int]

    def emptied(self) -> Tables:
        """Its tables, with a client that the ledger never heard of: what it billed stays billed."""
        client_id = f"acme{next(self.numbers)}"
        self.admin.execute("TRUNCATE ingest.clients CASCADE")
        add_key(
            PostgresClients(self.database), Client(client_id=client_id, name="Acme", quota=QUOTA), *new_key(), SCOPES
        )
        return Tables(
            client_id=client_id,
            submissions=PostgresSubmissions(self.database),
            jobs=PostgresJobs(self.database),
            outbox=PostgresOutbox(self.database),
            runs=PostgresRuns(self.database),
            stops=PostgresStops(self.database),
            hear=self.hear,
            heard=self.heard,
            wait=self.wait,
        )

    def hear(self, said: Sequence[JobStatus]) -> None:
        apply(self.ledger, said)

    def heard(self, job_id: str) -> str | None:
        found = self.admin.execute("SELECT state FROM ledger.jobs_v1 WHERE job_id = %s", (job_id,)).fetchone()
        return None if found is None else str(found[0])

    def wait(self, seconds: int) -> None:
        self.admin.execute("UPDATE ingest.stops SET told_at = told_at - %s * interval '1 second'", (seconds,))


@pytest.fixture(params=DATABASES)
def machine(request: pytest.FixtureRequest) -> Iterator[type[Orders]]:
    """The law, over the tables asked for."""
    if request.param == "memory":
        yield over(in_memory)
        return
    urls: DatabaseUrls = request.getfixturevalue("migrated")
    database: Database = request.getfixturevalue("database")
    with psycopg.connect(urls.admin, autocommit=True) as admin, closing(PostgresLedger(urls.ledger)) as ledger:
        yield over(House(database, admin, ledger, itertools.count()).emptied)


def over(tables: Callable[[], Tables]) -> type[Orders]:
    class OrdersOver(Orders):
        def made(self) -> Tables:
            return tables()

    return OrdersOver


@pytest.mark.slow
@pytest.mark.timeout(600)  # it takes seconds, but where the law is broken a short example is looked for
def test_the_law_holds_over_the_fakes_and_over_postgresql(machine: type[Orders]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=50, stateful_step_count=30, deadline=None))
