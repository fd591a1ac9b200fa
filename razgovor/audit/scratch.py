"""Records of topics, put in order of their jobs: in a temporary SQLite file, so that any number of them fits.

`fill` it with the topics, `keep` what the ledger holds of dead letters, then read it by job.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from razgovor.audit.facts import TopicRecord
from razgovor.audit.log_entries import LogEntry, is_dlq

_BATCH: Final = 5000
_TABLES: Final = """
CREATE TABLE records (
    job TEXT, topic TEXT, partition INTEGER, offset INTEGER, home_topic TEXT, home_partition INTEGER,
    home_offset INTEGER, attempt INTEGER, event_id TEXT, job_id TEXT, run INTEGER, client_id TEXT, kind TEXT,
    stage TEXT, value_sha256 TEXT
);
CREATE TABLE asides (home_topic TEXT, home_partition INTEGER, home_offset INTEGER, consumer_group TEXT);
CREATE TABLE retries (home_topic TEXT, home_partition INTEGER, home_offset INTEGER, attempt INTEGER);
CREATE TABLE kept (topic TEXT, partition INTEGER, offset INTEGER, value_sha256 TEXT);
"""
_INDEXES: Final = """
CREATE INDEX records_by_job ON records (job, topic, partition, offset);
CREATE INDEX asides_by_home ON asides (home_topic, home_offset, home_partition);
CREATE INDEX retries_by_home ON retries (home_topic, home_offset, home_partition);
CREATE INDEX kept_by_place ON kept (topic, offset, partition);
"""
_READ: Final = """
SELECT r.topic, r.partition, r.offset, r.event_id, r.job_id, r.run, r.client_id, r.kind, r.stage,
    (SELECT group_concat(DISTINCT a.consumer_group) FROM asides a
     WHERE a.home_topic = r.home_topic AND a.home_offset = r.home_offset AND a.home_partition = r.home_partition) AS aside_by,
    EXISTS (SELECT 1 FROM retries t
     WHERE t.home_topic = r.home_topic AND t.home_offset = r.home_offset AND t.home_partition = r.home_partition
         AND t.attempt > r.attempt) AS retried,
    EXISTS (SELECT 1 FROM kept k WHERE k.topic = r.topic AND k.offset = r.offset AND k.partition = r.partition
         AND (r.value_sha256 IS NULL OR k.value_sha256 = r.value_sha256)) AS kept
FROM records r
"""
_FLOW: Final = """
SELECT topic, count(*) AS records, count(event_id) AS decoded, count(DISTINCT event_id) AS events
FROM records GROUP BY topic ORDER BY topic
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter as the ledger holds it: where it lay on its DLQ, where before, and who put it aside."""

    topic: str
    partition: int
    offset: int
    value_sha256: str
    group: str | None = None
    home_topic: str | None = None
    home_partition: int | None = None
    home_offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How much a topic holds: records, those of them that can be decoded, and different events."""

    topic: str
    records: int
    decoded: int
    events: int


class Scratch:
    """The records of all topics."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.row_factory = sqlite3.Row
        connection.executescript(_TABLES)
        connection.execute("BEGIN")

    def fill(self, entries: Iterable[LogEntry]) -> None:
        """Take records."""
        for batch in _batches(entries):
            self._insert("records", [_row(entry) for entry in batch])
            self._insert("asides", [(*_home(entry), entry.group) for entry in batch if is_dlq(entry.topic)])
            self._insert("retries", [(*_home(entry), entry.attempt) for entry in batch if entry.attempt > 1])

    def keep(self, letters: Iterable[Letter]) -> None:
        """Take what the ledger holds of dead letters."""
        for batch in _batches(letters):
            kept = [(letter.topic, letter.partition, letter.offset, letter.value_sha256) for letter in batch]
            self._insert("kept", kept)
            asides = [
                (letter.home_topic, letter.home_partition, letter.home_offset, letter.group)
                for letter in batch
                if letter.home_offset is not None
            ]
            self._insert("asides", asides)

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608  the names are ours

    def finish(self) -> None:
        """Everything is there; from now on it is read."""
        self._connection.execute("COMMIT")
        self._connection.executescript(_INDEXES)

    def by_job(self) -> Iterator[TopicRecord]:
        """The records of jobs, in the order of `job_order`."""
        return map(_record, self._connection.execute(_READ + "WHERE r.job IS NOT NULL ORDER BY r.job"))

    def loose(self) -> Iterator[TopicRecord]:
        """Records that are no job's: what can't be decoded, and dead letters."""
        return map(_record, self._connection.execute(_READ + "WHERE r.job IS NULL"))

    def flows(self) -> list[Flow]:
        """How much each topic holds."""
        return [Flow(**dict(row)) for row in self._connection.execute(_FLOW)]


@contextmanager
def scratch(folder: Path | None = None) -> Iterator[Scratch]:
    """A scratch file that is gone with the context; in the temporary folder where no other is named."""
    with TemporaryDirectory(prefix="razgovor-audit-", dir=folder) as made:
        connection = sqlite3.connect(Path(made) / "records.sqlite", isolation_level=None)
        try:
            connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;")
            yield Scratch(connection)
        finally:
            connection.close()


def job_order(job_id: str) -> str:
    """What to sort jobs by, so that sources agree: an object's key has a slash behind the job's id."""
    return f"{job_id}/"


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _home(entry: LogEntry) -> tuple[str, int, int]:
    return entry.home_topic, entry.home_partition, entry.home_offset


def _row(entry: LogEntry) -> tuple[object, ...]:
    return (
        None if entry.job_id is None else job_order(entry.job_id),
        entry.topic,
        entry.partition,
        entry.offset,
        *_home(entry),
        entry.attempt,
        entry.event_id,
        entry.job_id,
        entry.run,
        entry.client_id,
        entry.kind,
        entry.stage,
        entry.value_sha256,
    )


def _record(row: sqlite3.Row) -> TopicRecord:
    # A dead letter has its original's home, and is not put aside by being one.
    aside_by = "" if is_dlq(row["topic"]) else row["aside_by"] or ""
    said = {
        **dict(row),
        "aside_by": frozenset(filter(None, aside_by.split(","))),
        "retried": bool(row["retried"]),
        "kept": bool(row["kept"]),
    }
    return TopicRecord(**said)
