"""A PostgreSQL for the adapters: a fresh database with both schemas for each test, on the real peer or on the embedded server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.testing import temporary_postgres
from razgovor.peers.addresses import PostgresPeer
from razgovor.peers.certificates import Certificates
from razgovor.peers.testing import create_database


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    with temporary_postgres() as server:
        yield server


@pytest.fixture
def database_urls(request: pytest.FixtureRequest) -> Iterator[DatabaseUrls]:
    """Addresses of a database that no other test sees: `.admin`, `.ingest`, `.ledger`, `.auditor`.

    It lies where the test's other servers are: a test marked `peers` gets the PostgreSQL of `make peers`, others the wheel's.
    """
    name = f"test_{uuid.uuid4().hex}"
    if request.node.get_closest_marker("peers") is None:
        server: EmbeddedPostgres = request.getfixturevalue("postgres_server")
        yield server.create_database(name)
        return
    peer: PostgresPeer = request.getfixturevalue("postgres_peer")
    yield create_database(peer, name)
    with psycopg.connect(peer.admin_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """An authority of the test's own, and a server's certificate by it."""
    return Certificates(tmp_path / "tls")
