"""Ingest on a real PostgreSQL that both services migrated, and the ports' adapters, shipped fake and real."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.stream.kafka_mock import MockCluster
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresJobs,
    PostgresOutbox,
    PostgresSubmissions,
)
from services.ingest.admin import create_key
from services.ingest.clients import Client
from tests.integration.databases import DATABASES
from tests.integration.ingest.kafka_world import mock_broker
from tests.integration.ingest.repositories import Repositories, with_both_schemas


@pytest.fixture
def migrated(database_urls: DatabaseUrls) -> DatabaseUrls:
    """A database that knows both schemas."""
    return with_both_schemas(database_urls)


@pytest.fixture
def database(migrated: DatabaseUrls) -> Iterator[Database]:
    database = Database(migrated.ingest, max_connections=8)
    database.open()
    yield database
    database.close()


@pytest.fixture
def key(migrated: DatabaseUrls) -> str:
    return create_key(migrated.ingest, Client(client_id="acme", name="Acme"))


@pytest.fixture
def broker() -> Iterator[MockCluster]:
    with mock_broker() as cluster:
        yield cluster


@pytest.fixture(params=DATABASES)
def repositories(request: pytest.FixtureRequest) -> Repositories:
    """The ports' adapters: the shipped fake and PostgreSQL give the same answers."""
    if request.param == "memory":
        submissions = MemorySubmissions()
        return Repositories(MemoryClients(), submissions, submissions, submissions)
    database = request.getfixturevalue("database")
    return Repositories(
        PostgresClients(database), PostgresSubmissions(database), PostgresJobs(database), PostgresOutbox(database)
    )
