"""Makes watchers out of what an operator wrote. Called by ingest's `__main__`, which watches beside its REST interface, and by
`razgovor watch run`, which does nothing else. Constructs; also by itself what a process without a REST interface needs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pipeline.audio import sniff
from pipeline.blobs.location import store_at
from pipeline.blobs.metered import MeteredStore
from pipeline.telemetry.metrics import Metrics
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.folder_source import FolderSource
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresRates,
    PostgresSeenFiles,
    PostgresSubmissions,
    migrate,
)
from services.ingest.metered import MeteredSubmissions, counting_crashes
from services.ingest.probing import probing
from services.ingest.rates import RateLimiter
from services.ingest.settings import WatchSettings
from services.ingest.watching import date_folders
from services.ingest.watching.configuration import Configuration, ConfigurationFault, WatcherSettings
from services.ingest.watching.decisions import Rules
from services.ingest.watching.journals import Journals
from services.ingest.watching.ports import LookFacts, Owner, Source
from services.ingest.watching.rounds import Progress
from services.ingest.watching.taking import Taker
from services.ingest.watching.walking import DONE, FAILED, Survey
from services.ingest.watching.watch import Door, Watch
from services.ingest.watching.watcher import UNKNOWN_CLIENT, Watcher

#: Of each watcher: its turn, and what it asks and marks.
_CONNECTIONS: Final = 2
MAX_SECRET_BYTES: Final = 4096
BULK: Final = "bulk"


def database_for(url: str, watchers: int, timeout_s: float) -> Database:
    """Connections of their own for so many watchers: a turn holds one for as long as a look lasts."""
    return Database(url, max_connections=_CONNECTIONS * max(1, watchers), timeout_s=timeout_s)


def made_watchers(
    configuration: Configuration,
    door: Door,
    database: Database,
    metrics: Metrics,
    tell: Callable[[str, Progress], None] = lambda _name, _progress: None,
) -> list[Watcher]:
    """All watchers of a file, ready to run.

    Args:
        configuration: The file.
        door: Where uploads come in.
        database: See `database_for`.
        metrics: Counts.
        tell: Told a watcher's name and how its look goes on.

    Raises:
        ConfigurationFault: A secret cannot be read.
    """
    seen, clients = PostgresSeenFiles(database), PostgresClients(database)
    made = []
    for name, settings in sorted(configuration.watchers.items()):
        watch = watch_of(name, settings, configuration)
        journals = None if settings.journal is None else Journals(settings.journal, FolderSource(Path("/")))
        taker = Taker(watch, door, seen, journals, metrics)
        source = _source(name, settings)
        told = partial(tell, name)
        made.append(Watcher(watch, source, taker, seen, clients, now=_now, metrics=metrics, tell=told))
    return made


def watch_of(name: str, settings: WatcherSettings, configuration: Configuration) -> Watch:
    """A watcher's settings as values."""
    moves = settings.after == "move"
    return Watch(
        owner=Owner(watcher=name, client_id=settings.client),
        patterns=None if settings.pattern is None else configuration.read_with(settings.pattern),
        take_unmatched=settings.unmatched == "take",
        zone=None if settings.zone is None else ZoneInfo(settings.zone),
        layout=settings.layout,
        days=settings.days,
        poll_s=settings.poll_s,
        journal_wait_s=None if settings.journal is None else settings.journal_wait_s,
        priority=settings.priority,
        rules=Rules(
            by_marker=settings.marker is not None, sidecar_required=settings.sidecar == "required", moves=moves
        ),
        survey=Survey(
            suffixes=settings.suffixes,
            marker=settings.marker,
            sidecars=settings.sidecar != "none",
            left_out=frozenset({DONE, FAILED}) if moves else frozenset(),
        ),
    )


def _source(name: str, settings: WatcherSettings) -> Source:
    address = settings.sftp
    if address is None or settings.known_hosts is None:
        return FolderSource(Path(settings.source))
    # The client is a tenth of what ingest loads, and few have such a source.
    from services.ingest.adapters.sftp_source import SftpPlace, SftpSource  # noqa: PLC0415

    return SftpSource(
        SftpPlace(
            host=address.host,
            port=address.port,
            user=address.user,
            folder=address.folder,
            known_hosts=settings.known_hosts,
            private_key=settings.private_key,
            passphrase=_secret(name, settings.passphrase_file),
            password=_secret(name, settings.password_file),
            timeout_s=settings.timeout_s,
        )
    )


def _secret(name: str, path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_SECRET_BYTES).strip("\r\n")
    except (OSError, ValueError) as error:
        raise ConfigurationFault(f"watchers.{name}: {path} cannot be read: {type(error).__name__}") from None


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@contextmanager
def watching_alone(
    settings: WatchSettings,
    configuration: Configuration,
    metrics: Metrics,
    *,
    new_id: Callable[[], str],
    tell: Callable[[str, Progress], None],
) -> Iterator[list[Watcher]]:
    """The watchers of a process that does nothing else.

    Args:
        settings: Of the door.
        configuration: What is watched.
        metrics: Counts.
        new_id: A random id.
        tell: See `made_watchers`.

    Raises:
        Transient: Store or database do not answer.
        Fatal: They refuse us.
        ConfigurationFault: A secret cannot be read.
    """
    url = settings.database_url.get_secret_value()
    store = MeteredStore(store_at(settings.store_url, settings.store_options), metrics)
    store.verify()
    migrate(url)
    database = database_for(url, len(configuration.watchers), settings.database_timeout_s)
    database.open()
    try:
        with probing(settings) as probe:
            submissions = MeteredSubmissions(PostgresSubmissions(database), metrics)
            door = Door(
                store=store,
                # The relay finds by itself what was accepted.
                acceptance=Acceptance(store, submissions, counting_crashes(probe, metrics), lambda: None),
                rates=RateLimiter(PostgresRates(database), time.monotonic),
                sniff=sniff,
                new_id=new_id,
                max_audio_bytes=settings.max_audio_bytes,
                languages=settings.languages,
            )
            yield made_watchers(configuration, door, database, metrics, tell)
    finally:
        database.close()


def chosen(configured: Configuration, only: str | None, *, bulk: bool) -> Configuration:
    """The file with the watchers that are wanted; `bulk`: their jobs at the least urgent priority.

    Raises:
        ConfigurationFault: There is no such watcher.
    """
    if only is not None and only not in configured.watchers:
        raise ConfigurationFault(f"there is no watcher {only}; known: {', '.join(configured.watchers) or 'none'}")
    changed = {"priority": BULK} if bulk else {}
    wanted = {
        name: watcher.model_copy(update=changed)
        for name, watcher in configured.watchers.items()
        if only in {None, name}
    }
    return configured.model_copy(update={"watchers": wanted})


def backfill(watcher: Watcher, first: date, last: date, stop: threading.Event) -> LookFacts:
    """Take what lies in the folders of a span: two looks, because a file is complete when two saw the same.

    Raises:
        Transient: Store or database do not answer.
        LayoutError: The span is none.
    """
    days = date_folders.between(first, last)
    client = watcher.client()
    if client is None:
        return LookFacts(fault=UNKNOWN_CLIENT)
    facts = watcher.look_into(days, client, stop)
    if facts.fault is None and not stop.wait(watcher.poll_s):
        facts = watcher.look_into(days, client, stop)
    return facts
