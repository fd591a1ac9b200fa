"""The shipped fake of `watching.ports.SeenFiles`: a list in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.ingest.texts import storable
from services.ingest.watching.decisions import DEFERRED, REFUSED, TAKEN, Seen, Stamp
from services.ingest.watching.ports import ListedFile, LookFacts, Owner, Refusal, WatcherFacts


@dataclass(frozen=True, slots=True)
class _Row:
    seen: Seen
    detail: str
    seen_at: datetime
    retry_at: datetime | None


class MemorySeenFiles:
    """See `watching.ports.SeenFiles`. `clock` stands for PostgreSQL's."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._rows: dict[tuple[Owner, str], _Row] = {}
        self._turns: set[Owner] = set()
        self._looks: dict[Owner, tuple[datetime, LookFacts]] = {}

    def fetch(self, owner: Owner, paths: Sequence[str]) -> Mapping[str, Seen]:
        """See `SeenFiles.fetch`."""
        found = {path: row for path in paths if (row := self._rows.get((owner, path))) is not None}
        return {path: replace(row.seen, due=self._is_due(row)) for path, row in found.items()}

    def mark_taken(self, owner: Owner, path: str, stamp: Stamp, *, audio_sha256: str, job_id: str) -> None:
        """See `SeenFiles.mark_taken`."""
        seen = Seen(state=TAKEN, stamp=stamp, audio_sha256=audio_sha256, job_id=job_id)
        self._rows[owner, path] = _Row(seen, "", self._clock(), None)

    def mark_refused(self, owner: Owner, path: str, stamp: Stamp, sidecar: Stamp | None, refusal: Refusal) -> None:
        """See `SeenFiles.mark_refused`."""
        after_s, now = refusal.retry_after_s, self._clock()
        seen = Seen(state=REFUSED if after_s is None else DEFERRED, stamp=stamp, sidecar=sidecar, reason=refusal.reason)
        retry_at = None if after_s is None else now + timedelta(seconds=after_s)
        self._rows[owner, path] = _Row(seen, refusal.detail, now, retry_at)

    def refused(self, watcher: str | None, limit: int) -> list[ListedFile]:
        """See `SeenFiles.refused`."""
        listed = [
            ListedFile(
                watcher=owner.watcher,
                client_id=owner.client_id,
                path=storable(path),
                size_bytes=row.seen.stamp.size_bytes,
                reason=row.seen.reason or "",
                detail=row.detail,
                seen_at=row.seen_at,
                retry_at=row.retry_at,
            )
            for (owner, path), row in self._rows.items()
            if row.seen.state != TAKEN and watcher in {None, owner.watcher}
        ]
        return sorted(listed, key=lambda one: one.seen_at, reverse=True)[:limit]

    def forget_refused(self, watcher: str, reason: str | None) -> int:
        """See `SeenFiles.forget_refused`."""
        forgotten = [
            key
            for key, row in self._rows.items()
            if key[0].watcher == watcher and row.seen.state != TAKEN and reason in {None, row.seen.reason}
        ]
        for key in forgotten:
            del self._rows[key]
        return len(forgotten)

    @contextmanager
    def turn(self, owner: Owner) -> Iterator[bool]:
        """See `SeenFiles.turn`."""
        if owner in self._turns:
            yield False
            return
        self._turns.add(owner)
        try:
            yield True
        finally:
            self._turns.discard(owner)

    def note_look(self, owner: Owner, look: LookFacts) -> None:
        """See `SeenFiles.note_look`."""
        self._looks[owner] = (self._clock(), look)

    def watchers(self) -> list[WatcherFacts]:
        """See `SeenFiles.watchers`."""
        return [self._facts(owner) for owner in sorted(self._looks, key=lambda one: (one.watcher, one.client_id))]

    def _facts(self, owner: Owner) -> WatcherFacts:
        looked_at, look = self._looks[owner]
        states = [row.seen.state for (whose, _), row in self._rows.items() if whose == owner]
        taken = states.count(TAKEN)
        return WatcherFacts(
            watcher=owner.watcher,
            client_id=owner.client_id,
            looked_at=looked_at,
            look=look,
            taken=taken,
            refused=len(states) - taken,
        )

    def _is_due(self, row: _Row) -> bool:
        return row.retry_at is not None and row.retry_at <= self._clock()
