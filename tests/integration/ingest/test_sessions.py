"""Sessions of the page and links into it: one suite over the shipped fake and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.memory_sessions import MemorySessions
from services.ingest.adapters.postgres import PostgresClients, PostgresSessions
from services.ingest.ports import Clients
from services.ingest.scopes import READ, SCOPES
from services.ingest.sessions import SESSIONS_OF_KEY_MAX, Sessions
from tests.integration.databases import DATABASES
from tests.integration.ingest.repositories import ACME

HOUR = timedelta(hours=1)
OVER = timedelta(seconds=-1)


def token(number: int) -> bytes:
    return number.to_bytes(32, "big")


@dataclass(frozen=True)
class World:
    clients: Clients
    sessions: Sessions


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        clients = MemoryClients()
        world = World(clients, MemorySessions(clients))
    else:
        database = request.getfixturevalue("database")
        world = World(PostgresClients(database), PostgresSessions(database))
    world.clients.add_key(ACME, "0a", b"h" * 32, (READ,))
    return world


def test_a_session_is_its_key_until_it_is_closed(world: World) -> None:
    world.sessions.open("0a", token(1), HOUR)
    session = world.sessions.find(token(1))
    assert session is not None
    assert session.key == world.clients.find_key("0a")
    assert session.key.client == ACME
    world.sessions.close(token(1))
    world.sessions.close(token(1))
    assert world.sessions.find(token(1)) is None
    assert world.sessions.find(token(2)) is None


def test_a_session_ends_with_its_time_and_with_its_key(world: World) -> None:
    world.sessions.open("0a", token(1), OVER)
    assert world.sessions.find(token(1)) is None
    world.sessions.open("0a", token(2), HOUR)
    assert world.sessions.find(token(2)) is not None
    world.clients.revoke_key("0a")
    assert world.sessions.find(token(2)) is None


def test_a_key_that_ends_by_itself_takes_its_sessions_with_it(world: World) -> None:
    world.clients.add_key(ACME, "0b", b"h" * 32, SCOPES, lasts=OVER)
    world.sessions.open("0b", token(1), HOUR)
    assert world.sessions.find(token(1)) is None
    assert not world.sessions.add_link("0b", token(2), HOUR)


def test_the_oldest_sessions_of_a_key_make_room(world: World) -> None:
    world.clients.add_key(ACME, "0b", b"h" * 32, SCOPES)
    world.sessions.open("0b", token(0), HOUR)
    for number in range(1, SESSIONS_OF_KEY_MAX + 2):
        world.sessions.open("0a", token(number), HOUR)
    assert world.sessions.find(token(0)) is not None
    assert world.sessions.find(token(1)) is None
    assert world.sessions.find(token(2)) is not None


def test_a_link_gives_its_key_to_one_of_all_who_ask_at_once(world: World) -> None:
    assert world.sessions.add_link("0a", token(1), HOUR)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: world.sessions.use_link(token(1)), range(8)))
    assert sorted(found, key=str) == ["0a", *[None] * 7]


def test_a_link_is_for_its_time_and_a_key_that_works(world: World) -> None:
    assert not world.sessions.add_link("0c", token(1), HOUR)
    assert world.sessions.add_link("0a", token(2), OVER)
    assert world.sessions.use_link(token(2)) is None
    assert world.sessions.add_link("0a", token(3), HOUR)
    world.clients.revoke_key("0a")
    assert world.sessions.use_link(token(3)) is None
    assert not world.sessions.add_link("0a", token(4), HOUR)
