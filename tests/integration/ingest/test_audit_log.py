"""The audit log on PostgreSQL: what is written with the act, and that nobody changes it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from pipeline.testing import samples
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.postgres import (
    Database,
    PostgresAuditLog,
    PostgresClients,
    PostgresRuns,
    PostgresSessions,
    PostgresStops,
    PostgresSubmissions,
    PostgresWebhookBook,
)
from services.ingest.adapters.postgres.audit_log import log
from services.ingest.audit_log import Act, Wanted, key_holder
from services.ingest.clients import Client
from services.ingest.runs import FAILED
from services.ingest.scopes import READ
from tests.integration.ingest.ledger_events import record
from tests.integration.ingest.repositories import submission

EVERYTHING = Wanted()
BY = "operator:1000"


@pytest.fixture
def clients(database: Database) -> PostgresClients:
    return PostgresClients(database, by=BY)


@pytest.fixture
def audit_log(database: Database) -> PostgresAuditLog:
    return PostgresAuditLog(database)


def acts(audit_log: PostgresAuditLog, wanted: Wanted = EVERYTHING) -> list[tuple[str, str, str | None, str, object]]:
    """Oldest first, as tuples."""
    return [
        (entry.act.who, entry.act.act, entry.act.client_id, entry.act.subject, dict(entry.act.details))
        for entry in reversed(audit_log.entries(wanted, 100))
    ]


def test_changed_secrets_of_webhooks_are_written(
    database: Database, clients: PostgresClients, audit_log: PostgresAuditLog
) -> None:
    clients.create(Client(client_id="acme", name="Acme"))
    book = PostgresWebhookBook(database, by=BY)
    assert book.rotate("acme", "whsec_secret")
    assert book.retire("acme")
    assert not book.rotate("nobody", "whsec_secret")
    assert acts(audit_log)[1:] == [
        (BY, "webhook.rotated", "acme", "acme", {}),
        (BY, "webhook.retired", "acme", "acme", {}),
    ]


def test_what_is_done_to_clients_and_keys_is_written(clients: PostgresClients, audit_log: PostgresAuditLog) -> None:
    acme = Client(client_id="acme", name="Ромашка")
    assert clients.create(acme)
    assert not clients.create(acme)  # nothing was done
    clients.change("acme", lambda client: replace(client, locale="en", requests_per_minute=5))
    clients.add_key(acme, "k1", bytes(32), (READ,))
    assert clients.rotate_key("k1", "k2", bytes(32), timedelta(0))
    assert clients.revoke_key("k2")
    assert not clients.revoke_key("nobody's")
    assert acts(audit_log) == [
        (BY, "client.created", "acme", "acme", {}),
        (BY, "client.changed", "acme", "acme", {"settings": ["locale", "requests_per_minute"]}),
        (BY, "key.created", "acme", "k1", {"scopes": [READ]}),
        (BY, "key.rotated", "acme", "k1", {"new": "k2"}),
        (BY, "key.revoked", "acme", "k2", {}),
    ]


def test_what_is_done_to_jobs_is_written_once(
    clients: PostgresClients, audit_log: PostgresAuditLog, database: Database, migrated: DatabaseUrls
) -> None:
    clients.create(Client(client_id="acme", name="Acme"))
    given = submission()
    PostgresSubmissions(database).submit(given, None)
    failed = {"client_id": "acme", "accepted_at": samples.ACCEPTED_AT, "reason": "internal_error"}
    record(migrated.ledger, samples.job_status(given.job_id, 1, "failed", **failed))
    PostgresRuns(database).start(given.job_id, allowed=FAILED, by=BY, dry_run=True)
    PostgresRuns(database).start(given.job_id, allowed=FAILED, by=BY)
    for _ in range(2):
        PostgresStops(database).erase("acme", given.job_id, by=key_holder("k1"))
    PostgresStops(database).erase("other", given.job_id, by=key_holder("k1"))
    assert acts(audit_log)[1:] == [
        (BY, "job.requeued", "acme", given.job_id, {"run": 2, "was": "failed"}),
        ("key:k1", "job.erased", "acme", given.job_id, {}),
    ]


def test_signing_in_is_written(clients: PostgresClients, audit_log: PostgresAuditLog, database: Database) -> None:
    clients.add_key(Client(client_id="acme", name="x"), "k1", bytes(32), (READ,))
    sessions = PostgresSessions(database, by=BY)
    assert sessions.add_link("k1", bytes(31) + b"l", timedelta(minutes=1))
    assert not sessions.add_link("none", bytes(31) + b"n", timedelta(minutes=1))
    sessions.open("k1", bytes(31) + b"s", timedelta(hours=1))
    assert acts(audit_log)[2:] == [
        (BY, "link.created", "acme", "k1", {}),
        ("key:k1", "session.opened", "acme", "k1", {}),
    ]


def test_it_names_nobody(clients: PostgresClients, audit_log: PostgresAuditLog, database: Database) -> None:
    clients.create(Client(client_id="acme", name="Ромашка", webhook_url="https://hook.example/token"))
    clients.change("acme", lambda client: replace(client, name="Лютик"))
    given = submission()
    PostgresSubmissions(database).submit(given, None)
    PostgresStops(database).erase("acme", given.job_id)
    told = str(audit_log.entries(EVERYTHING, 100))
    assert not any(word in told for word in ("Ромашка", "Лютик", "hook.example", "Анна", "+7 900", "etc/x"))


def test_entries_are_found_by_client_act_and_time(clients: PostgresClients, audit_log: PostgresAuditLog) -> None:
    for client_id in ("acme", "other"):
        clients.add_key(Client(client_id=client_id, name="x"), f"key-{client_id}", bytes(32), (READ,))
    assert [found[3] for found in acts(audit_log, Wanted(client_id="other"))] == ["other", "key-other"]
    assert [found[3] for found in acts(audit_log, Wanted(act="key.created"))] == ["key-acme", "key-other"]
    assert acts(audit_log, Wanted(since=datetime.now(UTC) + timedelta(hours=1))) == []
    assert [entry.entry_id for entry in audit_log.entries(EVERYTHING, 3)] == [4, 3, 2]


def test_what_is_rolled_back_was_not_done(
    clients: PostgresClients, audit_log: PostgresAuditLog, database: Database
) -> None:
    with database.transaction_for_all("fail") as connection:
        log(connection, Act(who=BY, act="key.revoked", subject="k"))
        connection.rollback()
    clients.create(Client(client_id="acme", name="Acme"))
    assert [entry.entry_id for entry in audit_log.entries(EVERYTHING, 9)] == [1]
    assert audit_log.first_broken() is None


def test_those_who_act_at_once_make_one_chain(clients: PostgresClients, audit_log: PostgresAuditLog) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: clients.create(Client(client_id=f"c{number}", name="x")), range(40)))
    assert sorted(entry.entry_id for entry in audit_log.entries(EVERYTHING, 100)) == list(range(1, 41))
    assert audit_log.first_broken() is None


@pytest.mark.parametrize(
    "statement", ["UPDATE ingest.audit_log SET who = 'x'", "DELETE FROM ingest.audit_log", "TRUNCATE ingest.audit_log"]
)
def test_nobody_changes_it(clients: PostgresClients, migrated: DatabaseUrls, statement: str) -> None:
    clients.create(Client(client_id="acme", name="Acme"))
    for url, refusal in (
        (migrated.ingest, psycopg.errors.InsufficientPrivilege),
        (migrated.ledger, psycopg.errors.InsufficientPrivilege),
        (migrated.admin, psycopg.errors.IntegrityConstraintViolation),
    ):
        with psycopg.connect(url) as connection, pytest.raises(refusal):
            connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE ingest.audit_log SET who = 'x' WHERE entry_id = 2", 2),
        ("UPDATE ingest.audit_log SET details = '{}' WHERE entry_id = 2", 2),
        ("UPDATE ingest.audit_log SET at = at - interval '1 day' WHERE entry_id = 3", 3),
        ("DELETE FROM ingest.audit_log WHERE entry_id = 1", 2),
        ("DELETE FROM ingest.audit_log WHERE entry_id = 2", 3),
    ],
)
def test_who_changes_it_all_the_same_is_seen(
    clients: PostgresClients, audit_log: PostgresAuditLog, migrated: DatabaseUrls, tampering: str, broken: int
) -> None:
    for number in range(3):
        clients.add_key(Client(client_id="acme", name="x"), f"key-{number}", bytes(32), (READ,))
    assert audit_log.first_broken() is None
    with psycopg.connect(migrated.admin) as connection:
        connection.execute("ALTER TABLE ingest.audit_log DISABLE TRIGGER append_only")
        connection.execute(tampering.encode())
    assert audit_log.first_broken() == broken


def test_the_ledgers_operators_write_here_and_read_nothing(migrated: DatabaseUrls, audit_log: PostgresAuditLog) -> None:
    with psycopg.connect(migrated.ledger) as connection:
        connection.execute(
            """SELECT ingest.log_act_v1('operator:0', 'letters.dropped', NULL, '1-2', '{"letters": 2}')"""
        )
    assert acts(audit_log) == [("operator:0", "letters.dropped", None, "1-2", {"letters": 2})]
    with psycopg.connect(migrated.ledger) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM ingest.audit_log")


def test_who_serves_a_client_sees_its_entries_only(
    clients: PostgresClients, audit_log: PostgresAuditLog, database: Database
) -> None:
    for client_id in ("acme", "other"):
        clients.create(Client(client_id=client_id, name="x"))
    with database.transaction_of("acme", "look") as connection:
        assert connection.execute("SELECT client_id FROM ingest.audit_log").fetchall() == [{"client_id": "acme"}]
        log(connection, Act(who="key:k", act="job.erased", client_id="acme", subject="j"))
    assert audit_log.first_broken() is None
