"""How far a member of a group is behind, out of librdkafka's statistics. Given to `consumer` as its `stats_cb`.

librdkafka knows it without asking anybody: what the last fetch said of a log's end, and what was committed.
"""

from __future__ import annotations

import json
from typing import Any, Final

from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics

EVERY_MS: Final = 5000


class LagGauge:
    """Shows the lag of the partitions that are assigned here, by topic."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def __call__(self, statistics: str) -> None:
        """Runs inside `poll`."""
        found = lag_by_topic(json.loads(statistics))
        self._metrics.replace(families.LAG, {(topic,): lag for topic, lag in found.items()})


def lag_by_topic(statistics: dict[str, Any]) -> dict[str, int]:
    """Records that the group has not committed, of the partitions that this client fetches from."""
    found: dict[str, int] = {}
    for topic, about in statistics.get("topics", {}).items():
        lags = [_lag(log) for number, log in about["partitions"].items() if number != "-1"]
        known = [lag for lag in lags if lag is not None]
        if known:
            found[topic] = sum(known)
    return found


def _lag(log: dict[str, Any]) -> int | None:
    """None: not assigned here, or nothing known yet. Before the first commit all that the log holds is behind."""
    end = max(log["hi_offset"], log["ls_offset"])
    if log["fetch_state"] != "active" or end < 0:
        return None
    done = next((log[name] for name in ("committed_offset", "app_offset", "lo_offset") if log[name] >= 0), 0)
    return max(0, int(end) - int(done))
