"""One look at a source: walks its folders, asks what was seen, decides on each file and has it taken. Called by `watcher`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.ingest.clients import Client
from services.ingest.problems import QUOTA_EXCEEDED
from services.ingest.watching import date_folders
from services.ingest.watching.decisions import Found, Look, Seen, Step, decide
from services.ingest.watching.ports import LookFacts, SeenFiles, Session
from services.ingest.watching.taking import Kind, Taker, refusal_for
from services.ingest.watching.walking import walk
from services.ingest.watching.watch import Watch

UNREADABLE_FOLDER: Final = "unreadable_folder"
#: Paths that the database is asked about at once.
_BATCH: Final = 500


@dataclass(slots=True)
class Progress:
    """What a look has found so far.

    Attributes:
        passed: Seen before, and as they were.
        paused: Why nothing more is taken for now; None: it is.
    """

    found: int = 0
    taken: int = 0
    refused: int = 0
    waiting: int = 0
    passed: int = 0
    unreadable_folders: int = 0
    paused: str | None = None

    def facts(self, fault: str | None) -> LookFacts:
        """For whoever asks later."""
        folders = UNREADABLE_FOLDER if self.unreadable_folders else None
        return LookFacts(found=self.found, waiting=self.waiting, fault=fault or self.paused or folders)


class Round:
    """A look under way.

    Args:
        watch: The watcher.
        taker: Takes its files.
        seen: What was seen.
        client: Whose settings count.
        earlier: What the look before saw.
        now: Our own clock.
        tell: Told after every file.

    Attributes:
        looks: What this one sees.
        pause_s: How long nothing more is to be taken after it.
    """

    def __init__(
        self,
        watch: Watch,
        taker: Taker,
        seen: SeenFiles,
        client: Client,
        earlier: Mapping[str, Look],
        *,
        now: Callable[[], datetime],
        tell: Callable[[Progress], None],
    ) -> None:
        self._watch = watch
        self._taker = taker
        self._seen = seen
        self._client = client
        self._earlier = earlier
        self._now = now
        self._tell = tell
        self.progress = Progress()
        self.looks: dict[str, Look] = {}
        self.pause_s = 0.0

    def go(self, session: Session, days: tuple[date, ...], stop: threading.Event) -> None:
        """Look into the folders of these days, until told to stop.

        Raises:
            SourceFault: The source cannot be looked at any more.
            Transient: Store or database do not answer.
        """
        for batch in self._batches(session, days):
            known = self._seen.fetch(self._watch.owner, [found.path for found in batch])
            for found in batch:
                if stop.is_set():
                    return
                self.looks[found.path] = found.look
                self._decided(session, found, known.get(found.path), stop)
                self._tell(self.progress)

    def _batches(self, session: Session, days: tuple[date, ...]) -> Iterator[list[Found]]:
        for folder in date_folders.folders(self._watch.layout, days):
            for lying in walk(session, folder, self._watch.survey, self._unreadable):
                found = lying if self._watch.layout else self._written_in(days, lying)
                for begin in range(0, len(found), _BATCH):
                    yield found[begin : begin + _BATCH]

    def _written_in(self, days: tuple[date, ...], lying: list[Found]) -> list[Found]:
        """Where a day has no folder, a file is of the day that it was written; today's end is open, as clocks differ."""
        zone, last = self._watch.zone, max(days)
        begin_ns = date_folders.written_since(min(days), zone)
        end_ns = date_folders.written_since(last + timedelta(days=1), zone)
        is_open = last >= self._now().astimezone(zone).date()
        return [
            found
            for found in lying
            if begin_ns <= found.stamp.modified_ns and (is_open or found.stamp.modified_ns < end_ns)
        ]

    def _unreadable(self) -> None:
        self.progress.unreadable_folders += 1

    def _decided(self, session: Session, found: Found, seen: Seen | None, stop: threading.Event) -> None:
        self.progress.found += 1
        decision = decide(found, seen, self._earlier.get(found.path), self._watch.rules)
        if decision.step is Step.TAKE and self.progress.paused is None:
            self._take(session, found, seen, stop)
        elif decision.step is Step.REFUSE:
            self._taker.refuse(session, found, refusal_for(decision.reason))
            self.progress.refused += 1
        elif decision.step is Step.MOVE and seen is not None:
            self._taker.move(session, found, seen)
            self.progress.passed += 1
        elif decision.step is Step.PASS:
            self.progress.passed += 1
        else:
            self.progress.waiting += 1

    def _take(self, session: Session, found: Found, seen: Seen | None, stop: threading.Event) -> None:
        outcome = self._taker.take(session, found, seen, self._client, self._now())
        while outcome.again and not stop.wait(outcome.pause_s):
            outcome = self._taker.take(session, found, seen, self._client, self._now())
        if outcome.kind is Kind.TAKEN:
            self.progress.taken += 1
        elif outcome.kind is Kind.WAITING:
            self.progress.waiting += 1
        else:
            self.progress.refused += 1
            if outcome.pause_s:  # a quota: each further file would be read in vain
                self.progress.paused, self.pause_s = QUOTA_EXCEEDED.code, outcome.pause_s
