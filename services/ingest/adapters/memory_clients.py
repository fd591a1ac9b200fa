"""The shipped fake of `ports.Clients`: clients and keys of one process, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from pipeline.errors import Transient
from services.ingest.clients import Client, KeyFacts, StoredKey

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    facts: KeyFacts
    secret_sha256: bytes


class MemoryClients:
    """See `ports.Clients`. `down` makes every look for a key end in Transient; `clock` stands for PostgreSQL's."""

    def __init__(self, clock: Callable[[], datetime] | None = None) -> None:
        self.down = False
        self._clock = clock or (lambda: _EPOCH)
        self._lock = threading.RLock()
        self._clients: dict[str, Client] = {}
        self._keys: dict[str, _Kept] = {}

    def find_key(self, key_id: str) -> StoredKey | None:
        """See `Clients.find_key`."""
        if self.down:
            raise Transient("memory is down", retry_after_s=5.0)
        kept = self._keys.get(key_id)
        if kept is None:
            return None
        return StoredKey(
            key_id=key_id,
            secret_sha256=kept.secret_sha256,
            scopes=kept.facts.scopes,
            revoked=not kept.facts.works(self._clock()),
            client=self._clients[kept.facts.client_id],
        )

    def add_key(
        self,
        client: Client,
        key_id: str,
        secret_sha256: bytes,
        scopes: Sequence[str],
        *,
        lasts: timedelta | None = None,
    ) -> None:
        """See `Clients.add_key`."""
        with self._lock:
            self._clients.setdefault(client.client_id, client)
            self._keep(key_id, client.client_id, secret_sha256, frozenset(scopes), lasts)

    def _keep(
        self, key_id: str, client_id: str, secret_sha256: bytes, scopes: frozenset[str], lasts: timedelta | None
    ) -> None:
        now = self._clock()
        facts = KeyFacts(
            key_id=key_id,
            client_id=client_id,
            scopes=scopes,
            created_at=now,
            expires_at=None if lasts is None else now + lasts,
        )
        self._keys[key_id] = _Kept(facts, secret_sha256)

    def rotate_key(self, key_id: str, new_key_id: str, secret_sha256: bytes, overlap: timedelta) -> bool:
        """See `Clients.rotate_key`."""
        with self._lock:
            kept, now = self._keys.get(key_id), self._clock()
            if kept is None or not kept.facts.works(now):
                return False
            ends = now + overlap
            expires_at = ends if kept.facts.expires_at is None else min(ends, kept.facts.expires_at)
            self._keys[key_id] = replace(kept, facts=replace(kept.facts, expires_at=expires_at))
            self._keep(new_key_id, kept.facts.client_id, secret_sha256, kept.facts.scopes, None)
            return True

    def revoke_key(self, key_id: str) -> bool:
        """See `Clients.revoke_key`."""
        with self._lock:
            kept = self._keys.get(key_id)
            if kept is None:
                return False
            revoked_at = kept.facts.revoked_at or self._clock()
            self._keys[key_id] = replace(kept, facts=replace(kept.facts, revoked_at=revoked_at))
            return True

    def keys(self, client_id: str | None = None) -> list[KeyFacts]:
        """See `Clients.keys`."""
        found = [kept.facts for kept in self._keys.values() if client_id in {None, kept.facts.client_id}]
        return sorted(found, key=lambda facts: (facts.client_id, facts.created_at, facts.key_id))

    def create(self, client: Client) -> bool:
        """See `Clients.create`."""
        with self._lock:
            return self._clients.setdefault(client.client_id, client) is client

    def change(self, client_id: str, changed: Callable[[Client], Client]) -> Client | None:
        """See `Clients.change`."""
        with self._lock:
            client = self._clients.get(client_id)
            if client is None:
                return None
            self._clients[client_id] = replace(changed(client), client_id=client_id)
            return self._clients[client_id]

    def fetch(self, client_id: str) -> Client | None:
        """See `Clients.fetch`."""
        return self._clients.get(client_id)

    def all(self) -> list[Client]:
        """See `Clients.all`."""
        return sorted(self._clients.values(), key=lambda client: client.client_id)
