"""The real servers of `make peers`, for every tier that can use them. Each test takes topics, buckets, groups of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

import pytest

from razgovor.peers.addresses import KafkaPeer, PeerAddresses, PostgresPeer, RegistryPeer, S3Peer, SftpPeer
from razgovor.peers.testing import PeersAbsent, running
from tests.lacking import skip_or_fail

T = TypeVar("T")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test marked `peers` may also start servers of its own: where a set runs, what they are made of is there.

    `peers(running=False)`: it needs none of them, only programs that `make peers` looks for too, and asks for those itself.
    """
    marker = item.get_closest_marker("peers")
    if marker is not None and marker.kwargs.get("running", True):
        _peer(lambda peers: peers)


def _peer(pick: Callable[[PeerAddresses], T | None]) -> T:
    try:
        return running(os.environ, pick)
    except PeersAbsent as absent:
        skip_or_fail(str(absent))


@pytest.fixture(scope="session")
def kafka_peer() -> KafkaPeer:
    return _peer(lambda peers: peers.kafka)


@pytest.fixture(scope="session")
def registry_peer() -> RegistryPeer:
    return _peer(lambda peers: peers.registry)


@pytest.fixture(scope="session")
def s3_peer() -> S3Peer:
    return _peer(lambda peers: peers.s3)


@pytest.fixture(scope="session")
def postgres_peer() -> PostgresPeer:
    return _peer(lambda peers: peers.postgres)


@pytest.fixture(scope="session")
def sftp_peer() -> SftpPeer:
    return _peer(lambda peers: peers.sftp)
