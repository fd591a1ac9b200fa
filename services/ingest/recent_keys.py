"""API keys that were valid a moment ago, so that a busy client's requests do not each ask the database.

Called by `web.auth`. A revoked key opens the door for at most that moment longer. What is unknown or revoked is never
kept: a new key works at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from services.ingest.clients import StoredKey
from services.ingest.ports import Clients

_MOST_KEYS: Final = 1000


class RecentKeys:
    """Finds keys. From any thread.

    Args:
        clients: Who knows all keys.
        max_age_s: How long a valid key is believed without asking.
        monotonic_s: A clock that never goes back, in seconds.
    """

    def __init__(self, clients: Clients, max_age_s: float, monotonic_s: Callable[[], float]) -> None:
        self._clients = clients
        self._max_age_s = max_age_s
        self._monotonic_s = monotonic_s
        self._found: dict[str, tuple[float, StoredKey]] = {}

    def recent(self, key_id: str) -> StoredKey | None:
        """The key if it was valid a moment ago. Never blocks."""
        found = self._found.get(key_id)
        return found[1] if found is not None and self._monotonic_s() - found[0] < self._max_age_s else None

    def find(self, key_id: str) -> StoredKey | None:
        """The key as the database knows it now. Blocks.

        Raises:
            Transient: The database does not answer.
        """
        asked_s = self._monotonic_s()
        stored = self._clients.find_key(key_id)
        if stored is None or stored.revoked:
            self._found.pop(key_id, None)
        else:
            if len(self._found) >= _MOST_KEYS:
                self._found.clear()
            self._found[key_id] = (asked_s, stored)
        return stored
