"""How an operator's commands reach what the services use: by the services' settings, or by the folder of `razgovor up`.

With LEDGER_DATABASE_URL in the environment `LEDGER_*` says everything but ingest's database (INGEST_DATABASE_URL).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from pipeline import service
from pipeline.blobs.location import store_at
from pipeline.blobs.ports import BlobStore
from pipeline.errors import Fatal
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Producer
from pipeline.stream.registry import wire_at
from pipeline.stream.wire import Wire
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.operator import operator
from razgovor.stack.layout import StackFolder
from razgovor.stack.running import running_broker, running_database
from services.ingest.admin import runs_at
from services.ingest.runs import Runs
from services.ledger.admin import letters_at
from services.ledger.letters import DeadLetterBox
from services.ledger.settings import LedgerSettings

LEDGER_URL: Final = "LEDGER_DATABASE_URL"
INGEST_URL: Final = "INGEST_DATABASE_URL"
BOOTSTRAP_SERVERS: Final = "LEDGER_BOOTSTRAP_SERVERS"


class Access:
    """What a command may need, each made when it is asked for. Every method may raise Fatal: it is not said where it is.

    Args:
        environment: The process's.
        data: The folder of a running `razgovor up`, for what the environment does not say.
    """

    def __init__(self, environment: Mapping[str, str], data: Path) -> None:
        self._environment = environment
        self._folder = StackFolder(data.absolute())

    def letters(self) -> DeadLetterBox:
        """The ledger's dead letters."""
        settings = self._settings
        url = self._urls.ledger if settings is None else settings.database_url.get_secret_value()
        return letters_at(url, by=operator())

    @contextmanager
    def runs(self) -> Iterator[Runs]:
        """Where runs are started."""
        url = self._environment.get(INGEST_URL)
        if url is None and self._settings is not None:
            raise Fatal(f"starting a run needs ingest's database: {INGEST_URL}")
        with runs_at(url or self._urls.ingest) as runs:
            yield runs

    def store(self) -> BlobStore:
        """The store."""
        if self._settings is None:
            return store_at(self._folder.store.as_uri())
        return store_at(self._settings.store_url, self._settings.store_options)

    @contextmanager
    def producer(self) -> Iterator[Producer]:
        """A producer of the broker."""
        settings = self._settings
        connection = KafkaConnection(bootstrap_servers=self._broker()) if settings is None else settings.kafka
        producer = KafkaProducer(connection)
        try:
            producer.verify()
            yield producer
        finally:
            producer.close()

    def wire(self) -> Wire:
        """Reads events as the services do."""
        return wire_at(None if self._settings is None else self._settings.registry)

    @cached_property
    def _settings(self) -> LedgerSettings | None:
        return service.load(LedgerSettings) if self._environment.get(LEDGER_URL) else None

    @cached_property
    def _urls(self) -> DatabaseUrls:
        return running_database(self._folder, or_set=LEDGER_URL)

    def _broker(self) -> str:
        address = self._environment.get(BOOTSTRAP_SERVERS) or running_broker(self._folder)
        if address is None:
            raise Fatal(f"no broker runs in {self._folder.root}; set {BOOTSTRAP_SERVERS}")
        return address
