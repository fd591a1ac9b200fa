"""librdkafka's own mock cluster, for one machine and for tests. Other processes connect to it by address.

It lives in memory and in the process that made it. Besides `kafka` the only door to confluent_kafka.
"""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Final, Self

import confluent_kafka as ck

from pipeline.errors import Fatal

_ANSWER_TIMEOUT_S: Final = 10.0


class MockCluster:
    """A broker that answers at `address` while the context lasts; topics come to be when they are first asked for."""

    def __init__(self) -> None:
        # The cluster belongs to this client and ends with it; the given bootstrap address is never used.
        self._owner = ck.Producer(
            {"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "logger": logging.getLogger("librdkafka")}
        )
        brokers = list(self._owner.list_topics(timeout=_ANSWER_TIMEOUT_S).brokers.values())
        if not brokers:
            raise Fatal("the mock broker did not start")
        self.address = f"{brokers[0].host}:{brokers[0].port}"

    def create_topic(self, name: str) -> None:
        """Make a topic, with the mock's 4 partitions."""
        self._owner.list_topics(name, timeout=_ANSWER_TIMEOUT_S)

    def close(self) -> None:
        """End the broker; its records are gone."""
        del self._owner

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
