"""What the services under test stand on: a real Kafka, PostgreSQL and MinIO of the rig's own, with a proxy before each.

The rig itself asks behind the proxies, so that it sees what is there and not what the services are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.blobs.s3 import S3Store
from pipeline.blobs.s3.address import S3Address
from pipeline.blobs.s3.admin import BucketAdmin
from pipeline.blobs.s3.http import S3Http
from pipeline.blobs.s3.listing import list_uploads
from pipeline.contracts import topics
from pipeline.errors import Transient
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection, RegistryConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.registry import ConfluentRegistry, wire_at
from pipeline.stream.wire import Wire
from razgovor.chaos.adapters.broker import Broker
from razgovor.chaos.adapters.record import Record
from razgovor.chaos.proxies import ProxyProcess
from razgovor.chaos.upstream import UPSTREAM_BUCKET, Upstream
from razgovor.embedded.waiting import until
from razgovor.peers.kafka import KafkaServer
from razgovor.peers.kafka_options import KafkaOptions
from razgovor.peers.minio import MinioServer
from razgovor.peers.ports import free_port
from razgovor.peers.postgres import PostgresServer
from razgovor.peers.registry import RegistryServer
from razgovor.peers.server import PeerServer
from razgovor.topics.keeper import Keeper

BUCKET: Final = "razgovor-chaos"
APPLY_TIMEOUT_S: Final = 90.0
SESSION_TIMEOUT_MS: Final = 3000
#: What a real deployment has 48 of; fewer make a small machine's rebalances quicker, and mean the same.
PARTITIONS: Final = 12
_KAFKA: Final = {
    "group.min.session.timeout.ms": "1000",
    "offsets.retention.minutes": "10080",
    # Longer than the peers' 2 s: on a starved machine a broker that lives fences itself again and again.
    "broker.session.timeout.ms": "6000",
}


class Ground:
    """The peers.

    Args:
        folder: Their own; emptied of nothing.
        proxied: Whether the services go through proxies; without, nothing can be broken and nothing is slowed.
        seed: Of the proxies.
        registry: Whether there is a schema registry, and Confluent framing with it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        proxied: bool = True,
        seed: int = 0,
        registry: bool = True,
    ) -> None:
        self._folder = folder
        self._proxied = proxied
        self._seed = seed
        self._stack = ExitStack()
        self._kafka_port = free_port()
        self.kafka = KafkaServer(
            folder / "kafka",
            KafkaOptions(
                proxied_port=self._kafka_port if proxied else None,
                heap_mb=384,
                properties=_KAFKA,
            ),
        )
        self.postgres = PostgresServer(folder / "postgres")
        self.minio = MinioServer(folder / "minio")
        self.registry = RegistryServer(folder / "registry") if registry else None
        self.proxies: dict[str, ProxyProcess] = {}

    @property
    def servers(self) -> tuple[PeerServer, ...]:
        """All peers."""
        named = (self.kafka, self.postgres, self.minio, self.registry)
        return tuple(server for server in named if server is not None)

    def start(self, tell: Callable[[str], None] = lambda _what: None) -> None:
        """Start all, make topics and the bucket."""
        tell(f"starting {', '.join(server.name for server in self.servers)}")
        for server in self.servers:
            self._stack.callback(server.stop)
            server.begin()
        for server in self.servers:
            server.wait_ready()
        if self._proxied:
            self._proxy("kafka", "tcp", self.kafka.proxied_port, self._kafka_port)
            self._proxy("postgres", "tcp", self.postgres.port, 0)
            self._proxy("s3", "http", self.minio.port, 0)
        self.broker = Broker(self.kafka.bootstrap_servers)
        self.record = Record(self.postgres.urls().admin)
        self.make_topics()
        for name in (BUCKET, UPSTREAM_BUCKET):
            with closing(BucketAdmin(self._address(self.minio.port, name), self.store_options)) as bucket:
                bucket.bucket(apply=True)
        self.store = S3Store(self._address(self.minio.port), self.store_options)

    def _proxy(self, name: str, kind: str, upstream: int, port: int) -> None:
        proxy = ProxyProcess(
            "http" if kind == "http" else "tcp",
            f"127.0.0.1:{upstream}",
            self._folder / f"{name}-proxy",
            port=port,
            seed=self._seed,
        )
        self.proxies[name] = self._stack.enter_context(proxy)

    def make_topics(self) -> None:
        """Make topics and register schemas as `razgovor topics apply` does, also after a disk was lost."""
        until(self._applied, APPLY_TIMEOUT_S, "topics and schemas could not be made")
        self.broker.wait_led(tuple(topics.topics()))

    def _applied(self) -> bool:
        with closing(KafkaAdmin(self.direct_kafka)) as admin:
            try:
                return not Keeper(admin, self.registrar, partitions=PARTITIONS).apply()
            except Transient:  # a peer that has just come back answers slowly
                return False

    @property
    def registrar(self) -> ConfluentRegistry | None:
        """Who registers schemas; None: there is no registry."""
        return None if self.registry is None else ConfluentRegistry(RegistryConnection(url=self.registry.url))

    def environment(self, service: str) -> dict[str, str]:
        """A service's addresses and credentials."""
        prefix = service.upper()
        found = {
            f"{prefix}_BOOTSTRAP_SERVERS": self._at("kafka", self.kafka.bootstrap_servers),
            f"{prefix}_KAFKA_SESSION_TIMEOUT_MS": str(SESSION_TIMEOUT_MS),
            f"{prefix}_STORE_URL": self._url_of_store(self._at("s3", f"127.0.0.1:{self.minio.port}")),
            f"{prefix}_STORE_ACCESS_KEY": self.minio.access_key,
            f"{prefix}_STORE_SECRET_KEY": self.minio.secret_key,
        }
        if self.registry is not None:
            found[f"{prefix}_SCHEMA_REGISTRY_URL"] = self.registry.url
        urls = self.postgres.urls(port=self.proxies["postgres"].port if self._proxied else None)
        if service in {"ingest", "ledger"}:
            found[f"{prefix}_DATABASE_URL"] = urls.ingest if service == "ingest" else urls.ledger
        return found

    def upstream(self) -> Upstream:
        """An upstream system with its own bucket here; ingest finds it at `source_url`."""
        bucket = S3Store(self._address(self.minio.port, UPSTREAM_BUCKET), self.store_options)
        return Upstream(bucket, KafkaProducer(self.direct_kafka))

    @property
    def source_url(self) -> str:
        """Where upstream systems' recordings lie, for ingest."""
        return self._url_of_store(self._at("s3", f"127.0.0.1:{self.minio.port}"), bucket="")

    def heal(self) -> None:
        """Let every proxy pass everything again."""
        for proxy in self.proxies.values():
            proxy.set()

    def stop(self) -> None:
        """End all; the folder stays."""
        self._stack.close()

    def _at(self, name: str, directly: str) -> str:
        return self.proxies[name].address if self._proxied else directly

    def _url_of_store(self, address: str, bucket: str = BUCKET) -> str:
        return f"s3://{bucket}?endpoint=http://{address}&region={self.minio.region}"

    def _address(self, port: int, bucket: str = BUCKET) -> S3Address:
        return S3Address(bucket, "http", "127.0.0.1", port, self.minio.region)

    @property
    def direct_kafka(self) -> KafkaConnection:
        """The broker, past its proxy."""
        return KafkaConnection(bootstrap_servers=self.kafka.bootstrap_servers)

    @property
    def wire(self) -> Wire:
        """Reads events as the services do."""
        return wire_at(None if self.registry is None else RegistryConnection(url=self.registry.url))

    @property
    def direct_store_url(self) -> str:
        """The store, past its proxy."""
        return self._url_of_store(f"127.0.0.1:{self.minio.port}")

    def uploads(self) -> int:
        """Multipart uploads that were begun and are neither ended nor given up."""
        return len(list(list_uploads(S3Http(self._address(self.minio.port), self.store_options))))

    @property
    def store_options(self) -> StoreOptions:
        """How the store is reached."""
        return StoreOptions(credentials=Credentials(self.minio.access_key, self.minio.secret_key))
