"""What an operator does by command: make keys, have jobs done again. Called by the command line; constructs what it needs."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from services.ingest import keys
from services.ingest.adapters.postgres import Database, PostgresBacklog, PostgresClients, PostgresRuns, migrate
from services.ingest.backlog import Waiting
from services.ingest.clients import SCOPES, Client, is_client_id
from services.ingest.ports import Clients
from services.ingest.runs import FAILED, REPROCESSED, Refused, Runs, Started


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


def backlog_at(database_url: str) -> list[Waiting]:
    """What waits or is announced and not terminal, by priority and state.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.

    Raises:
        Transient: The database does not answer.
        Permanent: It does not do what it should.
    """
    database = Database(database_url, max_connections=1)
    database.open()
    try:
        return PostgresBacklog(database).measure()
    finally:
        database.close()


@contextmanager
def runs_at(database_url: str) -> Iterator[Runs]:
    """Where runs are started, for as long as the context lasts.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
    """
    database = Database(database_url, max_connections=1)
    database.open()
    try:
        yield PostgresRuns(database)
    finally:
        database.close()


def requeue(runs: Runs, job_ids: Iterable[str], *, reprocess: bool, dry_run: bool) -> Iterator[Started | Refused]:
    """Have jobs done again: a new run of each, in a transaction of its own.

    Args:
        runs: Where runs are started.
        job_ids: The jobs.
        reprocess: Also those that completed; it may bill them again (see LEDGER_BILL_REPROCESS).
        dry_run: Only say what would be.

    Yields:
        What became of each, in order.

    Raises:
        Transient: The database does not answer; what was yielded holds.
    """
    allowed = REPROCESSED if reprocess else FAILED
    for job_id in job_ids:
        yield runs.start(job_id, allowed=allowed, dry_run=dry_run)
