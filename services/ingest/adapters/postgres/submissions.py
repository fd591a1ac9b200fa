"""Submissions in PostgreSQL: submission, idempotency key and outbox row in one transaction; see `ports.Submissions`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipeline.contracts.events import AudioUploaded
from pipeline.crash_points import reach
from pipeline.errors import Transient
from services.ingest import handler
from services.ingest.adapters.postgres.connecting import Connection, Database, one_row
from services.ingest.adapters.postgres.errors import RETRY_AFTER_S, said
from services.ingest.adapters.postgres.statements import LIMITS, STATEMENTS
from services.ingest.clients import UNLIMITED, Quota
from services.ingest.ports import OutcomeUnknown
from services.ingest.problems import IDEMPOTENCY_MISMATCH, Problem
from services.ingest.quotas import Used, check, reserved_ms
from services.ingest.submissions import Accepted, IdempotencyKey, Submission


class PostgresSubmissions:
    """See `ports.Submissions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, submission: Submission, idempotency: IdempotencyKey | None, quota: Quota = UNLIMITED) -> Accepted:
        """See `Submissions.submit`."""
        with self._database.transaction_of(submission.client_id, "submit") as connection:
            earlier = _claim(connection, submission, idempotency) if idempotency is not None else None
            if earlier is not None:
                return earlier
            return keep_submission(connection, submission, quota)

    def verify(self) -> None:
        """See `Submissions.verify`."""
        self._database.verify()


def keep_submission(connection: Connection, submission: Submission, quota: Quota) -> Accepted:
    """Keep it with its announcement and its reservation, and commit.

    Raises:
        Problem: `quota_exceeded`.
        OutcomeUnknown: It may be kept.
    """
    if quota.bounds_audio:
        check_quota(connection, submission)
    accepted_at = _keep(connection, submission)
    reach("ingest.before_commit")
    try:
        connection.commit()
    except psycopg.OperationalError as error:
        raise OutcomeUnknown(said("commit a submission", error), retry_after_s=RETRY_AFTER_S) from error
    reach("ingest.committed")
    return Accepted(submission.job_id, accepted_at)


def _claim(connection: Connection, submission: Submission, idempotency: IdempotencyKey) -> Accepted | None:
    claim = {
        "client_id": submission.client_id,
        "key": idempotency.key,
        "request_sha256": idempotency.request_sha256,
        "job_id": submission.job_id,
    }
    if connection.execute(STATEMENTS["claim_idempotency_key"], claim).fetchone() is not None:
        return None
    earlier = one_row(connection.execute(STATEMENTS["find_idempotency_key"], claim).fetchone())
    if bytes(earlier["request_sha256"]) != idempotency.request_sha256:
        raise Problem(
            IDEMPOTENCY_MISMATCH,
            "this Idempotency-Key came with another file or other fields before",
            field="Idempotency-Key",
        )
    return Accepted(earlier["job_id"], earlier["accepted_at"], repeated=True)


def check_quota(connection: Connection, submission: Submission) -> None:
    """Refuse what goes beyond the client's quota; others of this client wait until the transaction has ended.

    Raises:
        Problem: `quota_exceeded`.
    """
    client = {"client_id": submission.client_id}
    quota = Quota(**one_row(connection.execute(LIMITS["lock_quota"], client).fetchone()))
    used = Used(**one_row(connection.execute(LIMITS["measure_audio"], client).fetchone()))
    check(quota, used, reserved_ms(submission.audio))


def _keep(connection: Connection, submission: Submission) -> datetime:
    accepted_at: datetime = one_row(
        connection.execute(STATEMENTS["add_submission"], _submission_row(submission)).fetchone()
    )["accepted_at"]
    add_announcement(connection, handler.announcement(submission, accepted_at), reserved_ms(submission.audio))
    return accepted_at


def add_announcement(connection: Connection, event: AudioUploaded, reserves_ms: int) -> None:
    """Have the relay announce this, once the transaction has committed, and reserve so much audio until its end.

    Raises:
        Transient: The janitor took the job's objects for an orphan's, as it may after a day.
    """
    added = connection.execute(
        STATEMENTS["add_announcement"],
        {
            "job_id": event.job_id,
            "run": event.run,
            "client_id": event.client_id,
            "priority": event.priority,
            "topic": event.TOPIC,
            "accepted_at": event.accepted_at,
            "reserved_ms": reserves_ms,
            "event": Jsonb(event.model_dump(mode="json")),
        },
    )
    if not added.rowcount:
        raise Transient("submit: the job was swept before it was accepted")


def _submission_row(submission: Submission) -> dict[str, Any]:
    audio, call = submission.audio, submission.call_info
    return {
        "job_id": submission.job_id,
        "run": submission.run,
        "client_id": submission.client_id,
        "call_id": submission.call_id,
        "priority": submission.priority,
        "audio_key": audio.key,
        "audio_sha256": audio.sha256,
        "audio_size_bytes": audio.size_bytes,
        "media_type": audio.media_type,
        "declared_duration_ms": audio.declared_duration_ms,
        "sample_rate_hz": audio.sample_rate_hz,
        "channels": audio.channels,
        "channel_roles": list(submission.channel_roles),
        "language": submission.language,
        "languages": list(submission.languages),
        "glossary_id": submission.glossary_id,
        "locale": submission.locale,
        "formats": list(submission.formats),
        "file_name": call.file_name,
        "started_at": call.started_at,
        "direction": call.direction,
        "operator": call.operator,
        "customer_number": call.customer_number,
        "queue": call.queue,
        "metadata": Jsonb(call.metadata),
    }
