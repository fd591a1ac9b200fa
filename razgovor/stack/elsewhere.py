"""What `razgovor up` is told of peers elsewhere, made ready and put into the stack's options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline import service
from razgovor.embedded import postgres_elsewhere
from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.postgres_place import home_mode, make_folder
from razgovor.peers import peer_set
from razgovor.peers.artefacts import Progress
from razgovor.stack.kafka_broker import make_topics
from razgovor.stack.layout import StackFolder
from razgovor.stack.shared_settings import settings_of_all
from razgovor.stack.specs import EXPORTER, INGEST, LEDGER, TRANSCRIBER, Broker, StackOptions
from razgovor.topics.settings import TopicSettings

SERVICES: Final = (INGEST, TRANSCRIBER, EXPORTER, LEDGER)
OWN_URLS: Final = ("INGEST_DATABASE_URL", "LEDGER_DATABASE_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeersWanted:
    """What a user says; None: the stack's own.

    Attributes:
        broker: What the stack runs without `bootstrap_servers`.
        bootstrap_servers: A Kafka elsewhere; credentials by RAZGOVOR_KAFKA_*.
        database_url: A PostgreSQL elsewhere, as its superuser.
        store_url: `s3://bucket?endpoint=...` or `file:///folder`; credentials by RAZGOVOR_STORE_*.
    """

    broker: Broker = "mock"
    bootstrap_servers: str | None = None
    database_url: str | None = None
    store_url: str | None = None

    @property
    def lasting(self) -> bool:
        """Whether what is announced outlives the broker's process."""
        return self.broker == "kafka" or self.bootstrap_servers is not None


def ready_options(wanted: PeersWanted, port: int, data: Path, progress: Progress) -> StackOptions:
    """Make ready what was said, for a stack in `data`: topics, database, Kafka's jars.

    Raises:
        PeerMissing: The stack's own Kafka lacks a program; the text says how to get it.
        EmbeddedFailed: The database can't be prepared, or the topics are not as they should be.
        Transient: The brokers elsewhere do not answer.
        Fatal: They refuse us.
    """
    if wanted.bootstrap_servers is not None:
        settings = service.load(TopicSettings, bootstrap_servers=wanted.bootstrap_servers)
        make_topics(settings.kafka)
    elif wanted.broker == "kafka":
        peer_set.get_all(["kafka"], progress)
    return StackOptions(
        port=port,
        broker=wanted.broker,
        bootstrap_servers=wanted.bootstrap_servers,
        database_urls=_database(wanted.database_url, os.environ, StackFolder(data.absolute())),
        store_url=wanted.store_url,
        environment=settings_of_all(os.environ, SERVICES),
    )


def _database(admin_url: str | None, environment: Mapping[str, str], folder: StackFolder) -> DatabaseUrls | None:
    """The addresses of a database elsewhere; its administrator's is enough, and the services' own are, too."""
    said = [environment.get(name) for name in OWN_URLS]
    if admin_url is None and not any(said):
        return None
    make_folder(folder.root, home_mode(server_account()))
    make_folder(folder.postgres, home_mode(server_account()))
    if admin_url is not None:
        return postgres_elsewhere.prepare(admin_url, folder.postgres)
    ingest, ledger = said
    if not ingest or not ledger:
        raise EmbeddedFailed(f"{' and '.join(OWN_URLS)} go together")
    return DatabaseUrls(admin="", ingest=ingest, ledger=ledger)
