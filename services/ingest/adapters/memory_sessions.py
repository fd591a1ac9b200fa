"""The shipped fake of `sessions.Sessions`: sessions and links of one process, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.sessions import SESSIONS_OF_KEY_MAX, Session

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kept:
    key_id: str
    expires_at: datetime


class MemorySessions:
    """See `sessions.Sessions`. `clock` stands for PostgreSQL's."""

    def __init__(self, clients: MemoryClients, clock: Callable[[], datetime] | None = None) -> None:
        self._clients = clients
        self._clock = clock or (lambda: _EPOCH)
        self._lock = threading.Lock()
        self._sessions: dict[bytes, _Kept] = {}
        self._links: dict[bytes, _Kept] = {}

    def open(self, key_id: str, token_sha256: bytes, lasts: timedelta) -> None:
        """See `Sessions.open`."""
        with self._lock:
            mine = [token for token, kept in self._sessions.items() if kept.key_id == key_id]
            for token in mine[: max(0, len(mine) + 1 - SESSIONS_OF_KEY_MAX)]:
                del self._sessions[token]
            self._sessions[token_sha256] = _Kept(key_id, self._clock() + lasts)

    def find(self, token_sha256: bytes) -> Session | None:
        """See `Sessions.find`."""
        kept = self._sessions.get(token_sha256)
        key = None if kept is None else self._clients.find_key(kept.key_id)
        if kept is None or key is None or key.revoked or kept.expires_at <= self._clock():
            return None
        return Session(key, kept.expires_at)

    def close(self, token_sha256: bytes) -> None:
        """See `Sessions.close`."""
        with self._lock:
            self._sessions.pop(token_sha256, None)

    def add_link(self, key_id: str, token_sha256: bytes, lasts: timedelta) -> bool:
        """See `Sessions.add_link`."""
        key = self._clients.find_key(key_id)
        if key is None or key.revoked:
            return False
        with self._lock:
            self._links[token_sha256] = _Kept(key_id, self._clock() + lasts)
        return True

    def use_link(self, token_sha256: bytes) -> str | None:
        """See `Sessions.use_link`."""
        with self._lock:
            kept = self._links.pop(token_sha256, None)
        key = None if kept is None else self._clients.find_key(kept.key_id)
        if kept is None or key is None or key.revoked or kept.expires_at <= self._clock():
            return None
        return kept.key_id
