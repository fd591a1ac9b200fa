"""Deliveries in PostgreSQL; see `webhooks.deliveries`. A claim is a row that nobody else is given until it runs out."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from pipeline.sql import queries
from services.ingest.adapters.postgres.audit_log import log
from services.ingest.adapters.postgres.connecting import Connection, Database
from services.ingest.audit_log import OPERATOR, WEBHOOK_RETIRED, WEBHOOK_ROTATED, Act
from services.ingest.webhooks.deliveries import KEPT, LEASE, Claimed, Delivery, webhook_id_of
from services.ingest.webhooks.signing import MAX_SECRETS
from services.ingest.webhooks.verdicts import LASTS, Answered, Verdict

_STATEMENTS: Final = queries("services.ingest.adapters.postgres", "webhooks.sql")


class PostgresDeliveries:
    """See `deliveries.Deliveries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self, limit: int) -> int:
        """See `Deliveries.collect`."""
        with self._database.transaction_for_all("collect ends") as connection:
            taken = connection.execute(_STATEMENTS["take_ends"], {"limit": limit}).fetchall()
            if taken:
                ended = {
                    "webhook_ids": [webhook_id_of(row["job_id"], row["run"], row["state"]) for row in taken],
                    "job_ids": [row["job_id"] for row in taken],
                    "runs": [row["run"] for row in taken],
                    "states": [row["state"] for row in taken],
                    "lasts": LASTS,
                }
                connection.execute(_STATEMENTS["add_deliveries"], ended)
        return len(taken)

    def claim(self, limit: int, each: int, busy: Collection[str]) -> list[Claimed]:
        """See `Deliveries.claim`."""
        wanted = {"limit": limit, "each": each, "busy": list(busy), "lease": LEASE}
        with self._database.transaction_for_all("claim deliveries") as connection:
            return [_claimed(row) for row in connection.execute(_STATEMENTS["claim"], wanted).fetchall()]

    def mark(self, claimed: Claimed, answered: Answered, verdict: Verdict) -> None:
        """See `Deliveries.mark`."""
        marked = {
            "webhook_id": claimed.delivery.webhook_id,
            "claim": claimed.claim,
            "status": verdict.status,
            "pause_s": verdict.pause_s,
            "status_code": answered.status_code,
            "fault": answered.fault,
        }
        with self._database.transaction_for_all("mark a delivery") as connection:
            connection.execute(_STATEMENTS["mark"], marked)

    def prune(self) -> int:
        """See `Deliveries.prune`."""
        with self._database.transaction_for_all("forget deliveries") as connection:
            return connection.execute(_STATEMENTS["prune"], {"kept": KEPT}).rowcount


class PostgresWebhookBook:
    """See `deliveries.WebhookBook`. `by`: who acts, for the audit log."""

    def __init__(self, database: Database, *, by: str = OPERATOR) -> None:
        self._database = database
        self._by = by

    def page(
        self, client_id: str | None, *, status: str | None = None, after: str | None = None, limit: int = 100
    ) -> list[Delivery]:
        """See `WebhookBook.page`."""
        wanted = {"client_id": client_id, "status": status, "after": after, "limit": limit}
        with self._database.transaction_for(client_id, "list deliveries") as connection:
            return [_delivery(row) for row in connection.execute(_STATEMENTS["fetch_page"], wanted).fetchall()]

    def find(self, client_id: str | None, webhook_id: str) -> Delivery | None:
        """See `WebhookBook.find`."""
        with self._database.transaction_for(client_id, "find a delivery") as connection:
            return _found(connection, client_id, webhook_id)

    def replay(self, client_id: str | None, webhook_id: str) -> Delivery | None:
        """See `WebhookBook.replay`."""
        wanted = {"client_id": client_id, "webhook_id": webhook_id, "lasts": LASTS}
        with self._database.transaction_for(client_id, "replay a delivery") as connection:
            connection.execute(_STATEMENTS["replay"], wanted)
            return _found(connection, client_id, webhook_id)

    def test(self, client_id: str, webhook_id: str) -> Delivery | None:
        """See `WebhookBook.test`."""
        wanted = {"client_id": client_id, "webhook_id": webhook_id, "lasts": LASTS}
        with self._database.transaction_of(client_id, "test a webhook") as connection:
            row = connection.execute(_STATEMENTS["add_test"], wanted).fetchone()
        return None if row is None else _delivery(row)

    def rotate(self, client_id: str, secret: str) -> bool:
        """See `WebhookBook.rotate`."""
        wanted = {"client_id": client_id, "secret": secret, "most": MAX_SECRETS}
        return self._changed(WEBHOOK_ROTATED, "rotate", wanted)

    def retire(self, client_id: str) -> bool:
        """See `WebhookBook.retire`."""
        return self._changed(WEBHOOK_RETIRED, "retire", {"client_id": client_id})

    def _changed(self, act: str, statement: str, wanted: dict[str, Any]) -> bool:
        client_id = wanted["client_id"]
        with self._database.transaction_for_all("change a webhook's secrets") as connection:
            changed = connection.execute(_STATEMENTS[statement], wanted).rowcount == 1
            if changed:
                log(connection, Act(who=self._by, act=act, client_id=client_id, subject=client_id))
        return changed


def _found(connection: Connection, client_id: str | None, webhook_id: str) -> Delivery | None:
    wanted = {"client_id": client_id, "webhook_id": webhook_id}
    row = connection.execute(_STATEMENTS["fetch_one"], wanted).fetchone()
    return None if row is None else _delivery(row)


def _claimed(row: dict[str, Any]) -> Claimed:
    return Claimed(
        delivery=_delivery(row),
        url=row["webhook_url"],
        secrets=tuple(row["webhook_secrets"]),
        attempt=row["attempts"] - row["attempts_before"],
        claim=row["attempts"],
        left_s=row["left_s"],
    )


def _delivery(row: dict[str, Any]) -> Delivery:
    return Delivery(
        webhook_id=row["webhook_id"],
        client_id=row["client_id"],
        created_at=row["created_at"],
        status=row["status"],
        attempts=row["attempts"],
        due_at=row["due_at"],
        job_id=row["job_id"],
        run=row["run"],
        state=row["state"],
        reason=row["reason"],
        attempted_at=row["attempted_at"],
        status_code=row["status_code"],
        fault=row["fault"],
        settled_at=row["settled_at"],
    )
