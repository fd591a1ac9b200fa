"""Looks at a source again and again, and has `taking` take what is complete. A thread of its own, so that a slow server holds up no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from pipeline.errors import Permanent, Transient
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics
from services.ingest.clients import Client
from services.ingest.ports import Clients
from services.ingest.watching import date_folders
from services.ingest.watching.decisions import Look
from services.ingest.watching.ports import LookFacts, SeenFiles, Source, SourceFault
from services.ingest.watching.rounds import Progress, Round
from services.ingest.watching.taking import Taker
from services.ingest.watching.watch import Watch

UNKNOWN_CLIENT: Final = "unknown_client"
WATCHED_ELSEWHERE: Final = "watched_elsewhere"
#: Faults that a look more would hardly mend: it is looked less and less often.
_ASK_SELDOM: Final = frozenset(
    {UNKNOWN_CLIENT, "access_denied", "host_key_refused", "key_unreadable", "source_missing", "source_unavailable"}
)
_FIRST_BACKOFF_S: Final = 1.0
_LONGEST_BACKOFF_S: Final = 300.0


class Watcher:
    """Watches one source.

    Args:
        watch: What it does.
        source: Where it looks.
        taker: Takes files.
        seen: What was seen.
        clients: Whose settings count.
        now: Our own clock, with a zone.
        metrics: Counts looks.
        tell: Told how a look goes on.
    """

    def __init__(
        self,
        watch: Watch,
        source: Source,
        taker: Taker,
        seen: SeenFiles,
        clients: Clients,
        *,
        now: Callable[[], datetime],
        metrics: Metrics,
        tell: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        self._watch = watch
        self._source = source
        self._taker = taker
        self._seen = seen
        self._clients = clients
        self._now = now
        self._metrics = metrics
        self._tell = tell
        self._earlier: dict[str, Look] = {}
        self._pause_s = 0.0
        self._log = logs.get(__name__)

    @property
    def name(self) -> str:
        """The watcher's name."""
        return self._watch.owner.watcher

    @property
    def poll_s(self) -> float:
        """Between two looks."""
        return self._watch.poll_s

    def client(self) -> Client | None:
        """Whose recordings it fetches, with the settings of now.

        Raises:
            Transient: The database does not answer.
        """
        return self._clients.fetch(self._watch.owner.client_id)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop; less often while source, store or database do not answer.

        Raises:
            Fatal: The database refuses us.
        """
        failures = 0
        while not stop.is_set():
            try:
                failed = self.look(stop).fault in _ASK_SELDOM
            except (Transient, Permanent) as error:
                failed = True
                self._log.warning("watcher_waits", watcher=self.name, error=str(error))
            self._metrics.add(families.WATCHER_LOOKS, watcher=self.name, outcome="failed" if failed else "done")
            failures = failures + 1 if failed else 0
            backoff_s = min(_LONGEST_BACKOFF_S, _FIRST_BACKOFF_S * 2 ** min(failures, 20)) if failures else 0.0
            stop.wait(max(self._watch.poll_s, backoff_s, self._pause_s))

    def look(self, stop: threading.Event) -> LookFacts:
        """Look once into the folders of the last days.

        Raises:
            Transient: Store or database do not answer.
        """
        owner = self._watch.owner
        client = self.client()
        if client is None:
            self._log.warning("watcher_waits", watcher=self.name, error=UNKNOWN_CLIENT)
            return LookFacts(fault=UNKNOWN_CLIENT)
        with self._seen.turn(owner) as taken:
            if not taken:
                return LookFacts(fault=WATCHED_ELSEWHERE)
            today = self._now().astimezone(self._watch.zone).date()
            facts = self.look_into(date_folders.last_days(today, self._watch.days), client, stop)
        self._metrics.set(families.WATCHED_FOUND, facts.found, watcher=self.name)
        self._metrics.set(families.WATCHED_WAITING, facts.waiting, watcher=self.name)
        return facts

    def look_into(self, days: tuple[date, ...], client: Client, stop: threading.Event) -> LookFacts:
        """Look once into the folders of these days.

        Raises:
            Transient: Store or database do not answer.
        """
        work = Round(self._watch, self._taker, self._seen, client, self._earlier, now=self._now, tell=self._tell)
        fault = None
        try:
            with self._source.session() as session:
                work.go(session, days, stop)
        except SourceFault as error:
            fault = error.reason
            self._log.warning("source_fault", watcher=self.name, reason=fault)
        # What was not come to is compared with what an earlier look saw.
        self._earlier = work.looks if fault is None else {**self._earlier, **work.looks}
        self._pause_s = work.pause_s
        facts = work.progress.facts(fault)
        self._seen.note_look(self._watch.owner, facts)
        return facts
