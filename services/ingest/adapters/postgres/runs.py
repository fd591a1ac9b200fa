"""Runs in PostgreSQL: the new number and its outbox row in one transaction; see `runs.Runs`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pipeline.contracts import layout, states
from pipeline.contracts.call_info import CallInfo
from pipeline.crash_points import reach
from pipeline.sql import queries
from services.ingest import handler
from services.ingest.adapters.postgres.audit_log import log
from services.ingest.adapters.postgres.connecting import Connection, Database
from services.ingest.adapters.postgres.submissions import add_announcement, check_quota
from services.ingest.audit_log import JOB_REQUEUED, OPERATOR, Act
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.quotas import reserved_ms
from services.ingest.runs import Failed, Heard, Known, Refused, Started, decide, known_of
from services.ingest.submissions import StoredAudio, Submission

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "runs.sql")


class PostgresRuns:
    """See `runs.Runs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(
        self,
        job_id: str,
        *,
        client_id: str | None = None,
        allowed: frozenset[str],
        after_run: int | None = None,
        dry_run: bool = False,
        quota: Quota = UNLIMITED,
        by: str = OPERATOR,
    ) -> Started | Refused:
        """See `Runs.start`."""
        with self._database.transaction_for(client_id, "start a run") as connection:
            # The row's lock lets those that ask at once take turns: the second one finds the first one's run.
            row = connection.execute(
                STATEMENTS["lock_submission"], {"job_id": job_id, "client_id": client_id}
            ).fetchone()
            known = None if row is None else known_job(connection, row)
            answer = decide(job_id, known, allowed, after_run)
            if row is not None and known is not None and isinstance(answer, Started) and not dry_run:
                again = submission_of({**row, "run": answer.run})
                if quota.bounds_audio:
                    check_quota(connection, again)
                _begin(connection, again, row["accepted_at"])
                said = {"run": answer.run, "was": known.state}
                act = Act(who=by, act=JOB_REQUEUED, client_id=again.client_id, subject=job_id, details=said)
                log(connection, act)
                reach("ingest.before_commit")
        return answer

    def find_failed(self, *, reason: str | None, since: datetime | None, limit: int) -> list[Failed]:
        """See `Runs.find_failed`."""
        wanted = {"failed": states.FAILED, "reason": reason, "since": since, "limit": limit}
        with self._database.transaction_for_all("find failed jobs") as connection:
            rows = connection.execute(STATEMENTS["find_failed"], wanted).fetchall()
        return [Failed(row["job_id"], row["run"], row["reason"] or "", row["finished_at"]) for row in rows]


def known_job(connection: Connection, row: dict[str, Any]) -> Known:
    """What is known of the job of a locked row of `submissions`."""
    heard = connection.execute(STATEMENTS["fetch_state"], {"job_id": row["job_id"]}).fetchone()
    return known_of(
        row["run"],
        None if heard is None else Heard(heard["run"], heard["state"]),
        canceled_run=row["canceled_run"],
        erased=row["erased_at"] is not None,
        expired=heard is not None and heard["audio_expired_at"] is not None,
    )


def _begin(connection: Connection, again: Submission, accepted_at: datetime) -> None:
    begun = {"job_id": again.job_id, "run": again.run}
    connection.execute(STATEMENTS["begin_run"], begun)
    connection.execute(STATEMENTS["close_earlier_runs"], begun)
    add_announcement(connection, handler.announcement(again, accepted_at), reserved_ms(again.audio))


def submission_of(row: dict[str, Any]) -> Submission:
    """As far as it is announced: who called whom stays where it lies."""
    return Submission(
        job_id=row["job_id"],
        run=row["run"],
        client_id=row["client_id"],
        call_id=row["call_id"],
        priority=row["priority"],
        audio=StoredAudio(
            key=row["audio_key"],
            sha256=row["audio_sha256"],
            size_bytes=row["audio_size_bytes"],
            media_type=row["media_type"],
            declared_duration_ms=row["declared_duration_ms"],
            sample_rate_hz=row["sample_rate_hz"],
            channels=row["channels"],
        ),
        call_info=CallInfo(),
        call_info_key=layout.call_info_key(row["job_id"]),
        channel_roles=tuple(row["channel_roles"]),
        language=row["language"],
        languages=tuple(row["languages"]),
        glossary_id=row["glossary_id"],
        locale=row["locale"],
        formats=tuple(row["formats"]),
    )
