"""What watchers have seen, in PostgreSQL; see `watching.ports.SeenFiles`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pipeline.sql import queries
from services.ingest.adapters.postgres.connecting import Database, one_row
from services.ingest.texts import storable
from services.ingest.watching.decisions import DEFERRED, REFUSED, TAKEN, Seen, Stamp
from services.ingest.watching.ports import ListedFile, LookFacts, Owner, Refusal, WatcherFacts

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "watching.sql")


class PostgresSeenFiles:
    """See `watching.ports.SeenFiles`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fetch(self, owner: Owner, paths: Sequence[str]) -> Mapping[str, Seen]:
        """See `SeenFiles.fetch`."""
        by_hash = {_hashed(path): path for path in paths}
        wanted = {**_owner(owner), "paths": list(by_hash)}
        with self._database.transaction_of(owner.client_id, "look at what was seen") as connection:
            rows = connection.execute(STATEMENTS["fetch_seen"], wanted).fetchall()
        return {by_hash[bytes(row["path_sha256"])]: _seen(row) for row in rows}

    def mark_taken(self, owner: Owner, path: str, stamp: Stamp, *, audio_sha256: str, job_id: str) -> None:
        """See `SeenFiles.mark_taken`."""
        self._mark(owner, path, stamp, None, state=TAKEN, audio_sha256=audio_sha256, job_id=job_id)

    def mark_refused(self, owner: Owner, path: str, stamp: Stamp, sidecar: Stamp | None, refusal: Refusal) -> None:
        """See `SeenFiles.mark_refused`."""
        self._mark(
            owner,
            path,
            stamp,
            sidecar,
            state=REFUSED if refusal.retry_after_s is None else DEFERRED,
            reason=refusal.reason,
            detail=refusal.detail,
            retry_after_s=refusal.retry_after_s,
        )

    def refused(self, watcher: str | None, limit: int) -> list[ListedFile]:
        """See `SeenFiles.refused`."""
        with self._database.transaction_for_all("list refused files") as connection:
            rows = connection.execute(STATEMENTS["list_refused"], {"watcher": watcher, "limit": limit}).fetchall()
        return [ListedFile(**row) for row in rows]

    def forget_refused(self, watcher: str, reason: str | None) -> int:
        """See `SeenFiles.forget_refused`."""
        with self._database.transaction_for_all("look at refused files again") as connection:
            return connection.execute(STATEMENTS["forget_refused"], {"watcher": watcher, "reason": reason}).rowcount

    @contextmanager
    def turn(self, owner: Owner) -> Iterator[bool]:
        """See `SeenFiles.turn`."""
        with self._database.statement("take a watcher's turn") as connection:
            taken = bool(one_row(connection.execute(STATEMENTS["take_turn"], _owner(owner)).fetchone())["taken"])
            try:
                yield taken
            finally:
                if taken:
                    connection.execute(STATEMENTS["give_turn"], _owner(owner))

    def note_look(self, owner: Owner, look: LookFacts) -> None:
        """See `SeenFiles.note_look`."""
        noted = {**_owner(owner), "found": look.found, "waiting": look.waiting, "fault": look.fault}
        with self._database.transaction_of(owner.client_id, "note a look") as connection:
            connection.execute(STATEMENTS["note_look"], noted)

    def watchers(self) -> list[WatcherFacts]:
        """See `SeenFiles.watchers`."""
        with self._database.transaction_for_all("list watchers") as connection:
            rows = connection.execute(STATEMENTS["list_watchers"]).fetchall()
        return [
            WatcherFacts(
                watcher=row["watcher"],
                client_id=row["client_id"],
                looked_at=row["looked_at"],
                look=LookFacts(found=row["found"], waiting=row["waiting"], fault=row["fault"]),
                taken=row["taken"],
                refused=row["refused"],
            )
            for row in rows
        ]

    def _mark(self, owner: Owner, path: str, stamp: Stamp, sidecar: Stamp | None, **facts: object) -> None:
        empty = dict.fromkeys(("audio_sha256", "job_id", "reason", "detail", "retry_after_s"))
        row = {
            **_owner(owner),
            "path_sha256": _hashed(path),
            "path": storable(path),
            "size_bytes": stamp.size_bytes,
            "modified_ns": stamp.modified_ns,
            "sidecar_size_bytes": None if sidecar is None else sidecar.size_bytes,
            "sidecar_modified_ns": None if sidecar is None else sidecar.modified_ns,
            **empty,
            **facts,
        }
        with self._database.transaction_of(owner.client_id, "mark a file as seen") as connection:
            connection.execute(STATEMENTS["mark_file"], row)


def _owner(owner: Owner) -> dict[str, str]:
    return {"client_id": owner.client_id, "watcher": owner.watcher}


def _hashed(path: str) -> bytes:
    """A name may hold bytes that are no text: they count as they are."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).digest()


def _seen(row: Mapping[str, Any]) -> Seen:
    size_bytes, modified_ns = row["sidecar_size_bytes"], row["sidecar_modified_ns"]
    return Seen(
        state=row["state"],
        stamp=Stamp(row["size_bytes"], row["modified_ns"]),
        sidecar=None if size_bytes is None or modified_ns is None else Stamp(size_bytes, modified_ns),
        reason=row["reason"],
        due=row["due"],
        audio_sha256=row["audio_sha256"],
        job_id=row["job_id"],
    )
