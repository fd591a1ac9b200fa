"""Clients and their keys: one suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from services.ingest.clients import Client, Quota, Retention, StoredKey
from services.ingest.ports import Clients
from services.ingest.scopes import ADMIN, READ, SCOPES, SUBMIT
from tests.integration.ingest.repositories import ACME, Repositories

WHOLE = Client(
    client_id="whole",
    name="Целиком",
    channel_map={"inbound": ("operator", "customer"), "any": ("customer",)},
    language="auto",
    languages=("ru", "kk"),
    locale="en",
    formats=("xlsx",),
    glossary_id="bank@0123456789ab",
    retention=Retention(audio_days=30, transcript_days=1000),
    quota=Quota(daily_minutes=600, monthly_minutes=9000, concurrent_jobs=3),
    requests_per_minute=90,
    priority_ceiling="normal",
    webhook_url="https://acme.example/hook",
)


@pytest.fixture
def clients(repositories: Repositories) -> Clients:
    return repositories.clients


def found(clients: Clients, key_id: str) -> StoredKey:
    key = clients.find_key(key_id)
    assert key is not None
    return key


def test_a_key_is_found_with_its_client_until_and_after_it_is_revoked(clients: Clients) -> None:
    clients.add_key(ACME, "0a", b"h" * 32, SCOPES)
    key = found(clients, "0a")
    assert (key.client, key.secret_sha256, key.scopes, key.revoked) == (ACME, b"h" * 32, frozenset(SCOPES), False)
    assert clients.revoke_key("0a")
    assert clients.revoke_key("0a")
    assert found(clients, "0a").revoked
    assert clients.find_key("0b") is None
    assert not clients.revoke_key("0b")


@pytest.mark.parametrize("scopes", [(SUBMIT,), (READ,), (ADMIN,), (SUBMIT, READ)])
def test_a_key_has_the_scopes_that_it_was_given(clients: Clients, scopes: tuple[str, ...]) -> None:
    clients.add_key(ACME, "0a", b"h" * 32, scopes)
    assert found(clients, "0a").scopes == frozenset(scopes)


def test_a_second_key_leaves_its_client_as_it_is(clients: Clients) -> None:
    clients.add_key(ACME, "0a", b"h" * 32, SCOPES)
    clients.add_key(Client(client_id="acme", name="New", locale="ru"), "0b", b"h" * 32, SCOPES)
    assert found(clients, "0b").client == ACME


def test_a_client_is_kept_whole_and_only_once(clients: Clients) -> None:
    assert clients.create(WHOLE)
    assert not clients.create(replace(WHOLE, name="Another"))
    assert clients.fetch("whole") == WHOLE
    assert clients.fetch("nobody") is None
    clients.create(ACME)
    assert clients.all() == [ACME, WHOLE]
    clients.add_key(WHOLE, "0a", b"h" * 32, SCOPES)
    assert found(clients, "0a").client == WHOLE


def test_changed_settings_hold_for_every_key(clients: Clients) -> None:
    clients.add_key(ACME, "0a", b"h" * 32, SCOPES)
    wanted = replace(WHOLE, client_id="acme")
    assert clients.change("acme", lambda _client: wanted) == wanted
    assert found(clients, "0a").client == wanted
    assert clients.change("nobody", lambda client: client) is None


def test_a_refused_change_changes_nothing(clients: Clients) -> None:
    clients.create(ACME)

    def refuse(_client: Client) -> Client:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        clients.change("acme", refuse)
    assert clients.fetch("acme") == ACME


def test_those_who_change_a_client_at_once_take_turns(clients: Clients) -> None:
    clients.create(ACME)

    def longer(client: Client) -> Client:
        return replace(client, name=client.name + "x")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: clients.change("acme", longer), range(20)))
    changed = clients.fetch("acme")
    assert changed is not None
    assert changed.name == "Acme" + "x" * 20


def test_a_rotated_key_hands_on_its_scopes_and_works_for_the_overlap_only(clients: Clients) -> None:
    clients.add_key(ACME, "0a", b"h" * 32, (READ,))
    assert clients.rotate_key("0a", "0b", b"n" * 32, timedelta(hours=1))
    new, old = found(clients, "0b"), found(clients, "0a")
    assert (new.client, new.scopes, new.secret_sha256, new.revoked) == (ACME, frozenset({READ}), b"n" * 32, False)
    assert not old.revoked
    assert clients.rotate_key("0b", "0c", b"n" * 32, timedelta(0))
    assert found(clients, "0b").revoked
    assert not clients.rotate_key("0b", "0d", b"n" * 32, timedelta(0))
    assert not clients.rotate_key("none", "0d", b"n" * 32, timedelta(0))
    assert clients.find_key("0d") is None


def test_a_key_whose_time_is_over_opens_nothing_and_rotating_never_makes_its_time_longer(clients: Clients) -> None:
    clients.add_key(ACME, "0a", b"h" * 32, SCOPES, lasts=timedelta(0))
    assert found(clients, "0a").revoked
    clients.add_key(ACME, "0b", b"h" * 32, SCOPES, lasts=timedelta(minutes=5))
    assert clients.rotate_key("0b", "0c", b"n" * 32, timedelta(days=30))
    facts = {key.key_id: key for key in clients.keys("acme")}
    expires_at = facts["0b"].expires_at
    assert expires_at is not None
    assert expires_at - facts["0b"].created_at == timedelta(minutes=5)


def test_keys_are_listed_by_client(clients: Clients) -> None:
    clients.add_key(WHOLE, "0b", b"h" * 32, (SUBMIT,))
    clients.add_key(ACME, "0c", b"h" * 32, (READ,), lasts=timedelta(days=1))
    clients.add_key(ACME, "0a", b"h" * 32, SCOPES)
    clients.revoke_key("0a")
    listed = clients.keys()
    assert [(key.client_id, key.scopes) for key in listed if key.key_id != "0a"] == [
        ("acme", frozenset({READ})),
        ("whole", frozenset({SUBMIT})),
    ]
    assert [key.key_id for key in clients.keys("whole")] == ["0b"]
    by_id = {key.key_id: key for key in listed}
    assert (by_id["0a"].revoked_at is not None, by_id["0a"].expires_at) == (True, None)
    assert by_id["0c"].works(by_id["0c"].created_at)
    assert not by_id["0a"].works(by_id["0a"].created_at + timedelta(days=1))
