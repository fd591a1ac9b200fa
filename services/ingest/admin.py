"""What an operator does by command: keep clients and keys, have jobs done again, ask what waits. Called by the command line;
constructs what it needs.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Final

from pipeline.outbound import Allowed
from services.ingest import client_rules, keys, scopes
from services.ingest.adapters.postgres import (
    Database,
    PostgresAuditLog,
    PostgresBacklog,
    PostgresClients,
    PostgresRuns,
    PostgresSeenFiles,
    PostgresUsage,
    PostgresWebhookBook,
    migrate,
)
from services.ingest.audit_log import OPERATOR, AuditLog
from services.ingest.backlog import Waiting
from services.ingest.clients import Client
from services.ingest.ports import Clients
from services.ingest.runs import FAILED, REPROCESSED, Refused, Runs, Started
from services.ingest.usage import Usage
from services.ingest.watching.ports import SeenFiles
from services.ingest.webhooks.deliveries import WebhookBook

PUBLIC: Final = Allowed()


@contextmanager
def _opened(database_url: str, *, migrated: bool = False) -> Iterator[Database]:
    """A connection for as long as the context lasts, to a database that is brought to this release first if it is to be."""
    if migrated:
        migrate(database_url)
    database = Database(database_url, max_connections=1)
    database.open()
    try:
        yield database
    finally:
        database.close()


@contextmanager
def clients_at(database_url: str, *, by: str = OPERATOR) -> Iterator[Clients]:
    """Clients and keys in a database, which is brought to this release first.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
        by: Who acts, for the audit log.

    Raises:
        Transient: The database does not answer.
        Fatal, Permanent: It refuses.
    """
    with _opened(database_url, migrated=True) as database:
        yield PostgresClients(database, by=by)


def create_client(clients: Clients, client: Client, reach: Allowed = PUBLIC) -> bool:
    """Keep a new client; False if there is one with this id. Its webhook is within reach.

    Raises:
        ValueError: A setting is not valid.
    """
    client_rules.check(client)
    client_rules.check_webhook(client, reach)
    return clients.create(client)


def change_client(
    clients: Clients, client_id: str, changed: Callable[[Client], Client], reach: Allowed = PUBLIC
) -> Client | None:
    """Change a client's settings; see `Clients.change`. A webhook that is set anew is within reach.

    Raises:
        ValueError: A setting is not valid; nothing has changed.
    """

    def checked(client: Client) -> Client:
        wanted = changed(client)
        client_rules.check(wanted)
        if wanted.webhook_url != client.webhook_url:
            client_rules.check_webhook(wanted, reach)
        return wanted

    return clients.change(client_id, checked)


def new_key() -> tuple[bytes, bytes]:
    """A random id and secret."""
    return secrets.token_bytes(keys.KEY_ID_BYTES), secrets.token_bytes(keys.SECRET_BYTES)


def add_key(
    clients: Clients,
    client: Client,
    key_id: bytes,
    secret: bytes,
    wanted: Sequence[str] = scopes.USUAL,
    *,
    lasts: timedelta | None = None,
) -> str:
    """Keep a new key's hash; its client is made if it is missing, and left as it is if not.

    Args:
        clients: Where keys are kept.
        client: Whose key it is, with the defaults that it gets if it is new.
        key_id: keys.KEY_ID_BYTES random bytes.
        secret: keys.SECRET_BYTES random bytes.
        wanted: What the key may do.
        lasts: How long it works; None: until it is revoked.

    Returns:
        The key's text: the only time it can be seen.

    Raises:
        ValueError: The client's settings or the scopes are not valid.
    """
    client_rules.check(client)
    client_rules.check_webhook(client, PUBLIC)
    allowed = scopes.checked(wanted)
    parsed, text = _composed(key_id, secret)
    clients.add_key(client, parsed.key_id, keys.secret_sha256(parsed.secret), allowed, lasts=lasts)
    return text


def rotate_key(clients: Clients, old_key_id: str, key_id: bytes, secret: bytes, overlap: timedelta) -> str | None:
    """Keep a new key of the same client and scopes; the old one works on for the overlap only.

    Returns:
        The new key's text: the only time it can be seen. None: there is no such key, or it works no more.
    """
    parsed, text = _composed(key_id, secret)
    rotated = clients.rotate_key(old_key_id, parsed.key_id, keys.secret_sha256(parsed.secret), overlap)
    return text if rotated else None


def _composed(key_id: bytes, secret: bytes) -> tuple[keys.ParsedKey, str]:
    text = keys.compose(key_id, secret)
    parsed = keys.parse(text)
    if parsed is None:
        raise ValueError("a key that cannot be read")
    return parsed, text


def create_key(database_url: str, client: Client, wanted: Sequence[str] = scopes.USUAL) -> str:
    """Make a key in a database, which is brought to this release first.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
        client: `Client(client_id=NAME, name=NAME)`, with the defaults that it gets if it is new.
        wanted: What the key may do.

    Returns:
        The key's text: the only time it can be seen.

    Raises:
        ValueError: The client's id or the scopes are not valid.
        Transient: The database does not answer.
        Fatal, Permanent: It refuses.
    """
    with clients_at(database_url) as clients:
        return add_key(clients, client, *new_key(), wanted)


def backlog_at(database_url: str) -> list[Waiting]:
    """What waits or is announced and not terminal, by priority and state.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.

    Raises:
        Transient: The database does not answer.
        Permanent: It does not do what it should.
    """
    with _opened(database_url) as database:
        return PostgresBacklog(database).measure()


def usage_at(database_url: str, month: date, client_id: str | None = None) -> list[Usage]:
    """Who used anything in a month, by client.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
        month: Its first day.
        client_id: Of this client only.

    Raises:
        Transient: The database does not answer.
        Permanent: It does not do what it should.
    """
    with _opened(database_url) as database:
        return PostgresUsage(database).of_month(month, client_id)


@contextmanager
def seen_files_at(database_url: str) -> Iterator[SeenFiles]:
    """What watchers have seen, in a database that is brought to this release first.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.

    Raises:
        Transient: The database does not answer.
        Fatal, Permanent: It refuses.
    """
    with _opened(database_url, migrated=True) as database:
        yield PostgresSeenFiles(database)


@contextmanager
def webhooks_at(database_url: str, *, by: str = OPERATOR) -> Iterator[WebhookBook]:
    """What clients were told, in a database, which is brought to this release first.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
        by: Who acts, for the audit log.
    """
    with _opened(database_url, migrated=True) as database:
        yield PostgresWebhookBook(database, by=by)


@contextmanager
def runs_at(database_url: str) -> Iterator[Runs]:
    """Where runs are started, for as long as the context lasts.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.
    """
    with _opened(database_url) as database:
        yield PostgresRuns(database)


@contextmanager
def audit_log_at(database_url: str) -> Iterator[AuditLog]:
    """The audit log of a database, which is brought to this release first.

    Args:
        database_url: PostgreSQL, as the role that owns the schema `ingest`.

    Raises:
        Transient: The database does not answer.
        Fatal, Permanent: It refuses.
    """
    with _opened(database_url, migrated=True) as database:
        yield PostgresAuditLog(database)


def requeue(
    runs: Runs, job_ids: Iterable[str], *, reprocess: bool, dry_run: bool, by: str = OPERATOR
) -> Iterator[Started | Refused]:
    """Have jobs done again: a new run of each, in a transaction of its own.

    Args:
        runs: Where runs are started.
        job_ids: The jobs.
        reprocess: Also those that completed; it may bill them again (see LEDGER_BILL_REPROCESS).
        dry_run: Only say what would be.
        by: Who asks, for the audit log.

    Yields:
        What became of each, in order.

    Raises:
        Transient: The database does not answer; what was yielded holds.
    """
    allowed = REPROCESSED if reprocess else FAILED
    for job_id in job_ids:
        yield runs.start(job_id, allowed=allowed, dry_run=dry_run, by=by)
