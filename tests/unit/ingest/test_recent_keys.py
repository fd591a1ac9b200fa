from __future__ import annotations

import pytest

from pipeline.errors import Transient
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.clients import Client
from services.ingest.recent_keys import RecentKeys
from services.ingest.scopes import SCOPES

ACME = Client(client_id="acme", name="Acme")


class World:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.clients = MemoryClients()
        self.keys = RecentKeys(self.clients, 1.0, lambda: self.now_s)

    def add(self, key_id: str) -> None:
        self.clients.add_key(ACME, key_id, bytes(32), SCOPES)


def test_a_valid_key_is_believed_for_a_moment_and_no_longer() -> None:
    world = World()
    world.add("a")
    assert world.keys.recent("a") is None
    found = world.keys.find("a")
    world.now_s += 0.9
    assert found is not None
    assert world.keys.recent("a") == found
    world.now_s += 0.1
    assert world.keys.recent("a") is None


def test_a_new_key_works_at_once_and_a_revoked_one_is_not_kept() -> None:
    world = World()
    assert world.keys.find("a") is None
    world.add("a")
    assert world.keys.find("a") is not None
    world.clients.revoke_key("a")
    world.now_s += 1.0
    revoked = world.keys.find("a")
    assert revoked is not None
    assert revoked.revoked
    assert world.keys.recent("a") is None


def test_what_the_database_cannot_tell_is_not_kept() -> None:
    world = World()
    world.add("a")
    world.clients.down = True
    with pytest.raises(Transient):
        world.keys.find("a")
    assert world.keys.recent("a") is None


def test_no_more_than_so_many_are_kept() -> None:
    world = World()
    for number in range(1001):
        world.add(str(number))
        world.keys.find(str(number))
    assert world.keys.recent("0") is None
    assert world.keys.recent("1000") is not None
