"""A Kafka that misses a silent member of a group after seconds: for tests of rebalances."""

from __future__ import annotations

from typing import Final

#: With KIP-848 the broker decides how long a silent member is one, and by default that is 45 s.
QUICK_SESSIONS: Final = {
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "3000",
    "group.consumer.min.heartbeat.interval.ms": "200",
    "group.consumer.heartbeat.interval.ms": "500",
}
SESSION_TIMEOUT_MS: Final = 3000
