"""What is measured: ingest with all it needs, the bare door, and stores for both. Started on loopback, stopped behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.accept import ingest, prepared, served
from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.admin import BucketAdmin
from pipeline.stream.kafka_mock import MockCluster
from razgovor.embedded.testing import temporary_postgres
from razgovor.peers.minio import MinioServer


@dataclass(frozen=True, slots=True)
class Store:
    """Where both doors put: its address, what its users need, and the folder in which its server keeps everything."""

    url: str
    data: Path
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def clear(self) -> None:
        """Forget the objects: rounds write gigabytes."""
        for jobs in self.data.rglob("jobs"):
            shutil.rmtree(jobs, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Door:
    """One that is open."""

    name: str
    url: str
    key: str = field(repr=False)
    process: psutil.Process


@contextmanager
def store_of(kind: str, folder: Path) -> Iterator[Store]:
    """A store of its own: `folder`, or `minio`."""
    if kind == "folder":
        place = folder / "store"
        yield Store(place.as_uri(), place)
        return
    with MinioServer(folder / "minio") as server:
        url = f"s3://razgovor?endpoint={server.endpoint}&region={server.region}"
        options = StoreOptions(credentials=Credentials(server.access_key, server.secret_key))
        with closing(BucketAdmin(S3Address.parse(url), options)) as bucket:
            bucket.bucket(apply=True)
        users = {"INGEST_STORE_ACCESS_KEY": server.access_key, "INGEST_STORE_SECRET_KEY": server.secret_key}
        yield Store(url, server.data_folders()[0], users)


@contextmanager
def bare_door(store: Store, folder: Path) -> Iterator[Door]:
    """FastAPI and a put."""
    command = ["bench.front_door.bare", store.url, str(folder / "bare.json")]
    with served(folder, "bare", command, store.environment) as (process, url):
        yield Door("bare", url, "none", process)


@contextmanager
def our_door(store: Store, folder: Path) -> Iterator[Door]:
    """Ingest over PostgreSQL and the mock broker, with a key that may submit."""
    with temporary_postgres() as database, MockCluster() as broker:
        broker.create_topic("audio.uploaded")
        urls, key = prepared(database)
        with ingest(folder, urls.ingest, broker.address, store.url, store.environment) as (process, url):
            yield Door("ingest", url, key, process)
