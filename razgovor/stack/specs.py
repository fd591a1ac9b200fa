"""The services of one machine as data for the supervisor: what each runs, needs and is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from razgovor.embedded.broker import broker_command
from razgovor.embedded.owned_process import module_command
from razgovor.embedded.postgres import keeper_command
from razgovor.embedded.postgres_access import DatabaseUrls, passwords, urls_at
from razgovor.embedded.postgres_place import FALLBACK_ROOT
from razgovor.stack import kafka_broker
from razgovor.stack.layout import StackFolder
from razgovor.stack.service_spec import Facts, FactsByName, ServiceSpec

#: What a stack runs as its broker.
Broker: TypeAlias = Literal["mock", "kafka"]
BROKER: Final = "broker"
POSTGRES: Final = "postgres"
INGEST: Final = "ingest"
TRANSCRIBER: Final = "transcriber"
EXPORTER: Final = "exporter"
LEDGER: Final = "ledger"
MOCK_FETCH_WAIT_MS: Final = "20"  # the mock broker answers a fetch that finds nothing only after it
KAFKA_START_TIMEOUT_S: Final = 180.0
KAFKA_STOP_TIMEOUT_S: Final = 45.0
DRAIN_S: Final = 6.0
STOP_TIMEOUT_S: Final = 15.0
POSTGRES_STOP_TIMEOUT_S: Final = 60.0
START_TIMEOUT_S: Final = 90.0
MODEL_START_TIMEOUT_S: Final = 330.0  # a large model from a slow disk
POSTGRES_START_TIMEOUT_S: Final = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """What a stack can be told.

    Attributes:
        host: Address that ingest listens on.
        port: Its port; 0: any free one, kept over its restarts.
        broker: `mock` for a trial, or `kafka`: a Kafka of the stack's own (needs Java). Neither with `bootstrap_servers`.
        bootstrap_servers: A Kafka elsewhere. Its topics are the caller's to make.
        database_urls: A PostgreSQL in place of the embedded one.
        store_url: A store in place of the folder's.
        environment: Further variables for the four services, such as TRANSCRIBER_MODEL.
        fallback_root: See `EmbeddedPostgres`.
    """

    host: str = "127.0.0.1"
    port: int = 0
    broker: Broker = "mock"
    bootstrap_servers: str | None = None
    database_urls: DatabaseUrls | None = None
    store_url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    fallback_root: Path = FALLBACK_ROOT


def stack_specs(folder: StackFolder, options: StackOptions) -> tuple[ServiceSpec, ...]:
    """All services, each after those that it needs."""
    recipe = _Recipe(folder, options)
    return (
        *recipe.peers(),
        recipe.service(LEDGER, database=True),
        recipe.service(TRANSCRIBER, start_timeout_s=MODEL_START_TIMEOUT_S),
        recipe.service(EXPORTER),
        recipe.service(INGEST, database=True, needs=(LEDGER,)),  # it reads the ledger's views
    )


def address_of(facts: Facts) -> str:
    """The address `host:port` that a service names when it is ready, with or without http://."""
    return str(facts["address"]).removeprefix("http://").rstrip("/")


@dataclass(frozen=True, slots=True)
class _Recipe:
    folder: StackFolder
    options: StackOptions
    #: Passwords by role, read once: they never change, and the supervisor asks ten times a second.
    words: dict[str, str] = field(default_factory=dict, repr=False)

    def peers(self) -> tuple[ServiceSpec, ...]:
        """Broker and database, unless others take their place."""
        broker = self.kafka() if self.options.broker == "kafka" else self.mock()
        postgres = ServiceSpec(
            name=POSTGRES,
            command=tuple(
                keeper_command(self.folder.postgres, self.folder.status_file(POSTGRES), self.options.fallback_root)
            ),
            status_file=self.folder.status_file(POSTGRES),
            start_timeout_s=POSTGRES_START_TIMEOUT_S,
            stop_timeout_s=POSTGRES_STOP_TIMEOUT_S,
        )
        wanted = ((broker, self.options.bootstrap_servers), (postgres, self.options.database_urls))
        return tuple(spec for spec, other in wanted if other is None)

    def mock(self) -> ServiceSpec:
        """The mock broker of librdkafka."""
        return ServiceSpec(
            name=BROKER,
            command=tuple(broker_command(self.folder.status_file(BROKER))),
            status_file=self.folder.status_file(BROKER),
            stop_timeout_s=STOP_TIMEOUT_S,
        )

    def kafka(self) -> ServiceSpec:
        """A Kafka over the folder's files."""
        return ServiceSpec(
            name=BROKER,
            command=tuple(kafka_broker.broker_command(self.folder.kafka, self.folder.status_file(BROKER))),
            status_file=self.folder.status_file(BROKER),
            start_timeout_s=KAFKA_START_TIMEOUT_S,
            stop_timeout_s=KAFKA_STOP_TIMEOUT_S,
        )

    def service(
        self,
        name: str,
        *,
        database: bool = False,
        needs: tuple[str, ...] = (),
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> ServiceSpec:
        """One of the four."""
        embedded = [BROKER] if self.options.bootstrap_servers is None else []
        if database and self.options.database_urls is None:
            embedded.append(POSTGRES)
        prefix = name.upper()

        def environment(facts: FactsByName) -> Mapping[str, str]:
            found = {
                **self.options.environment,
                f"{prefix}_BOOTSTRAP_SERVERS": self.bootstrap_servers(facts),
                f"{prefix}_STORE_URL": self.options.store_url or self.folder.store.as_uri(),
                f"{prefix}_STATUS_FILE": str(self.folder.status_file(name)),
                f"{prefix}_STOP_WITH_PARENT": "true",
                f"{prefix}_DRAIN_TIMEOUT_S": str(DRAIN_S),
                f"{prefix}_SCRATCH_DIR": str(self.folder.scratch),
                f"{prefix}_METRICS_PORT": "0",
            }
            if self.options.bootstrap_servers is None and self.options.broker == "mock":
                found[f"{prefix}_KAFKA_FETCH_WAIT_MS"] = MOCK_FETCH_WAIT_MS
            if database:
                urls = self.database_urls(facts)
                found[f"{prefix}_DATABASE_URL"] = urls.ingest if name == INGEST else urls.ledger
            if name == INGEST:
                found |= {"INGEST_HOST": self.options.host, "INGEST_PORT": str(self.options.port)}
            return found

        def again(own: Facts) -> Mapping[str, str]:
            return {"INGEST_PORT": address_of(own).rpartition(":")[2]} if name == INGEST else {}

        return ServiceSpec(
            name=name,
            command=tuple(module_command(f"services.{name}")),
            status_file=self.folder.status_file(name),
            needs=(*embedded, *needs),
            environment=environment,
            again=again,
            start_timeout_s=start_timeout_s,
            stop_timeout_s=STOP_TIMEOUT_S,
        )

    def bootstrap_servers(self, facts: FactsByName) -> str:
        """Kafka's address."""
        return self.options.bootstrap_servers or address_of(facts[BROKER])

    def database_urls(self, facts: FactsByName) -> DatabaseUrls:
        """The database's addresses."""
        if self.options.database_urls is not None:
            return self.options.database_urls
        if not self.words:
            self.words.update(passwords(self.folder.postgres))
        return urls_at(Path(str(facts[POSTGRES]["socket_folder"])), self.words)
