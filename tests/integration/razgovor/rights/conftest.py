"""One deployment for all of these tests: its peers and processes take longer to start than most tests to run."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from razgovor.embedded.testing import temporary_folder
from razgovor.peers import MinioServer, PostgresPeer
from razgovor.peers.testing import create_database
from tests.integration.pipeline.stream.secured import secured_kafka
from tests.integration.razgovor.rights.deployment import Deployment


@pytest.fixture(scope="package")
def running(postgres_peer: PostgresPeer) -> Iterator[Deployment]:
    name = f"test_{secrets.token_hex(8)}"
    urls = create_database(postgres_peer, name)
    with (
        temporary_folder() as folder,
        secured_kafka(folder) as kafka,
        MinioServer(folder / "minio") as minio,
    ):
        deployment = Deployment(folder, kafka, minio, urls)
        try:
            deployment.start()
            yield deployment
        finally:
            deployment.stop()
    with psycopg.connect(postgres_peer.admin_url, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def deployment(running: Deployment) -> Iterator[Deployment]:
    """It, held to having been refused nothing: no service ended, and nobody says that something was not allowed."""
    yield running
    assert [death for death in running.crew.deaths if not death.asked] == []
    assert running.refusals() == []
