"""The compose file's database roles are the embedded database's, with the passwords of the secrets."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo

from razgovor.doctor.probes import libpq_environment
from razgovor.embedded.postgres import EmbeddedPostgres
from razgovor.embedded.postgres_place import installed_wheel
from razgovor.embedded.testing import temporary_postgres
from tests.integration.compose.conftest import COMPOSE


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    with temporary_postgres() as server:  # its own: the roles' passwords are changed
        yield server


def test_roles_get_their_passwords(server: EmbeddedPostgres, secrets: Path, tmp_path: Path) -> None:
    urls = server.create_database("other")
    roles = (COMPOSE / "database/roles.sql").read_text().replace("/run/secrets", str(secrets))
    (tmp_path / "roles.sql").write_text(roles)
    bootstrap = COMPOSE.parent / "razgovor/embedded/bootstrap.sql"
    (tmp_path / "bootstrap.sql").write_bytes(bootstrap.read_bytes())
    command = [str(installed_wheel().program("psql")), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]
    environment = {**libpq_environment(urls.admin), "PGDATABASE": "postgres", "PATH": "/usr/bin:/bin"}
    for _ in range(2):
        subprocess.run([*command, "--file", str(tmp_path / "roles.sql")], env=environment, check=True)
    for role in ("ingest", "ledger", "auditor"):
        password = (secrets / f"{role}_database_password").read_text().strip()
        host = environment["PGHOST"]
        url = conninfo.make_conninfo(host=host, user=f"razgovor_{role}", password=password, dbname="razgovor")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (f"razgovor_{role}",)
