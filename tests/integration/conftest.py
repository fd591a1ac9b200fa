"""Real peers for the adapters: one PostgreSQL for the session, a fresh database with both schemas for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_postgres

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    with temporary_postgres() as server:
        yield server


@pytest.fixture
def database_urls(postgres_server: EmbeddedPostgres) -> DatabaseUrls:
    """Addresses of a database that no other test sees: `.admin`, `.ingest`, `.ledger`."""
    return postgres_server.create_database(f"test_{next(_NUMBERS)}")
