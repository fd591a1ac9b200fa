"""Jobs called off in PostgreSQL: row, reservation and what is to be told in one transaction; see `stops.Stops`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from pipeline.contracts import states
from pipeline.contracts.events import JobStatus
from pipeline.sql import queries
from services.ingest import handler
from services.ingest.adapters.postgres.audit_log import log
from services.ingest.adapters.postgres.connecting import Connection, Database, one_row
from services.ingest.adapters.postgres.runs import known_job, submission_of
from services.ingest.adapters.postgres.watching import STATEMENTS as WATCHING
from services.ingest.audit_log import JOB_ERASED, OPERATOR, Act
from services.ingest.runs import CANCELING, Known
from services.ingest.stops import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    Ended,
    Stop,
    Stopping,
    cannot_cancel,
    event_of,
    newest_run,
)

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "stops.sql")


class PostgresStops:
    """See `stops.Stops`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cancel(self, client_id: str, job_id: str) -> Stopping | Ended | None:
        """See `Stops.cancel`."""
        with self._database.transaction_of(client_id, "cancel a job") as connection:
            row = _locked(connection, client_id, job_id)
            if row is None:
                return None
            known = known_job(connection, row)
            too_late = cannot_cancel(known)
            if too_late is not None:
                return too_late
            run = newest_run(known)
            connection.execute(STATEMENTS["cancel_run"], {"job_id": job_id, "run": run})
            connection.execute(STATEMENTS["close_unannounced"], {"job_id": job_id})
            requested_at = _ordered(connection, row, known, states.CANCELED)
            state = states.CANCELED if known.state == states.CANCELED else CANCELING
        return Stopping(job_id, run, state, requested_at)

    def erase(self, client_id: str, job_id: str, *, by: str = OPERATOR) -> Stopping | None:
        """See `Stops.erase`."""
        with self._database.transaction_of(client_id, "erase a job") as connection:
            row = _locked(connection, client_id, job_id)
            if row is None:
                return None
            known = known_job(connection, row)
            if row["erased_at"] is None:
                connection.execute(STATEMENTS["erase_submission"], {"job_id": job_id})
                connection.execute(STATEMENTS["close_all"], {"job_id": job_id})
                connection.execute(WATCHING["forget_path"], {"job_id": job_id})
                _ordered(connection, row, known, states.ERASED)
                requested_at = one_row(connection.execute("SELECT now() AS now").fetchone())["now"]
                log(connection, Act(who=by, act=JOB_ERASED, client_id=client_id, subject=job_id))
            else:
                requested_at = row["erased_at"]
        return Stopping(job_id, newest_run(known), states.ERASED, requested_at)

    @contextmanager
    def turn(self) -> Iterator[_Turn | None]:
        """See `Stops.turn`."""
        with self._database.transaction_for_all("call off") as connection:
            taken = one_row(connection.execute(STATEMENTS["take_turn"]).fetchone())["taken"]
            yield _Turn(connection) if taken else None


class _Turn:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def settle(self) -> None:
        self._connection.execute(STATEMENTS["settle"])

    def due(self, limit: int) -> list[Stop]:
        wanted = {"limit": limit, "first_s": FIRST_PAUSE_S, "longest_s": LONGEST_PAUSE_S}
        return [
            Stop(row["job_id"], row["run"], row["state"], JobStatus.model_validate(row["event"]))
            for row in self._connection.execute(STATEMENTS["fetch_due"], wanted)
        ]

    def mark_told(self, stops: Sequence[Stop]) -> None:
        told = {
            "job_ids": [stop.job_id for stop in stops],
            "runs": [stop.run for stop in stops],
            "states": [stop.state for stop in stops],
        }
        self._connection.execute(STATEMENTS["mark_told"], told)


def _locked(connection: Connection, client_id: str, job_id: str) -> dict[str, Any] | None:
    return connection.execute(STATEMENTS["lock_job"], {"client_id": client_id, "job_id": job_id}).fetchone()


def _ordered(connection: Connection, row: dict[str, Any], known: Known, state: str) -> datetime:
    """Have it put and told; when it was asked for first."""
    run = newest_run(known)
    cause = handler.announcement(submission_of({**row, "run": run}), row["accepted_at"])
    stop = {
        "job_id": row["job_id"],
        "run": run,
        "state": state,
        "event": Jsonb(event_of(cause, state).model_dump(mode="json")),
    }
    connection.execute(STATEMENTS["add_stop"], stop)
    requested_at: datetime = one_row(connection.execute(STATEMENTS["fetch_requested"], stop).fetchone())["requested_at"]
    return requested_at
