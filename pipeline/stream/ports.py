"""What the runner needs of a broker. `kafka` and `memory` provide it; one test suite runs over both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from pipeline.errors import Unavailable

Headers = tuple[tuple[str, bytes], ...]

#: The reason of the Permanent that `Producer.publish` raises.
RECORD_TOO_LARGE: Final = "record_too_large"


@dataclass(frozen=True, slots=True, order=True)
class TopicPartition:
    """One log."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Message:
    """A record as it came. `timestamp` is the record's own (its producer's clock)."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: datetime

    @property
    def topic_partition(self) -> TopicPartition:
        """The log it came from."""
        return TopicPartition(self.topic, self.partition)

    def header(self, name: str) -> bytes | None:
        """The last value of a header, None if it is absent."""
        return dict(self.headers).get(name)


@dataclass(frozen=True, slots=True)
class Record:
    """A record to publish."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class Delivered:
    """Where the broker put a record, by its delivery report."""

    topic: str
    partition: int
    offset: int


class PartlyDelivered(Unavailable):
    """The broker acknowledged some records of a call and not the others, which may or may not be there.

    Attributes:
        delivered: In the order of the records; None where there is no acknowledgement.
    """

    def __init__(self, message: str, delivered: Sequence[Delivered | None]) -> None:
        super().__init__(message)
        self.delivered = tuple(delivered)


class Producer(Protocol):
    """Publishes and waits for the delivery reports."""

    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        """Publish and return when every record is acknowledged by all in-sync replicas, in order of `records`.

        Raises:
            PartlyDelivered: The broker acknowledged some of them.
            Transient: It acknowledged none that we know of; the records may or may not be there.
            Permanent: `record_too_large`: one of them is larger than the broker ever takes; others may be there.
            Fatal: The broker refuses us: authentication, authorisation, no such topic.
        """

    def verify(self) -> None:
        """Ask the broker for its metadata.

        Raises:
            Transient: No answer.
            Fatal: The broker refuses us.
        """

    def close(self) -> None:
        """Flush and let go."""


AssignmentListener = Callable[[Sequence[TopicPartition]], None]


class Consumer(Protocol):
    """A member of a consumer group. Used by one thread only; the listeners run inside `poll` and `close`."""

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: AssignmentListener,
        on_revoke: AssignmentListener,
        on_lost: AssignmentListener | None = None,
    ) -> None:
        """Join the group.

        Args:
            topics: What to read.
            on_assign: Told of partitions that are ours now.
            on_revoke: Told of partitions while they are still ours for this last moment: a commit still counts.
            on_lost: Told of partitions that are another's already; none: `on_revoke` is.
        """

    def poll(self, timeout_s: float, max_messages: int) -> list[Message]:
        """Messages that are here, or none after the timeout.

        Raises:
            Transient: The broker does not answer.
            Fatal: The broker refuses us.
        """

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver nothing from these until resumed, or assigned anew; membership stays alive by polling."""

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Deliver again."""

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the next offset to read of each partition, synchronously.

        Raises:
            Transient: Not committed; say it again later.
        """

    def commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit without waiting for the broker; `confirmed` tells of what arrived. What did not: say it again."""

    def confirmed(self) -> dict[TopicPartition, int]:
        """What the broker has taken of `commit_soon` since the last call; asked after `poll`."""

    def close(self) -> None:
        """Leave the group."""


@dataclass(frozen=True, slots=True)
class LogBounds:
    """First and next offset of a log, and how far a group has committed (None: nothing yet)."""

    low: int
    high: int
    committed: int | None


class LogReader(Protocol):
    """Looks at logs and commits without consuming: for the relay that must know what became of its announcements."""

    def cluster_id(self) -> str:
        """Identity of the cluster: another one holds none of our records.

        Raises:
            Transient: No answer.
        """

    def bounds(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, LogBounds]:
        """Bounds and the group's commit of each log.

        Raises:
            Transient: No answer.
        """

    def close(self) -> None:
        """Let go."""
