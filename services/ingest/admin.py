"""What an operator does by command: make keys. Called by the product's command line; constructs what it needs."""

from __future__ import annotations

import secrets

from services.ingest import keys
from services.ingest.adapters.postgres import Database, PostgresClients, migrate
from services.ingest.clients import SCOPES, Client, is_client_id
from services.ingest.ports import Clients


def add_key(clients: Clients, client: Client, key_id: bytes, secret: bytes, scopes: tuple[str, ...] = SCOPES) -> str:
    """Keep a new key's hash; its client is made if it is missing, and left as it is if not.

    Args:
        clients: Where keys are kept.
        client: Whose key it is, with the defaults that it gets if it is new.
        key_id: keys.KEY_ID_BYTES random bytes.
        secret: keys.SECRET_BYTES random bytes.
        scopes: What the key may do.

    Returns:
        The key's text: the only time it can be seen.

    Raises:
        ValueError: The client's id or the scopes are not valid.
    """
    if not is_client_id(client.client_id):
        raise ValueError("a client's name is 1 to 64 of A-Z a-z 0-9 . _ -")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValueError(f"scopes are out of {', '.join(SCOPES)}")
    text = keys.compose(key_id, secret)
    parsed = keys.parse(text)
    if parsed is None:
        raise ValueError("a key that cannot be read")
    clients.add_key(client, parsed.key_id, keys.secret_sha256(parsed.secret), scopes)
    return text


def create_key(database_url: str, client: Client, scopes: tuple[str, ...] = SCOPES) -> str:
    """Make a key in a database, which is brought to this release first.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
        client: `Client(client_id=NAME, name=NAME)`, with the defaults that it gets if it is new.
        scopes: What the key may do.

    Returns:
        The key's text: the only time it can be seen.

    Raises:
        ValueError: The client's id or the scopes are not valid.
        Transient: The database does not answer.
        Fatal, Permanent: It refuses.
    """
    migrate(database_url)
    database = Database(database_url, max_connections=1)
    database.open()
    try:
        key_id, secret = secrets.token_bytes(keys.KEY_ID_BYTES), secrets.token_bytes(keys.SECRET_BYTES)
        return add_key(PostgresClients(database), client, key_id, secret, scopes)
    finally:
        database.close()
