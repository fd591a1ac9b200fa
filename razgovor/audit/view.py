"""What judges know besides the facts of a job: the time, what was asked, how far each group has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.stream.ports import TopicPartition


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """How far the groups had committed, read before anything else was.

    Attributes:
        of_groups: The next offset to read, by group and log; a log without a commit is absent.
        consumers: The groups that read each topic.
    """

    of_groups: Mapping[str, Mapping[TopicPartition, int]] = field(default_factory=dict)
    consumers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def passed(self, group: str, topic: str, partition: int, offset: int) -> bool:
        """Whether the group has committed past this place."""
        return self.of_groups.get(group, {}).get(TopicPartition(topic, partition), 0) > offset

    def groups_of(self, topic: str) -> tuple[str, ...]:
        """Who reads the topic."""
        return self.consumers.get(topic, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What an audit looks at, and how.

    Attributes:
        now: The database's clock.
        drained: Whether all work is over: what is unfinished is lost then.
        orphan_age: A prefix whose objects are all older must belong to a job.
        retention: Objects of runs that ended before this are gone by rule; None: none are.
        store: Whether the store was listed.
        topics: Whether topics were read.
    """

    now: datetime
    drained: bool = False
    orphan_age: timedelta = timedelta(hours=24)
    retention: timedelta | None = None
    store: bool = True
    topics: bool = True
    commits: Commits = field(default_factory=Commits)
