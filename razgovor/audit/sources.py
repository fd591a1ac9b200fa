"""What an audit reads by. `adapters` provide them over PostgreSQL, Kafka and stores, `dumps` over a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import BinaryIO, Protocol

from pipeline.stream.ports import TopicPartition
from razgovor.audit.facts import (
    ArtefactRow,
    JobRow,
    RefusedCall,
    ResultRow,
    RunRow,
    Seen,
    StoredObject,
    Submission,
    UsageLeg,
)
from razgovor.audit.log_entries import LogEntry
from razgovor.audit.scratch import Letter


class Snapshot(Protocol):
    """One state of the database; every answer is of that state. Rows of jobs come in the order of `scratch.job_order`."""

    @property
    def now(self) -> datetime:
        """The database's clock."""

    def count_jobs(self) -> int:
        """How many submissions there are."""

    def submissions(self) -> Iterator[Submission]: ...  # noqa: D102  the class says it
    def refused(self) -> Iterator[RefusedCall]: ...  # noqa: D102
    def jobs(self) -> Iterator[JobRow]: ...  # noqa: D102
    def runs(self) -> Iterator[RunRow]: ...  # noqa: D102
    def results(self) -> Iterator[ResultRow]: ...  # noqa: D102
    def artefacts(self) -> Iterator[ArtefactRow]: ...  # noqa: D102
    def usage(self) -> Iterator[UsageLeg]: ...  # noqa: D102
    def seen(self) -> Iterator[Seen]: ...  # noqa: D102
    def letters(self) -> Iterator[Letter]: ...  # noqa: D102


class Database(Protocol):
    """The record and the outbox, to be read."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """One state of it, in a read-only transaction.

        Raises:
            Transient: It does not answer.
            Fatal: It refuses us.
        """


class Objects(Protocol):
    """The store, to be read."""

    def list(self) -> Iterator[StoredObject]:
        """All objects of jobs, by key, without their hashes.

        Raises:
            Transient: The store does not answer.
        """

    def open(self, key: str) -> AbstractContextManager[BinaryIO]:
        """An object's bytes.

        Raises:
            BlobNotFound: It is gone.
        """


class Topics(Protocol):
    """The topics, to be read."""

    def commits(self) -> Mapping[str, Mapping[TopicPartition, int]]:
        """How far each group has committed. Asked before anything else.

        Raises:
            Transient: The brokers do not answer.
        """

    def count(self) -> int:
        """About how many records there are."""

    def entries(self) -> Iterator[LogEntry]:
        """All records.

        Raises:
            Transient: The brokers do not answer.
        """
