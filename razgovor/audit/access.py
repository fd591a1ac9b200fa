"""Where the sources are: by AUDITOR_* in the environment, and for what that does not say by the folder of `razgovor up`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline import service
from pipeline.blobs.options import StoreOptions
from pipeline.errors import Fatal
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.registry import wire_at
from pipeline.stream.wire import Wire
from razgovor.audit.adapters.postgres import PostgresDatabase
from razgovor.audit.adapters.stores import objects_at
from razgovor.audit.adapters.topics import LiveTopics
from razgovor.audit.settings import PREFIX, AuditorDatabaseSettings, AuditorKafkaSettings, AuditorStoreSettings
from razgovor.audit.sources import Database, Objects
from razgovor.stack.layout import StackFolder
from razgovor.stack.running import running_broker, running_database


class Access:
    """Makes what an audit reads by.

    Args:
        environment: The process's.
        data: The folder of a running `razgovor up`; heeded only where AUDITOR_DATABASE_URL is not set.
    """

    def __init__(self, environment: Mapping[str, str], data: Path) -> None:
        self._environment = environment
        self._folder = StackFolder(data.absolute())

    def database(self) -> Database:
        """The record and the outbox.

        Raises:
            Fatal: Nobody said where they are.
        """
        if self._says("DATABASE_URL"):
            return PostgresDatabase(service.load(AuditorDatabaseSettings).database_url.get_secret_value())
        url = running_database(self._folder, or_set=f"{PREFIX}DATABASE_URL").auditor
        if not url:
            raise Fatal(f"nobody noted how the auditor reaches this stack's database: set {PREFIX}DATABASE_URL")
        return PostgresDatabase(url)

    def objects(self) -> Objects | None:
        """The store; None: nobody said where it is.

        Raises:
            Fatal: No store can be had there.
        """
        if self._says("STORE_URL"):
            settings = service.load(AuditorStoreSettings)
            return objects_at(settings.store_url, settings.store_options)
        if self._says("DATABASE_URL"):
            return None
        return objects_at(self._folder.store.as_uri(), StoreOptions())

    @contextmanager
    def topics(self) -> Iterator[LiveTopics | None]:
        """The topics; None: nobody said where they are.

        Raises:
            Fatal: The settings cannot be used.
        """
        found = self._brokers()
        if found is None:
            yield None
            return
        topics = LiveTopics(*found)
        try:
            yield topics
        finally:
            topics.close()

    def _brokers(self) -> tuple[KafkaConnection, Wire] | None:
        if self._says("BOOTSTRAP_SERVERS"):
            settings = service.load(AuditorKafkaSettings)
            return settings.kafka, wire_at(settings.registry)
        if self._says("DATABASE_URL"):
            return None
        address = running_broker(self._folder)
        return None if address is None else (KafkaConnection(bootstrap_servers=address), Wire())

    def _says(self, name: str) -> bool:
        return bool(self._environment.get(PREFIX + name))
