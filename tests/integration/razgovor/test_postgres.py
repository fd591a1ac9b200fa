from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from razgovor.embedded import postgres_place as places
from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed, HomeBusy
from razgovor.embedded.owned_process import module_command, own_environment
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.embedded.postgres_server import PostgresServer
from razgovor.embedded.testing import temporary_folder
from razgovor.embedded.waiting import until
from tests.lacking import needs_root


@pytest.fixture
def as_root() -> None:
    needs_root("it runs the database as another account")


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


def one(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def modes(folder: Path) -> dict[Path, tuple[int, int, int]]:
    found = {}
    for path in (folder, *folder.parents):
        facts = path.stat()
        found[path] = (stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid)
    return found


def gone(pid: int) -> Callable[[], bool]:
    def check() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"

    return check


def test_each_role_owns_its_schema_and_nothing_else(database_urls: DatabaseUrls) -> None:
    assert one(database_urls.ingest, "SELECT current_user") == "razgovor_ingest"
    assert one(database_urls.ledger, "SELECT current_user") == "razgovor_ledger"
    for url, own, other in (
        (database_urls.ingest, "ingest", "ledger"),
        (database_urls.ledger, "ledger", "ingest"),
    ):
        with psycopg.connect(url) as connection:
            connection.execute(f"CREATE TABLE {own}.mine (number int)".encode())
        for schema in (other, "public"):
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"CREATE TABLE {schema}.mine (number int)".encode())
        assert (
            one(url, "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
            is False
        )


def test_a_role_without_its_password_does_not_get_in(database_urls: DatabaseUrls) -> None:
    password = database_urls.ingest.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database_urls.ingest.replace(password, "wrong"))


def test_every_test_gets_an_empty_database(database_urls: DatabaseUrls, postgres_server: EmbeddedPostgres) -> None:
    with psycopg.connect(database_urls.ledger) as connection:
        connection.execute("CREATE TABLE ledger.jobs (number int)")
    fresh = postgres_server.create_database("another")
    assert one(fresh.ledger, "SELECT to_regclass('ledger.jobs') IS NULL") is True


def test_passwords_stay_out_of_what_is_printed(database_urls: DatabaseUrls) -> None:
    assert "postgresql" not in repr(database_urls)


def test_only_the_socket_leads_in_and_writes_are_durable(database_urls: DatabaseUrls) -> None:
    assert one(database_urls.admin, "SHOW listen_addresses") == ""
    assert one(database_urls.admin, "SHOW fsync") == "on"
    assert one(database_urls.admin, "SHOW server_encoding") == "UTF8"


def test_data_stays_over_a_stop_and_addresses_work_again(folder: Path) -> None:
    with EmbeddedPostgres(folder / "home") as server, psycopg.connect(server.urls().ingest) as connection:
        connection.execute("CREATE TABLE ingest.kept AS SELECT 7 AS number")
    with EmbeddedPostgres(folder / "home") as server:
        assert one(server.urls().ingest, "SELECT number FROM ingest.kept") == 7


def test_after_kill_9_of_keeper_and_server_the_same_addresses_serve_the_same_data(folder: Path) -> None:
    first = EmbeddedPostgres(folder / "home")
    urls = first.start()
    with psycopg.connect(urls.ingest) as connection:
        connection.execute("CREATE TABLE ingest.kept AS SELECT 7 AS number")
    keeper, server = first.keeper_pid, first.server_pid
    assert keeper is not None
    assert server is not None
    os.kill(keeper, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)
    first.stop()
    with EmbeddedPostgres(folder / "home") as second:
        assert second.urls() == urls
        assert one(urls.ingest, "SELECT number FROM ingest.kept") == 7


def test_a_server_left_by_a_killed_keeper_gives_way_to_the_next(folder: Path) -> None:
    first = EmbeddedPostgres(folder / "home")
    first.start()
    keeper, server = first.keeper_pid, first.server_pid
    assert keeper is not None
    assert server is not None
    os.kill(keeper, signal.SIGKILL)
    with EmbeddedPostgres(folder / "home") as second:
        assert one(second.urls().admin, "SELECT 1") == 1
        assert second.server_pid != server
        until(gone(server), 10)
    first.stop()


def test_a_stale_pid_file_with_the_number_of_a_living_process_does_not_block(folder: Path) -> None:
    with EmbeddedPostgres(folder / "home"):
        pass
    stale = folder / "home" / "data" / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n1\n5432\n/nowhere\n\n  1 1\nready\n", encoding="ascii")
    with EmbeddedPostgres(folder / "home") as server:
        assert one(server.urls().admin, "SELECT 1") == 1


def test_files_left_by_a_killed_initdb_are_made_anew(folder: Path) -> None:
    unfinished = folder / "home" / "data.new"
    places.make_folder(folder / "home", places.home_mode(server_account()))
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n", encoding="ascii")
    with EmbeddedPostgres(folder / "home") as server:
        assert one(server.urls().admin, "SELECT 1") == 1
    assert not unfinished.exists()


def test_kill_9_of_whoever_started_it_ends_keeper_and_server(folder: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from razgovor.embedded.postgres import EmbeddedPostgres;"
        "server = EmbeddedPostgres(Path(sys.argv[1])); server.start();"
        "print(server.keeper_pid, server.server_pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder / "home")],
        env=own_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        keeper, server = (int(word) for word in owner.stdout.readline().split())
        owner.kill()
    until(gone(keeper), 15)
    until(gone(server), 15)


def test_two_servers_run_side_by_side(folder: Path) -> None:
    with EmbeddedPostgres(folder / "one") as one_server, EmbeddedPostgres(folder / "two") as other:
        assert one(one_server.urls().admin, "SELECT 1") == 1
        assert one(other.urls().admin, "SELECT 1") == 1
        assert one_server.urls() != other.urls()


def test_one_home_serves_one_keeper_and_the_first_goes_on(folder: Path) -> None:
    home, account = folder / "home", server_account()
    with EmbeddedPostgres(home) as first:
        second = PostgresServer(
            home=home,
            place=home,
            socket_folder=places.socket_folder(home, account),
            wheel=places.installed_wheel(),
            account=account,
            lock_timeout_s=0,
        )
        with pytest.raises(HomeBusy):
            second.start(threading.Event())
        second.stop()
        assert one(first.urls().ingest, "SELECT 1") == 1


def test_no_folder_that_we_did_not_make_changes_and_ours_are_private(folder: Path) -> None:
    theirs = folder / "theirs"
    theirs.mkdir(mode=0o755)
    before = modes(theirs)
    with EmbeddedPostgres(theirs / "ours" / "home", fallback_root=folder / "fallback") as server:
        socket = server.urls().admin.partition("host=")[2].replace("%2F", "/")
        assert stat.S_IMODE(Path(socket).stat().st_mode) == 0o700
    home = theirs / "ours" / "home"
    assert modes(theirs) == before
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "credentials.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)
    assert not Path(socket).exists()


def test_a_fallback_that_only_root_may_read_does_not_matter_to_others(folder: Path) -> None:
    fallback = folder / "fallback"
    fallback.mkdir()
    fallback.chmod(0o311)
    with EmbeddedPostgres(folder / "home", fallback_root=fallback) as server:
        assert one(server.urls().admin, "SELECT 1") == 1
    fallback.chmod(0o700)


@pytest.mark.usefixtures("as_root")
def test_under_a_folder_closed_to_others_the_files_go_elsewhere_and_a_note_says_where(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    before = modes(closed)
    home, fallback = closed / "home", folder / "fallback"
    with EmbeddedPostgres(home, fallback_root=fallback) as server:
        assert one(server.urls().admin, "SELECT 1") == 1
    place = places.noted_place(home)
    assert place is not None
    assert place.parent == fallback
    assert stat.S_IMODE((place / "data").stat().st_mode) == 0o700
    assert modes(closed) == before
    closed.chmod(0o711)  # the first answer stays: the data lies there
    with EmbeddedPostgres(home, fallback_root=fallback) as server:
        assert one(server.urls().admin, "SELECT 1") == 1
    assert not (home / "data").exists()
    places.remove_database(home)
    assert not place.exists()
    assert not home.exists()


@pytest.mark.usefixtures("as_root")
def test_binaries_that_the_account_cannot_reach_are_copied(folder: Path) -> None:
    original = places.installed_wheel()
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    hidden = places.Wheel(closed / "site", original.version)
    hidden.root.mkdir()
    (hidden.root / places.PACKAGE).symlink_to(original.root / places.PACKAGE)
    (hidden.root / f"{places.PACKAGE}.libs").symlink_to(original.root / f"{places.PACKAGE}.libs")
    account = server_account()
    assert places.reachable_wheel(original, folder, account) == original
    copy = places.reachable_wheel(hidden, folder, account)
    assert copy.root.parent == folder
    assert account.runs(str(copy.program("initdb")), "--version")
    assert places.reachable_wheel(hidden, folder, account) == copy


def test_an_unusable_home_is_a_clear_error(folder: Path) -> None:
    with EmbeddedPostgres(folder / "home"):
        pass
    (folder / "home" / "data" / "PG_VERSION").write_text("12\n", encoding="ascii")
    with pytest.raises(EmbeddedFailed, match="was made by PostgreSQL 12"):
        EmbeddedPostgres(folder / "home").start()


def test_the_keeper_is_a_command_of_its_own() -> None:
    done = subprocess.run(
        module_command("razgovor.embedded.postgres", "--help"), env=own_environment(), capture_output=True, check=True
    )
    assert b"standard input" in done.stdout
