"""Clients and API keys in PostgreSQL; see `ports.Clients`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from psycopg.types.json import Jsonb

from pipeline.sql import queries
from services.ingest.adapters.postgres.audit_log import log
from services.ingest.adapters.postgres.connecting import Connection, Database
from services.ingest.audit_log import (
    CLIENT_CHANGED,
    CLIENT_CREATED,
    KEY_CREATED,
    KEY_REVOKED,
    KEY_ROTATED,
    OPERATOR,
    Act,
)
from services.ingest.clients import Client, KeyFacts, Quota, Retention, StoredKey
from services.ingest.scopes import ADMIN, READ, SUBMIT

STATEMENTS: Final = queries("services.ingest.adapters.postgres", "clients.sql")
#: Scopes as they are stored: the release before knows two of them by these names.
_STORED: Final = {SUBMIT: "jobs:write", READ: "jobs:read", ADMIN: "admin"}
_SCOPES: Final = {stored: scope for scope, stored in _STORED.items()}


class PostgresClients:
    """See `ports.Clients`. `by`: who acts, for the audit log."""

    def __init__(self, database: Database, *, by: str = OPERATOR) -> None:
        self._database = database
        self._by = by

    def find_key(self, key_id: str) -> StoredKey | None:
        """See `Clients.find_key`."""
        with self._database.transaction_for_all("find a key") as connection:
            row = connection.execute(STATEMENTS["find_key"], {"key_id": key_id}).fetchone()
        return None if row is None else stored_key(row)

    def add_key(
        self,
        client: Client,
        key_id: str,
        secret_sha256: bytes,
        scopes: Sequence[str],
        *,
        lasts: timedelta | None = None,
    ) -> None:
        """See `Clients.add_key`."""
        key = _key_row(key_id, client.client_id, secret_sha256, [_STORED[scope] for scope in scopes], lasts)
        with self._database.transaction_for_all("add a key") as connection:
            is_new = connection.execute(STATEMENTS["add_client"], _row(client)).rowcount == 1
            connection.execute(STATEMENTS["add_key"], key)
            if is_new:
                self._log(connection, CLIENT_CREATED, client.client_id, client.client_id)
            self._log(connection, KEY_CREATED, client.client_id, key_id, scopes=sorted(scopes))

    def rotate_key(self, key_id: str, new_key_id: str, secret_sha256: bytes, overlap: timedelta) -> bool:
        """See `Clients.rotate_key`."""
        with self._database.transaction_for_all("rotate a key") as connection:
            old = connection.execute(STATEMENTS["end_key"], {"key_id": key_id, "overlap": overlap}).fetchone()
            if old is None:
                return False
            key = _key_row(new_key_id, old["client_id"], secret_sha256, old["scopes"], None)
            connection.execute(STATEMENTS["add_key"], key)
            self._log(connection, KEY_ROTATED, old["client_id"], key_id, new=new_key_id)
        return True

    def revoke_key(self, key_id: str) -> bool:
        """See `Clients.revoke_key`."""
        with self._database.transaction_for_all("revoke a key") as connection:
            revoked = connection.execute(STATEMENTS["revoke_key"], {"key_id": key_id}).fetchone()
            if revoked is not None:
                self._log(connection, KEY_REVOKED, revoked["client_id"], key_id)
        return revoked is not None

    def keys(self, client_id: str | None = None) -> list[KeyFacts]:
        """See `Clients.keys`."""
        with self._database.transaction_for_all("list keys") as connection:
            rows = connection.execute(STATEMENTS["fetch_keys"], {"client_id": client_id}).fetchall()
        return [KeyFacts(**{**row, "scopes": _scopes(row["scopes"])}) for row in rows]

    def create(self, client: Client) -> bool:
        """See `Clients.create`."""
        with self._database.transaction_for_all("create a client") as connection:
            is_new = connection.execute(STATEMENTS["add_client"], _row(client)).rowcount == 1
            if is_new:
                self._log(connection, CLIENT_CREATED, client.client_id, client.client_id)
        return is_new

    def change(self, client_id: str, changed: Callable[[Client], Client]) -> Client | None:
        """See `Clients.change`."""
        with self._database.transaction_for_all("change a client") as connection:
            row = connection.execute(STATEMENTS["lock_client"], {"client_id": client_id}).fetchone()
            if row is None:
                return None
            before = _client(row)
            wanted = changed(before)
            connection.execute(STATEMENTS["change_client"], {**_row(wanted), "client_id": client_id})
            settings = [name for name, value in asdict(wanted).items() if value != asdict(before)[name]]
            self._log(connection, CLIENT_CHANGED, client_id, client_id, settings=settings)
        return wanted

    def fetch(self, client_id: str) -> Client | None:
        """See `Clients.fetch`."""
        with self._database.transaction_for_all("fetch a client") as connection:
            row = connection.execute(STATEMENTS["fetch_client"], {"client_id": client_id}).fetchone()
        return None if row is None else _client(row)

    def all(self) -> list[Client]:
        """See `Clients.all`."""
        with self._database.transaction_for_all("list clients") as connection:
            return [_client(row) for row in connection.execute(STATEMENTS["fetch_clients"])]

    def _log(self, connection: Connection, act: str, client_id: str, subject: str, **details: object) -> None:
        log(connection, Act(who=self._by, act=act, client_id=client_id, subject=subject, details=details))


def _scopes(stored: Iterable[str]) -> frozenset[str]:
    """Those that this release knows."""
    return frozenset(_SCOPES[name] for name in stored if name in _SCOPES)


def _key_row(
    key_id: str, client_id: str, secret_sha256: bytes, stored_scopes: Sequence[str], lasts: timedelta | None
) -> dict[str, Any]:
    return {
        "key_id": key_id,
        "client_id": client_id,
        "secret_sha256": secret_sha256,
        "scopes": list(stored_scopes),
        "lasts": lasts,
    }


def stored_key(row: dict[str, Any]) -> StoredKey:
    """The key in a row of `api_keys` beside its client's."""
    return StoredKey(
        key_id=row["key_id"],
        secret_sha256=bytes(row["secret_sha256"]),
        scopes=_scopes(row["scopes"]),
        revoked=row["revoked"],
        client=_client(row),
    )


def quota_of(row: dict[str, Any]) -> Quota:
    """The quota in a row of `clients`."""
    return Quota(
        daily_minutes=row["daily_minutes"],
        monthly_minutes=row["monthly_minutes"],
        concurrent_jobs=row["concurrent_jobs"],
    )


def _client(row: dict[str, Any]) -> Client:
    return Client(
        client_id=row["client_id"],
        name=row["name"],
        channel_map={direction: tuple(roles) for direction, roles in row["channel_map"].items()},
        language=row["language"],
        languages=tuple(row["languages"]),
        locale=row["locale"],
        formats=tuple(row["formats"]),
        glossary_id=row["glossary_id"],
        retention=Retention(audio_days=row["audio_retention_days"], transcript_days=row["transcript_retention_days"]),
        quota=quota_of(row),
        requests_per_minute=row["requests_per_minute"],
        priority_ceiling=row["priority_ceiling"],
        webhook_url=row["webhook_url"],
        sources=tuple(row["sources"]),
    )


def _row(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "channel_map": Jsonb({direction: list(roles) for direction, roles in client.channel_map.items()}),
        "language": client.language,
        "languages": list(client.languages),
        "locale": client.locale,
        "formats": list(client.formats),
        "glossary_id": client.glossary_id,
        "audio_retention_days": client.retention.audio_days,
        "transcript_retention_days": client.retention.transcript_days,
        "daily_minutes": client.quota.daily_minutes,
        "monthly_minutes": client.quota.monthly_minutes,
        "concurrent_jobs": client.quota.concurrent_jobs,
        "requests_per_minute": client.requests_per_minute,
        "priority_ceiling": client.priority_ceiling,
        "webhook_url": client.webhook_url,
        "sources": list(client.sources),
    }
