"""What PostgreSQL says of a run, read as its superuser on a connection that no proxy touches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg

from services.ledger.adapters.postgres.checksum import checksum

_CONNECT_TIMEOUT_S: Final = 5

#: A job that the record knows, or was promised, and how it ended. `at_s`: when its end was written, by the database's clock.
_ENDS: Final[LiteralString] = """
SELECT s.job_id, s.call_id, r.state, r.reason, ended.at_s, coalesce(bill.entries, 0) AS entries
FROM ingest.submissions s
LEFT JOIN ledger.runs r ON r.job_id = s.job_id AND r.run = s.run
    AND r.state IN ('completed', 'failed', 'canceled', 'erased')
LEFT JOIN LATERAL (
    SELECT min(extract(epoch FROM applied_at))::double precision AS at_s FROM ledger.seen e
    WHERE e.job_id = s.job_id AND e.state = r.state AND e.run = s.run
) ended ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS entries FROM ledger.usage u WHERE u.job_id = s.job_id AND u.leg = 'client'
) bill ON true
WHERE %(jobs)s::text[] IS NULL OR s.job_id = ANY (%(jobs)s)
"""
_OPEN: Final[LiteralString] = """
SELECT count(*) FROM ingest.submissions s
WHERE NOT EXISTS (
    SELECT FROM ledger.runs r WHERE r.job_id = s.job_id AND r.run = s.run
        AND r.state IN ('completed', 'failed', 'canceled', 'erased'))
"""
_UNHEARD: Final[LiteralString] = """
SELECT asked.job_id FROM unnest(%(jobs)s::text[]) AS asked (job_id)
WHERE NOT EXISTS (
    SELECT FROM ledger.seen e WHERE e.job_id = asked.job_id
        AND e.state IN ('transcribed', 'completed', 'failed', 'canceled', 'erased'))
"""
_TWICE: Final[LiteralString] = """
SELECT count(*) FROM (
    SELECT call_id, client_id FROM ingest.submissions GROUP BY call_id, client_id HAVING count(*) > 1) AS again
"""
_ASIDE: Final[LiteralString] = """
SELECT count(DISTINCT (consumer_group, origin_topic, origin_partition, origin_offset, value_sha256)) FROM ledger.dlq
"""


@dataclass(frozen=True, slots=True)
class End:
    """What the record says of a job; state None: it has not ended.

    Attributes:
        entries: How often its client was billed for it.
        at_s: When its end was written down, seconds since the epoch.
    """

    job_id: str
    call_id: str
    state: str | None
    reason: str | None
    at_s: float | None
    entries: int


class Record:
    """Questions to the record; a connection for each, because the server is killed now and then.

    Args:
        url: The database, as its superuser.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def ends(self, job_ids: Sequence[str] | None = None) -> dict[str, End]:
        """How jobs ended, by id; None: all that were accepted."""
        with self._connected() as connection:
            rows = connection.execute(_ENDS, {"jobs": None if job_ids is None else list(job_ids)}).fetchall()
        return {row[0]: End(*row) for row in rows}

    def unheard(self, job_ids: Sequence[str]) -> list[str]:
        """Those of these jobs that no transcriber is done with, as far as the ledger knows."""
        with self._connected() as connection:
            return [row[0] for row in connection.execute(_UNHEARD, {"jobs": list(job_ids)})]

    def unfinished(self) -> int:
        """How many accepted jobs have not ended."""
        return self._number(_OPEN)

    def known_jobs(self) -> frozenset[str]:
        """The ids of all jobs that were ever accepted."""
        with self._connected() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT job_id FROM ingest.submissions"))

    def calls_accepted_twice(self) -> int:
        """How many calls of a client became more than one job."""
        return self._number(_TWICE)

    def dead_letters(self) -> int:
        """How many records some group has put aside, as the ledger knows them.

        Not how many lie in the DLQs: a group that is shared out anew while a DLQ is away puts a record aside once a worker.
        """
        return self._number(_ASIDE)

    def transcripts(self, job_id: str) -> int:
        """How many `transcript.ready` of a job had an effect."""
        return self._number(
            "SELECT count(*) FROM ledger.seen WHERE job_id = %s AND state = 'transcribed' AND counted", job_id
        )

    def worst_acceptance_s(self, promised_at_s: Mapping[str, float]) -> float:
        """How far the record's time of acceptance is off at most.

        Args:
            promised_at_s: When each job was promised, by the clock of the machine.
        """
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT job_id, extract(epoch FROM accepted_at)::double precision FROM ledger.usage "
                "WHERE leg = 'client' AND job_id = ANY (%s)",
                (list(promised_at_s),),
            ).fetchall()
        return max((abs(at_s - promised_at_s[job_id]) for job_id, at_s in rows), default=0.0)

    def checksum(self) -> str:
        """The hash over everything that the ledger says."""
        with self._connected() as connection:
            return checksum(connection)

    def _number(self, question: LiteralString, *values: str) -> int:
        with self._connected() as connection:
            row = connection.execute(question, values).fetchone()
        return int(row[0]) if row is not None else 0

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            yield connection
