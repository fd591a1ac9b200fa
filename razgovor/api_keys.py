"""API keys for the clients of a stack: made here, where randomness comes from; ingest keeps the hash."""

from __future__ import annotations

import secrets

from services.ingest import keys
from services.ingest.adapters.postgres import Database, PostgresClients
from services.ingest.clients import SCOPES, Client, is_client_id


def issue_key(database_url: str, client_id: str) -> str:
    """A new key of a client, who is made if there is none. It is told once: nobody can read it again.

    Raises:
        ValueError: No such client can be: letters, digits, `._-`, at most 64.
        Transient: The database does not answer.
    """
    if not is_client_id(client_id):
        raise ValueError("a client's id holds letters, digits, '.', '_' and '-', at most 64")
    text = keys.compose(secrets.token_bytes(keys.KEY_ID_BYTES), secrets.token_bytes(keys.SECRET_BYTES))
    parsed = keys.parse(text)
    assert parsed is not None  # noqa: S101  what compose makes, parse reads; a test holds it
    database = Database(database_url, max_connections=1)
    database.open()
    try:
        client = Client(client_id=client_id, name=client_id)
        PostgresClients(database).add_key(client, parsed.key_id, keys.secret_sha256(parsed.secret), SCOPES)
    finally:
        database.close()
    return text
