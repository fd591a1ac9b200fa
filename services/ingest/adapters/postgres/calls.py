"""Upstream systems' calls in PostgreSQL; see `calls.ports.Calls`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from psycopg.types.json import Jsonb

from pipeline.sql import queries
from services.ingest.adapters.postgres.connecting import Connection, Database
from services.ingest.adapters.postgres.submissions import keep_submission
from services.ingest.calls.ports import Refusal, RefusedMeanwhile, Standing
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.submissions import Accepted, IdempotencyKey, Submission

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "calls.sql")


class PostgresCalls:
    """See `calls.ports.Calls`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def standing(self, client_id: str, job_id: str) -> Standing:
        """See `Calls.standing`."""
        with self._database.transaction_of(client_id, "look for a call") as connection:
            return _standing(connection, job_id)

    def submit(self, submission: Submission, _idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED) -> Accepted:
        """See `Calls.submit`."""
        wanted = {"job_id": submission.job_id}
        with self._database.transaction_of(submission.client_id, "submit a call") as connection:
            connection.execute(STATEMENTS["take_turn"], wanted)
            if (row := connection.execute(STATEMENTS["find_submission"], wanted).fetchone()) is not None:
                return Accepted(submission.job_id, row["accepted_at"], repeated=True)
            refusal = _refusal(connection, submission.job_id)
            if refusal is not None and refusal.bars(submission.run):
                raise RefusedMeanwhile(refusal)
            return keep_submission(connection, submission, quota)

    def refuse(self, client_id: str, job_id: str, reason: str, details: Mapping[str, str]) -> Refusal | None:
        """See `Calls.refuse`."""
        with self._database.transaction_of(client_id, "refuse a call") as connection:
            connection.execute(STATEMENTS["take_turn"], {"job_id": job_id})
            standing = _standing(connection, job_id)
            if standing.accepted:
                return None
            if standing.refusal is not None and standing.refusal.is_final:
                return standing.refusal
            refusal = Refusal(standing.next_run, reason, dict(details))
            kept = {"job_id": job_id, "client_id": client_id, "run": refusal.run, "reason": reason}
            connection.execute(STATEMENTS["keep_refusal"], {**kept, "details": Jsonb(refusal.details)})
        return refusal

    def verify(self) -> None:
        """See `Submissions.verify`."""
        self._database.verify()


def _standing(connection: Connection, job_id: str) -> Standing:
    if connection.execute(STATEMENTS["find_submission"], {"job_id": job_id}).fetchone() is not None:
        return Standing(accepted=True)
    return Standing(refusal=_refusal(connection, job_id))


def _refusal(connection: Connection, job_id: str) -> Refusal | None:
    row = connection.execute(STATEMENTS["find_refusal"], {"job_id": job_id}).fetchone()
    return None if row is None else Refusal(row["run"], row["reason"], row["details"])
