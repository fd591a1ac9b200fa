"""What watchers have seen: one suite over the shipped fake and PostgreSQL, and what PostgreSQL alone must hold."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from pipeline.errors import Transient
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest.adapters.memory_seen import MemorySeenFiles
from services.ingest.adapters.postgres import (
    Database,
    PostgresClients,
    PostgresSeenFiles,
    PostgresStops,
    PostgresSubmissions,
)
from services.ingest.clients import Client
from services.ingest.watching.decisions import Seen, Stamp
from services.ingest.watching.ports import LookFacts, Owner, Refusal, SeenFiles
from tests.integration.databases import DATABASES
from tests.integration.ingest.repositories import submission

OWNER = Owner(watcher="pbx", client_id="acme")
OTHERS = Owner(watcher="pbx", client_id="other")
STAMP = Stamp(2**40, 1_769_857_512_000_000_007)
SIDECAR = Stamp(10, 5)
PATH = "20260131/Ёлкина +7 900\n\u202e.wav"
REFUSAL = Refusal(reason="unsupported_media", detail="the bytes are text/plain")


@pytest.fixture(params=DATABASES)
def seen(request: pytest.FixtureRequest) -> SeenFiles:
    if request.param == "memory":
        return MemorySeenFiles(lambda: datetime.now(UTC))
    database: Database = request.getfixturevalue("database")
    for client_id in ("acme", "other"):
        PostgresClients(database).create(Client(client_id=client_id, name=client_id))
    return PostgresSeenFiles(database)


def taken(seen: SeenFiles, owner: Owner = OWNER, path: str = PATH, stamp: Stamp = STAMP, job_id: str = "j") -> None:
    seen.mark_taken(owner, path, stamp, audio_sha256="ab" * 32, job_id=job_id)


def test_what_was_taken_is_known_for_its_watcher_and_client_alone(seen: SeenFiles) -> None:
    taken(seen)
    taken(seen)
    expected = Seen(state="taken", stamp=STAMP, audio_sha256="ab" * 32, job_id="j")
    assert seen.fetch(OWNER, [PATH, "other.wav"]) == {PATH: expected}
    assert seen.fetch(OTHERS, [PATH]) == {}
    assert seen.fetch(replace(OWNER, watcher="second"), [PATH]) == {}
    assert seen.fetch(OWNER, []) == {}
    taken(seen, OTHERS, job_id="theirs")
    assert seen.fetch(OWNER, [PATH])[PATH].job_id == "j"


@pytest.mark.parametrize("path", ["a\udcff.wav", "x" * 4096, "a'; DROP TABLE ingest.clients; --.wav"])
def test_strange_paths_are_told_from_each_other(seen: SeenFiles, path: str) -> None:
    taken(seen, path=path)
    assert list(seen.fetch(OWNER, [path, "a\udcfe.wav", f"{path}x"])) == [path]


def test_a_refused_file_is_listed_until_it_is_taken(seen: SeenFiles) -> None:
    seen.mark_refused(OWNER, PATH, STAMP, SIDECAR, REFUSAL)
    (listed,) = seen.refused(None, 10)
    assert (listed.path, listed.reason, listed.detail) == (PATH, REFUSAL.reason, REFUSAL.detail)
    assert (listed.size_bytes, listed.retry_at) == (STAMP.size_bytes, None)
    assert seen.fetch(OWNER, [PATH])[PATH] == Seen(state="refused", stamp=STAMP, sidecar=SIDECAR, reason=REFUSAL.reason)
    assert seen.refused("another", 10) == []
    taken(seen)
    assert seen.refused(None, 10) == []


def test_a_deferred_file_is_due_after_its_time(seen: SeenFiles) -> None:
    seen.mark_refused(OWNER, "later.wav", STAMP, None, replace(REFUSAL, retry_after_s=3600.0))
    seen.mark_refused(OWNER, "now.wav", STAMP, None, replace(REFUSAL, retry_after_s=0.0))
    found = seen.fetch(OWNER, ["later.wav", "now.wav"])
    assert {path: (one.state, one.due) for path, one in found.items()} == {
        "later.wav": ("deferred", False),
        "now.wav": ("deferred", True),
    }
    assert all(one.retry_at is not None for one in seen.refused("pbx", 10))


def test_refused_files_can_be_forgotten_by_reason(seen: SeenFiles) -> None:
    seen.mark_refused(OWNER, "a.wav", STAMP, None, REFUSAL)
    seen.mark_refused(OWNER, "b.wav", STAMP, None, replace(REFUSAL, reason="empty_file"))
    taken(seen)
    assert seen.forget_refused("pbx", "empty_file") == 1
    assert [one.path for one in seen.refused(None, 10)] == ["a.wav"]
    assert seen.forget_refused("pbx", None) == 1
    assert list(seen.fetch(OWNER, [PATH, "a.wav", "b.wav"])) == [PATH]


def test_a_look_is_kept_with_what_was_taken_and_refused(seen: SeenFiles) -> None:
    assert seen.watchers() == []
    seen.note_look(OWNER, LookFacts(found=9, waiting=2))
    seen.note_look(OWNER, LookFacts(found=3, waiting=1, fault="source_missing"))
    taken(seen)
    seen.mark_refused(OWNER, "b.wav", STAMP, None, REFUSAL)
    (told,) = seen.watchers()
    assert (told.watcher, told.client_id, told.look) == (
        "pbx", "acme", LookFacts(found=3, waiting=1, fault="source_missing"),
    )  # fmt: skip
    assert (told.taken, told.refused) == (1, 1)


def test_one_turn_at_a_time(seen: SeenFiles) -> None:
    with seen.turn(OWNER) as first, seen.turn(OWNER) as second, seen.turn(OTHERS) as others:
        assert (first, second, others) == (True, False, True)
    with seen.turn(OWNER) as again:
        assert again


def turn_is_free(database: Database) -> bool:
    with PostgresSeenFiles(database).turn(OWNER) as free:
        return free


def test_a_turn_is_free_again_when_who_had_it_is_gone(database: Database, migrated: DatabaseUrls) -> None:
    gone = Database(migrated.ingest, max_connections=1)
    gone.open()
    with ExitStack() as held:
        assert held.enter_context(PostgresSeenFiles(gone).turn(OWNER))
        with psycopg.connect(migrated.ingest) as killer:
            killer.execute(
                "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
                " WHERE l.locktype = 'advisory' AND d.datname = current_database()"
            )
        eventually(lambda: turn_is_free(database))  # a backend ends a little after it was told to
        with pytest.raises(Transient):
            held.close()
    gone.close()


def test_an_erased_job_takes_the_path_with_it_and_the_file_stays_known(database: Database) -> None:
    PostgresClients(database).create(Client(client_id="acme", name="Acme"))
    given = submission()
    PostgresSubmissions(database).submit(given, None)
    seen = PostgresSeenFiles(database)
    taken(seen, job_id=given.job_id)
    PostgresStops(database).erase("acme", given.job_id)
    with database.transaction_for_all("look") as connection:
        (row,) = connection.execute("SELECT path FROM ingest.watched_files").fetchall()
    assert row["path"] is None
    assert seen.fetch(OWNER, [PATH])[PATH].state == "taken"
