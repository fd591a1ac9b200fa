"""`razgovor clients` and `razgovor keys` over PostgreSQL, as an operator runs them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from razgovor.__main__ import app
from razgovor.embedded.postgres_access import DatabaseUrls
from services.ingest import keys, sessions


class Desk:
    def __init__(self, urls: DatabaseUrls) -> None:
        self._environment = {"INGEST_DATABASE_URL": urls.ingest}

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), env=self._environment)

    def says(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def key(self, *words: str) -> keys.ParsedKey:
        result = self.run("keys", *words)
        assert result.exit_code == 0, result.output
        parsed = keys.parse(result.stdout.strip())
        assert parsed is not None
        return parsed


@pytest.fixture
def desk(database_urls: DatabaseUrls) -> Desk:
    return Desk(database_urls)


def test_a_client_is_made_shown_listed_and_changed(desk: Desk) -> None:
    made = desk.run("clients", "create", "acme", "name=Ромашка", "daily_minutes=600", "channels.any=operator,customer")
    assert made.exit_code == 0, made.output
    assert desk.run("clients", "create", "acme").exit_code == 1
    told = desk.says("clients", "show", "acme")
    assert (told["name"], told["daily_minutes"], told["channels.any"]) == ("Ромашка", "600", "operator,customer")
    assert desk.run("clients", "set", "acme", "daily_minutes=none", "webhook=https://acme.example/h").exit_code == 0
    (listed,) = desk.says("clients", "list")
    assert (listed["client"], listed["daily_minutes"], listed["webhook"]) == ("acme", "none", "https://acme.example/h")
    assert "Ромашка" in desk.run("clients", "list").stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("set", "nobody", "name=x"), "there is no client nobody"),
        (("show", "nobody"), "there is no client nobody"),
        (("create", "a/b"), "a client's name is"),
        (("create", "a", "formats=pdf"), "formats: each once"),
        (("create", "a", "what=x"), "say NAME=VALUE"),
        (("create", "a", "webhook=http://169.254.169.254"), "webhook: an https:// address"),
        (("create", "a", "webhook=https://169.254.169.254/"), "webhook: url_not_allowed"),
        (("create", "a", "webhook=https://[::1]/"), "webhook: url_not_allowed"),
        (("create", "a", "webhook=https://2130706433/"), "webhook: url_not_allowed"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(desk: Desk, words: tuple[str, ...], why: str) -> None:
    result = desk.run("clients", *words)
    assert (result.exit_code, why in result.stderr) == (1, True)
    assert "Traceback" not in result.output
    assert desk.says("clients", "list") == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "2130706433", "0x7f.1"])
def test_a_webhook_is_not_set_to_where_none_is_sent(desk: Desk, host: str) -> None:
    desk.run("clients", "create", "acme", "webhook=https://acme.example/h")
    result = desk.run("clients", "set", "acme", f"webhook=https://{host}/")
    assert (result.exit_code, "webhook: url_not_allowed" in result.stderr) == (1, True)
    assert desk.says("clients", "show", "acme")["webhook"] == "https://acme.example/h"


def test_a_webhook_in_the_operators_own_network_is_set(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEST_OUTBOUND_NETWORKS", '["10.1.0.0/16"]')
    assert desk.run("clients", "create", "acme", "webhook=https://10.1.2.3/h").exit_code == 0
    assert desk.run("clients", "set", "acme", "webhook=https://10.2.0.1/h").exit_code == 1
    monkeypatch.delenv("INGEST_OUTBOUND_NETWORKS")
    assert desk.run("clients", "set", "acme", "name=Other").exit_code == 0, "what stands is let stand"
    assert desk.says("clients", "show", "acme")["webhook"] == "https://10.1.2.3/h"


def test_a_key_is_shown_once_and_kept_as_a_hash(desk: Desk, database_urls: DatabaseUrls) -> None:
    key = desk.key("create", "--client", "acme")
    (listed,) = desk.says("keys", "list")
    assert (listed["key_id"], listed["client"], listed["scopes"], listed["state"]) == (
        key.key_id,
        "acme",
        "submit,read",
        "works",
    )
    with psycopg.connect(database_urls.ingest) as connection:
        rows = connection.execute("SELECT k::text FROM ingest.api_keys k").fetchall()
    assert not any(key.secret in row[0] for row in rows)
    assert key.secret not in desk.run("keys", "list").stdout


def test_keys_have_scopes_an_end_successors_and_can_be_revoked(desk: Desk) -> None:
    first = desk.key("create", "--client", "acme", "--scope", "admin", "--expires-in", "90d")
    second = desk.key("rotate", first.key_id, "--overlap", "1h")
    assert desk.run("keys", "rotate", "0" * 12).exit_code == 1
    by_id = {row["key_id"]: row for row in desk.says("keys", "list", "--client", "acme")}
    old = by_id[first.key_id]
    assert datetime.fromisoformat(old["ends_at"]) - datetime.fromisoformat(old["created_at"]) < timedelta(hours=2)
    assert (by_id[second.key_id]["scopes"], by_id[second.key_id]["ends_at"]) == ("admin", None)
    assert desk.run("keys", "revoke", second.key_id).exit_code == 0
    assert desk.run("keys", "revoke", "none").exit_code == 1
    states = {row["key_id"]: row["state"] for row in desk.says("keys", "list")}
    assert states == {first.key_id: "works", second.key_id: "revoked"}
    assert desk.run("keys", "create", "--client", "acme", "--scope", "everything").exit_code == 1


def test_a_link_signs_in_once_with_a_key_that_ends_by_itself(desk: Desk, database_urls: DatabaseUrls) -> None:
    made = desk.run("keys", "link", "--client", "acme", "--url", "http://127.0.0.1:8080", "--scope", "read")
    assert made.exit_code == 0, made.output
    address, _, token = made.stdout.strip().rpartition("/")
    assert address == "http://127.0.0.1:8080/#/sign-in"
    kept = sessions.sha256(token)
    assert kept is not None
    with psycopg.connect(database_urls.ingest) as connection:
        (row,) = connection.execute("SELECT token_sha256, expires_at - now() FROM ingest.sign_in_links").fetchall()
    assert row[0] == kept
    assert timedelta(minutes=14) < row[1] <= timedelta(minutes=15)
    (key,) = desk.says("keys", "list", "--client", "acme")
    assert (key["scopes"], key["state"]) == ("read", "works")
    lasts = datetime.fromisoformat(key["ends_at"]) - datetime.fromisoformat(key["created_at"])
    assert lasts == timedelta(hours=12, minutes=15)


@pytest.mark.parametrize("words", [("--client", "a b", "--url", "http://x"), ("--client", "acme")])
def test_a_link_for_nobody_or_to_nowhere_is_told_in_words(desk: Desk, tmp_path: Path, words: tuple[str, ...]) -> None:
    result = desk.run("keys", "link", "--data", str(tmp_path), *words)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
