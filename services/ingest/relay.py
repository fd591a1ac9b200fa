"""The relay's decisions: what of the outbox is announced now, and what again. Pure; `announcer` acts on them.

Announced jobs are bounded, so that no backlog outlives the topic's retention: what waits, waits in PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.stream.ports import LogBounds, TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An announced job that is not terminal.

    Attributes:
        cluster_id: The Kafka cluster that took the announcement, with the place it got there.
        age_s: Seconds since the last announcement, by PostgreSQL's clock.
    """

    outbox_id: int
    cluster_id: str
    topic: str
    partition: int
    offset: int
    age_s: float

    @property
    def topic_partition(self) -> TopicPartition:
        """The log it was put into."""
        return TopicPartition(self.topic, self.partition)


def room(max_announced: int, announced: int, batch_max: int) -> int:
    """How many jobs may be announced now."""
    return max(0, min(max_announced - announced, batch_max))


def logs_to_look_at(sent: Iterable[Sent], cluster_id: str) -> list[TopicPartition]:
    """The logs whose bounds decide: those of announcements that this cluster took."""
    return sorted({row.topic_partition for row in sent if row.cluster_id == cluster_id})


def due_again(
    sent: Sequence[Sent], cluster_id: str, bounds: Mapping[TopicPartition, LogBounds], reannounce_after_s: float
) -> list[int]:
    """Which announcements are made again, in the order of acceptance.

    Another cluster took it, its log no longer holds it, or the group is past it and the job is still not terminal after
    `reannounce_after_s`. What merely waits in the log is left alone, however long it waits.
    """
    return sorted(row.outbox_id for row in sent if _is_due(row, cluster_id, bounds, reannounce_after_s))


def _is_due(row: Sent, cluster_id: str, bounds: Mapping[TopicPartition, LogBounds], reannounce_after_s: float) -> bool:
    if row.cluster_id != cluster_id:
        return True
    log = bounds.get(row.topic_partition)
    if log is None:
        return False
    if not log.low <= row.offset < log.high:
        return True
    passed = log.committed is not None and log.committed > row.offset
    return passed and row.age_s >= reannounce_after_s
