"""Submissions to keep, and where to keep them."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.contracts.call_info import CallInfo
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import migrate
from services.ingest.clients import Client
from services.ingest.ports import Clients, Jobs, Outbox, Submissions
from services.ingest.scopes import SCOPES
from services.ingest.submissions import IdempotencyKey, StoredAudio, Submission
from services.ledger.adapters.postgres import PostgresLedger

ACME = Client(
    client_id="acme",
    name="Acme",
    channel_map={"outbound": ("customer", "operator")},
    language="ru",
    locale="en",
    formats=("txt", "vtt"),
)


@dataclass(frozen=True)
class Repositories:
    clients: Clients
    submissions: Submissions
    jobs: Jobs
    outbox: Outbox

    def with_client(self, client: Client = ACME) -> Repositories:
        self.clients.add_key(client, uuid.uuid4().hex[:12], bytes(32), SCOPES)
        return self


def submission(client_id: str = "acme", **changes: object) -> Submission:
    """A submission with everything set, names as strange as they come."""
    job_id = str(uuid.uuid4())
    audio = StoredAudio(
        key=f"jobs/{job_id}/audio",
        sha256="ab" * 32,
        size_bytes=2**33,
        media_type="audio/wav",
        declared_duration_ms=2**40,
        sample_rate_hz=2**32 - 1,
        channels=65_535,
    )
    call = CallInfo(
        file_name="../../etc/x\n\u202e'; DROP TABLE ingest.clients; --",
        started_at=datetime(2026, 1, 31, 11, 5, tzinfo=UTC),
        direction="inbound",
        operator="Анна О'Нил",
        customer_number="+7 900",
        queue="q",
        metadata={"ключ": "знач"},
    )
    fields: dict[str, object] = {
        "job_id": job_id,
        "run": 1,
        "client_id": client_id,
        "call_id": job_id,
        "priority": "normal",
        "audio": audio,
        "call_info": call,
        "call_info_key": f"jobs/{job_id}/call.json",
        "channel_roles": ("operator", "customer"),
        "language": "ru",
        "locale": "ru",
        "formats": ("txt", "vtt"),
        **changes,
    }
    return Submission(**fields)  # type: ignore[arg-type]  # the names are Submission's


def idempotency(key: str = "k", request: bytes = b"r" * 32) -> IdempotencyKey:
    return IdempotencyKey(key, request)


def with_both_schemas(urls: DatabaseUrls) -> DatabaseUrls:
    """A database that both services migrated."""
    migrate(urls.ingest)
    with closing(PostgresLedger(urls.ledger)) as ledger:
        ledger.migrate()
    return urls
