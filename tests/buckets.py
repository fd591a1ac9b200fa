"""A bucket for one test, and what is in it afterwards: nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.http import S3Http
from pipeline.blobs.s3.listing import list_uploads
from razgovor.peers.addresses import S3Peer


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and how its owner reaches it; `at` goes by a proxy."""

    address: S3Address
    options: StoreOptions

    @property
    def url(self) -> str:
        return f"s3://{self.address.bucket}?endpoint={self.address.endpoint}&region={self.address.region}"

    @property
    def http(self) -> S3Http:
        return S3Http(self.address, self.options)

    @property
    def store(self) -> S3Store:
        return S3Store(self.address, self.options)

    def with_scratch(self, folder: Path) -> S3Store:
        return S3Store(self.address, replace(self.options, scratch_dir=folder))

    def at(self, host_and_port: str, *, read_timeout_s: float = 15.0) -> S3Store:
        host, _, port = host_and_port.rpartition(":")
        options = replace(self.options, read_timeout_s=read_timeout_s)
        return S3Store(replace(self.address, host=host, port=int(port)), options)


def owned_bucket(endpoint: str, region: str, credentials: Credentials, *, scratch_dir: Path | None = None) -> Bucket:
    """A bucket that is not there yet."""
    address = S3Address.parse(f"s3://test-{secrets.token_hex(6)}?endpoint={endpoint}&region={region}")
    return Bucket(address, StoreOptions(credentials=credentials, scratch_dir=scratch_dir))


@contextmanager
def temporary_bucket(peer: S3Peer, *, scratch_dir: Path | None = None) -> Iterator[Bucket]:
    credentials = Credentials(peer.access_key, peer.secret_key)
    bucket = owned_bucket(peer.endpoint, peer.region, credentials, scratch_dir=scratch_dir)
    made = bucket.http.request("PUT")
    assert made.status == 200
    try:
        yield bucket
    finally:
        http = bucket.http
        for upload in list_uploads(http):
            http.request("DELETE", upload.key, query={"uploadId": upload.upload_id})
        for found in bucket.store.list(""):
            bucket.store.delete(found.key)
        http.request("DELETE")
