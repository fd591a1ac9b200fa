"""How many event streams are open, of one process. Counted by `streams`."""

from __future__ import annotations

from collections import Counter
from typing import Final

from services.ingest.problems import TOO_MANY_STREAMS, Problem

#: So many of all clients in a process, and of one client: each asks the database every second.
STREAMS_MAX: Final = 200
STREAMS_OF_CLIENT_MAX: Final = 20


class OpenStreams:
    """Counts streams; for the event loop's one thread."""

    def __init__(self) -> None:
        self._of_client: Counter[str] = Counter()

    def open(self, client_id: str) -> None:
        """Count one more.

        Raises:
            Problem: `too_many_streams`.
        """
        if self._of_client.total() >= STREAMS_MAX or self._of_client[client_id] >= STREAMS_OF_CLIENT_MAX:
            raise Problem(
                TOO_MANY_STREAMS,
                f"at most {STREAMS_OF_CLIENT_MAX} event streams may be open; ask for the job itself meanwhile",
                headers={"Retry-After": "5"},
            )
        self._of_client[client_id] += 1

    def close(self, client_id: str) -> None:
        """Count one less."""
        self._of_client[client_id] -= 1
