"""The relay's decisions: what of the outbox is announced now, and what again. Pure; `announcer` acts on them.

Announced jobs are bounded, so that no backlog outlives the topic's retention: what waits, waits in PostgreSQL. The more
urgent priority goes first, and a less urgent one never fills the last of the room: a tenth stays free for each above it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.stream.ports import Delivered, LogBounds, TopicPartition
from services.ingest.priorities import PRIORITIES

#: So many announced jobs for each engine that works side by side: enough to keep it busy, little to wait behind.
JOBS_PER_SLOT: Final = 20
_RESERVED_PARTS: Final = 10
#: A job that is announced again and again for nothing is announced ever more seldom: the pause doubles so often.
_DOUBLINGS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An announced job that is not terminal.

    Attributes:
        cluster_id: The Kafka cluster that took the announcement, with the place it got there.
        passed_s: Seconds since the group was first seen past it, by PostgreSQL's clock; None: it was not.
        announcements: How often it was announced.
    """

    outbox_id: int
    cluster_id: str
    topic: str
    partition: int
    offset: int
    passed_s: float | None = None
    announcements: int = 1

    @property
    def topic_partition(self) -> TopicPartition:
        """The log it was put into."""
        return TopicPartition(self.topic, self.partition)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedLog:
    """What one log holds of announced jobs that are not terminal.

    Attributes:
        jobs: How many.
        last_offset: Of the newest of them.
    """

    cluster_id: str
    topic_partition: TopicPartition
    jobs: int
    last_offset: int


def room(priority: str, max_announced: int, announced: int) -> int:
    """How many more jobs of this priority may be announced while so many of all priorities are.

    With a bound of 2,000: interactive ones up to 2,000, normal ones up to 1,800, bulk up to 1,600. So what is urgent is
    announced at once however much bulk is on its way. A bound too small to divide leaves every priority its one place.
    """
    reserve = max(1, max_announced // _RESERVED_PARTS)
    mine = max(1, max_announced - PRIORITIES.index(priority) * reserve)
    return max(0, mine - announced)


def rooms_left(rooms: Mapping[str, int], chosen: Iterable[str]) -> dict[str, int]:
    """How many more jobs of each bounded client may be announced.

    Args:
        rooms: How many before this step, for clients with a bound.
        chosen: Whose jobs were chosen in it so far, job by job.
    """
    taken = Counter(chosen)
    return {client_id: max(0, room - taken[client_id]) for client_id, room in rooms.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at the log says of announcements, by their outbox ids in the order of acceptance.

    Attributes:
        made_anew: Logs that lost all that they held. Nothing else is said of announcements in them, and it is to be kept
            that they are lost before anything is published into them again: once they have grown past their old end,
            nobody can see it any more.
        again: To be announced again.
        passed: The group is past them, since now.
        unread: It was past them and is so no more: somebody reset it.
    """

    made_anew: tuple[TopicPartition, ...] = ()
    again: Sequence[int] = ()
    passed: Sequence[int] = ()
    unread: Sequence[int] = ()


def logs_to_look_at(sent: Iterable[Sent], cluster_id: str) -> list[TopicPartition]:
    """The logs whose bounds decide: those of announcements that this cluster took."""
    return sorted({row.topic_partition for row in sent if row.cluster_id == cluster_id})


def review(
    sent: Sequence[Sent], cluster_id: str, bounds: Mapping[TopicPartition, LogBounds], reannounce_after_s: float
) -> Findings:
    """Hold announcements against the log.

    One is made again if another cluster took it; if retention took it; or if the group has been past it for
    `reannounce_after_s` and the job is still not terminal (twice that after the second announcement, and so on). What
    merely waits in the log is left alone, however long it waits; so is what a group without a commit, or one that was
    reset to an earlier offset, has yet to read. What lay in a log that was made anew waits until that is kept.
    """
    made_anew = _made_anew(sent, cluster_id, bounds)
    again: list[int] = []
    passed: list[int] = []
    unread: list[int] = []
    for row in sorted(sent, key=lambda row: row.outbox_id):
        log = bounds.get(row.topic_partition)
        if row.cluster_id != cluster_id:
            again.append(row.outbox_id)
        elif log is None or row.topic_partition in made_anew:
            continue
        elif row.offset < log.low or _waited_long(row, log, reannounce_after_s):
            again.append(row.outbox_id)
        elif _is_past(row, log) and row.passed_s is None:
            passed.append(row.outbox_id)
        elif not _is_past(row, log) and row.passed_s is not None:
            unread.append(row.outbox_id)
    return Findings(made_anew=tuple(sorted(made_anew)), again=again, passed=passed, unread=unread)


def _made_anew(
    sent: Iterable[Sent], cluster_id: str, bounds: Mapping[TopicPartition, LogBounds]
) -> set[TopicPartition]:
    """Logs that end before something we put there: all that they hold came later."""
    return {
        row.topic_partition
        for row in sent
        if row.cluster_id == cluster_id
        and (log := bounds.get(row.topic_partition)) is not None
        and row.offset >= log.high
    }


def _is_past(row: Sent, log: LogBounds) -> bool:
    return log.committed is not None and log.committed > row.offset


def _waited_long(row: Sent, log: LogBounds, reannounce_after_s: float) -> bool:
    # Counted from when the group was past it: it may have waited in the log for days before, and be about to end.
    if row.passed_s is None or not _is_past(row, log):
        return False
    pauses = 1 << max(0, min(_DOUBLINGS, row.announcements - 1))
    return row.passed_s >= reannounce_after_s * pauses


def logs_gone_back(
    delivered: Iterable[Delivered], logs: Iterable[AnnouncedLog], cluster_id: str
) -> list[TopicPartition]:
    """The logs that gave an offset which they had given before: they were made anew, and what they held is gone.

    Seen at the first announcement into a topic that was deleted and made again, before it can grow past the old end.
    """
    first: dict[TopicPartition, int] = {}
    for place in delivered:
        if place.offset < 0:  # the broker knew the record already and did not say where it lies
            continue
        log = TopicPartition(place.topic, place.partition)
        first[log] = min(place.offset, first.get(log, place.offset))
    return sorted(
        log.topic_partition
        for log in logs
        if log.cluster_id == cluster_id and first.get(log.topic_partition, log.last_offset + 1) <= log.last_offset
    )
