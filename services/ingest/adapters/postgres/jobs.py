"""Jobs out of ingest's submissions and the ledger's views; see `ports.Jobs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from pipeline.sql import queries
from services.ingest.adapters.postgres.connecting import Database
from services.ingest.jobs import Cursor, Erasure, Job, Outcome, StoredObject
from services.ingest.listing import Wanted

_STATEMENTS: Final = queries("services.ingest.adapters.postgres", "jobs.sql")
FETCH_JOBS: Final = f"{_STATEMENTS['shown_jobs']}\n{_STATEMENTS['with_ids']}"
PAGE_OF_JOBS: Final = f"{_STATEMENTS['shown_jobs']}\n{_STATEMENTS['page']}"
BY_CHAINS: Final = _STATEMENTS["by_chains"]
FETCH_ARTEFACTS: Final = _STATEMENTS["fetch_artefacts"]


class PostgresJobs:
    """See `ports.Jobs`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fetch(self, client_id: str, job_id: str) -> Job | None:
        """See `Jobs.fetch`."""
        wanted = {"client_id": client_id, "job_id": job_id}
        with self._database.transaction_of(client_id, "fetch a job") as connection:
            row = connection.execute(FETCH_JOBS, {**wanted, "job_ids": [job_id]}).fetchone()
            if row is None:
                return None
            run = row["ledger_run"] or row["run"]
            artefacts = connection.execute(FETCH_ARTEFACTS, {**wanted, "run": run}).fetchall()
        return _job(row, {found["format"]: _object(found) for found in artefacts})

    def several(self, client_id: str, job_ids: Sequence[str]) -> list[Job]:
        """See `Jobs.several`."""
        wanted = {"client_id": client_id, "job_ids": list(job_ids)}
        with self._database.transaction_of(client_id, "fetch jobs") as connection:
            return [_job(row, {}) for row in connection.execute(FETCH_JOBS, wanted).fetchall()]

    def page(self, client_id: str, wanted: Wanted, *, after: Cursor | None, limit: int) -> list[Job]:
        """See `Jobs.page`."""
        asked = {
            "client_id": client_id,
            **asdict(wanted),
            "accepted_at": after.accepted_at if after is not None else None,
            "job_id": after.job_id if after is not None else None,
            "limit": limit,
        }
        with self._database.transaction_of(client_id, "list jobs") as connection:
            return [_job(row, {}) for row in connection.execute(PAGE_OF_JOBS, asked).fetchall()]

    def by_chains(self, client_id: str, *, since: datetime, before: datetime, limit: int) -> list[str]:
        """See `Jobs.by_chains`."""
        asked = {"client_id": client_id, "since": since, "before": before, "limit": limit}
        with self._database.transaction_of(client_id, "order jobs") as connection:
            return [row["job_id"] for row in connection.execute(BY_CHAINS, asked)]


def _object(row: dict[str, Any], prefix: str = "") -> StoredObject:
    return StoredObject(key=row[f"{prefix}key"], sha256=row[f"{prefix}sha256"], size_bytes=row[f"{prefix}size_bytes"])


def _job(row: dict[str, Any], artefacts: dict[str, StoredObject]) -> Job:
    return Job(
        job_id=row["job_id"],
        client_id=row["client_id"],
        call_id=row["call_id"],
        accepted_at=row["accepted_at"],
        priority=row["priority"],
        language=row["language"],
        locale=row["locale"],
        formats=tuple(row["formats"]),
        channel_roles=tuple(row["channel_roles"]),
        audio=_object(row, "audio_"),
        media_type=row["media_type"],
        declared_duration_ms=row["declared_duration_ms"],
        file_name=row["file_name"],
        started_at=row["started_at"],
        direction=row["direction"],
        operator=row["operator"],
        customer_number=row["customer_number"],
        queue=row["queue"],
        metadata=row["metadata"],
        other_parts=row["other_parts"],
        outcome=_outcome(row, artefacts),
        erasure=_erasure(row),
    )


def _erasure(row: dict[str, Any]) -> Erasure | None:
    if row["erased_at"] is None:
        return None
    return Erasure(requested_at=row["erased_at"], erased_at=row["nothing_left_at"], objects=row["erased_objects"] or 0)


def _outcome(row: dict[str, Any], artefacts: dict[str, StoredObject]) -> Outcome:
    if row["ledger_run"] is None:
        return Outcome(run=row["run"], state=row["shown_state"])  # the ledger has not seen this run yet
    return Outcome(
        run=row["ledger_run"],
        state=row["shown_state"],
        reason=row["reason"],
        details=row["details"] or {},
        channel_mode=row["channel_mode"],
        channels=row["found_channels"],
        duration_ms=row["duration_ms"],
        speech_ms=row["speech_ms"],
        words=row["words"],
        turns=row["turns"],
        confidence=row["confidence"],
        partial=row["partial"],
        warnings=tuple(row["warnings"] or ()),
        model=row["model"],
        model_sha256=row["model_sha256"],
        engine=row["engine"],
        transcribing_at=row["transcribing_at"],
        finished_at=row["finished_at"],
        queue_wait_ms=row["queue_wait_ms"],
        decode_ms=row["decode_ms"],
        vad_ms=row["vad_ms"],
        engine_ms=row["engine_ms"],
        total_ms=row["total_ms"],
        audio_expired_at=row["audio_expired_at"],
        transcript_expired_at=row["transcript_expired_at"],
        transcript=_object(row, "transcript_") if row["transcript_key"] is not None else None,
        artefacts=artefacts,
    )
