"""How many recordings are fetched at once, of one process: each holds a thread for as long as its server takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar

import anyio

from pipeline.errors import Transient
from services.ingest.problems import RATE_LIMITED, Problem

#: Of all clients, and of one: who names slow servers holds up himself.
FETCHES_MAX: Final = 16
FETCHES_OF_CLIENT_MAX: Final = 4
_RETRY_AFTER_S: Final = 5.0

T = TypeVar("T")


class Fetches:
    """Runs fetches in threads of their own; for the event loop's one thread."""

    def __init__(self) -> None:
        self._of_client: Counter[str] = Counter()
        self._threads: anyio.CapacityLimiter | None = None

    async def run(self, client_id: str, fetch: Callable[[], T]) -> T:
        """The answer of a fetch. Once it has begun it ends, whoever is still there to hear of it.

        Raises:
            Problem: `rate_limited`: this client has enough under way.
            Transient: All clients together have.
        """
        if self._of_client[client_id] >= FETCHES_OF_CLIENT_MAX:
            raise Problem(
                RATE_LIMITED,
                f"at most {FETCHES_OF_CLIENT_MAX} recordings of a client are fetched at once",
                headers={"Retry-After": f"{_RETRY_AFTER_S:.0f}"},
            )
        if self._of_client.total() >= FETCHES_MAX:
            raise Transient("enough is being fetched", retry_after_s=_RETRY_AFTER_S)
        self._threads = self._threads or anyio.CapacityLimiter(FETCHES_MAX)
        self._of_client[client_id] += 1
        try:
            return await anyio.to_thread.run_sync(fetch, limiter=self._threads)
        finally:
            self._of_client[client_id] -= 1
