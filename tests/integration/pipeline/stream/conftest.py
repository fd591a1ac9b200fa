"""Servers of these tests' own: they are restarted, emptied and refused on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from pipeline.stream.connection import RegistryConnection
from pipeline.stream.registry import ConfluentRegistry
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import RegistryServer
from tests.integration.pipeline.stream.secured import SecuredKafka, secured_kafka


@pytest.fixture(scope="package")
def kafka() -> Iterator[SecuredKafka]:
    with temporary_folder() as folder, secured_kafka(folder) as running:
        yield running


@pytest.fixture
def registry_at() -> Iterator[Callable[[RegistryServer], ConfluentRegistry]]:
    """Makes clients of a registry, each with a cache of its own, and lets them go."""
    with ExitStack() as opened:

        def connect(server: RegistryServer) -> ConfluentRegistry:
            client = ConfluentRegistry(RegistryConnection(url=server.url))
            opened.callback(client.close)
            return client

        yield connect


@pytest.fixture(scope="package")
def own_registry() -> Iterator[RegistryServer]:
    with temporary_folder() as folder, RegistryServer(folder / "registry") as running:
        yield running
