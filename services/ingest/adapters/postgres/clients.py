"""Clients and API keys in PostgreSQL; see `ports.Clients`."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from services.ingest.adapters.postgres.connecting import Database
from services.ingest.adapters.postgres.statements import STATEMENTS
from services.ingest.clients import Client, StoredKey


class PostgresClients:
    """See `ports.Clients`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_key(self, key_id: str) -> StoredKey | None:
        """See `Clients.find_key`."""
        with self._database.statement("find a key") as connection:
            row = connection.execute(STATEMENTS["find_key"], {"key_id": key_id}).fetchone()
        if row is None:
            return None
        return StoredKey(
            key_id=row["key_id"],
            secret_sha256=bytes(row["secret_sha256"]),
            scopes=frozenset(row["scopes"]),
            revoked=row["revoked"],
            client=Client(
                client_id=row["client_id"],
                name=row["name"],
                channel_map={direction: tuple(roles) for direction, roles in row["channel_map"].items()},
                language=row["language"],
                locale=row["locale"],
                formats=tuple(row["formats"]),
            ),
        )

    def add_key(self, client: Client, key_id: str, secret_sha256: bytes, scopes: Sequence[str]) -> None:
        """See `Clients.add_key`."""
        row = {
            "client_id": client.client_id,
            "name": client.name,
            "channel_map": Jsonb({direction: list(roles) for direction, roles in client.channel_map.items()}),
            "language": client.language,
            "locale": client.locale,
            "formats": list(client.formats),
        }
        key = {
            "key_id": key_id,
            "client_id": client.client_id,
            "secret_sha256": secret_sha256,
            "scopes": list(scopes),
        }
        with self._database.transaction("add a key") as connection:
            connection.execute(STATEMENTS["add_client"], row)
            connection.execute(STATEMENTS["add_key"], key)

    def revoke_key(self, key_id: str) -> bool:
        """See `Clients.revoke_key`."""
        with self._database.transaction("revoke a key") as connection:
            return connection.execute(STATEMENTS["revoke_key"], {"key_id": key_id}).rowcount == 1
