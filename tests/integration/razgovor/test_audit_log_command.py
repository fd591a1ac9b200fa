"""`razgovor audit-log` as an operator runs it, after the commands whose acts it shows."""

from __future__ import annotations

import json
import os
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from razgovor.__main__ import app
from razgovor.embedded.postgres_access import DatabaseUrls


class Desk:
    def __init__(self, urls: DatabaseUrls) -> None:
        self._environment = {"INGEST_DATABASE_URL": urls.ingest, "COLUMNS": "200"}

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=self._environment)

    def shows(self, *words: str) -> list[dict[str, Any]]:
        result = self.run("audit-log", "--json", *words)
        assert result.exit_code == 0, result.output
        rows: list[dict[str, Any]] = json.loads(result.stdout)
        return rows


@pytest.fixture
def desk(database_urls: DatabaseUrls) -> Desk:
    desk = Desk(database_urls)
    assert desk.run("clients", "create", "acme", "name=Ромашка").exit_code == 0
    assert desk.run("clients", "set", "acme", "daily_minutes=60").exit_code == 0
    assert desk.run("keys", "create", "--client", "acme").exit_code == 0
    return desk


def test_it_shows_what_commands_did_and_by_which_account(desk: Desk) -> None:
    rows = desk.shows()
    assert [(row["entry"], row["act"], row["client"]) for row in rows] == [
        (3, "key.created", "acme"),
        (2, "client.changed", "acme"),
        (1, "client.created", "acme"),
    ]
    assert {row["who"] for row in rows} == {f"operator:{os.getuid()}"}
    assert desk.shows("--act", "client.changed")[0]["details"] == {"settings": ["quota"]}
    assert desk.shows("--client", "nobody") == []
    assert len(desk.shows("--limit", "2", "--since", "1h")) == 2
    table = desk.run("audit-log").stdout
    assert "client.changed" in table
    assert "Ромашка" not in table


def test_it_says_whether_it_is_whole(desk: Desk, database_urls: DatabaseUrls) -> None:
    told = desk.run("audit-log", "--verify")
    assert (told.exit_code, told.stdout.strip()) == (0, f"whole: 3 entries, the last one {desk.shows()[0]['sha256']}")
    with psycopg.connect(database_urls.admin) as connection:
        connection.execute("ALTER TABLE ingest.audit_log DISABLE TRIGGER append_only")
        connection.execute("UPDATE ingest.audit_log SET who = 'nobody' WHERE entry_id = 2")
    told = desk.run("audit-log", "--verify")
    assert (told.exit_code, "entry 2" in told.stderr) == (1, True)


def test_an_act_that_nobody_does_is_refused(desk: Desk) -> None:
    assert desk.run("audit-log", "--act", "sing").exit_code == 2
