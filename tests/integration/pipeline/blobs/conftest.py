"""A bucket on the real S3 server, reached through a proxy that breaks what it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.blobs.s3 import S3Store
from razgovor.chaos.proxies import HttpProxy
from razgovor.peers.addresses import S3Peer
from tests.buckets import Bucket, temporary_bucket


@pytest.fixture
def bucket(s3_peer: S3Peer, tmp_path: Path) -> Iterator[Bucket]:
    with temporary_bucket(s3_peer, scratch_dir=tmp_path) as bucket:
        yield bucket


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[HttpProxy]:
    with HttpProxy(f"{bucket.address.host}:{bucket.address.port}", seed=8) as proxy:
        yield proxy


@pytest.fixture
def store(bucket: Bucket, proxy: HttpProxy) -> S3Store:
    """The bucket behind the proxy; silence is given up soon."""
    return bucket.at(proxy.address, read_timeout_s=0.5)
