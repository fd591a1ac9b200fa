"""The ledger on a real PostgreSQL: migrated, as the role that owns its schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from razgovor.embedded.postgres_access import DatabaseUrls
from services.ledger.adapters.postgres import PostgresLedger


@pytest.fixture
def ledger(database_urls: DatabaseUrls) -> Iterator[PostgresLedger]:
    ledger = PostgresLedger(database_urls.ledger)
    ledger.migrate()
    yield ledger
    ledger.close()


@pytest.fixture
def owner(ledger: PostgresLedger, database_urls: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    """A connection as the schema's owner, to look with; the schema is there."""
    del ledger  # it has migrated
    with psycopg.connect(database_urls.ledger, autocommit=True) as connection:
        yield connection
