"""A broker in memory: the shipped fake of the stream's ports. Groups rebalance eagerly when members come and go."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pipeline.errors import Permanent, Transient
from pipeline.stream.ports import (
    RECORD_TOO_LARGE,
    AssignmentListener,
    Delivered,
    LogBounds,
    Message,
    Record,
    TopicPartition,
)

#: When every record was published.
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Group:
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    members: list[MemoryConsumer] = field(default_factory=list)


class MemoryBroker:
    """Topics, logs and groups of one process. `down` makes every call end in Transient.

    `record_bytes_max` is the largest record taken, key, value and headers together; None: any.
    """

    def __init__(self, partitions: int = 4) -> None:
        self.down = False
        self.record_bytes_max: int | None = None
        self.name = "memory-1"
        self._partitions = partitions
        self._logs: dict[TopicPartition, list[Message]] = {}
        self._groups: dict[str, _Group] = {}
        self.changed = threading.Condition()

    def producer(self) -> MemoryProducer:
        """A producer on this broker."""
        return MemoryProducer(self)

    def consumer(self, group: str) -> MemoryConsumer:
        """A member of a group on this broker."""
        return MemoryConsumer(self, self.group(group))

    def log_reader(self) -> MemoryLogReader:
        """A look at the logs of this broker."""
        return MemoryLogReader(self)

    def wipe(self) -> None:
        """Lose every log and commit, as after a power cut; the cluster comes back with another id."""
        with self.changed:
            self._logs.clear()
            for group in self._groups.values():
                group.committed.clear()
                for member in group.members:
                    member.rewind()
            self.name = f"memory-{int(self.name.rpartition('-')[2]) + 1}"

    def messages(self, topic: str) -> list[Message]:
        """Everything on a topic, partition by partition."""
        return [message for log, kept in sorted(self._logs.items()) if log.topic == topic for message in kept]

    def group(self, name: str) -> _Group:
        """The group of this name."""
        return self._groups.setdefault(name, _Group())

    def partitions(self, topic: str) -> list[TopicPartition]:
        """The logs of a topic."""
        return [TopicPartition(topic, number) for number in range(self._partitions)]

    def log(self, partition: TopicPartition) -> list[Message]:
        """The records of one log."""
        return self._logs.setdefault(partition, [])

    def check(self) -> None:
        """Raise Transient while the broker is down."""
        if self.down:
            raise Transient("memory broker is down")


def _size_bytes(record: Record) -> int:
    headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


class MemoryProducer:
    """See `ports.Producer`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        """See `Producer.publish`."""
        self._broker.check()
        limit = self._broker.record_bytes_max
        if limit is not None and any(_size_bytes(record) > limit for record in records):
            raise Permanent(RECORD_TOO_LARGE)
        with self._broker.changed:
            delivered = [self._append(record) for record in records]
            self._broker.changed.notify_all()
        return delivered

    def _append(self, record: Record) -> Delivered:
        logs = self._broker.partitions(record.topic)
        partition = logs[zlib.crc32(record.key or b"") % len(logs)]
        log = self._broker.log(partition)
        offset = len(log)
        log.append(
            Message(
                topic=record.topic,
                partition=partition.partition,
                offset=offset,
                key=record.key,
                value=record.value,
                headers=record.headers,
                timestamp=EPOCH,
            )
        )
        return Delivered(record.topic, partition.partition, offset)

    def verify(self) -> None:
        """See `Producer.verify`."""
        self._broker.check()

    def close(self) -> None:
        """See `Producer.close`."""


class MemoryConsumer:
    """See `ports.Consumer`."""

    def __init__(self, broker: MemoryBroker, group: _Group) -> None:
        self._broker = broker
        self._group = group
        self._topics: tuple[str, ...] = ()
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._on_assign: AssignmentListener = lambda _: None
        self._on_revoke: AssignmentListener = lambda _: None
        self._on_lost: AssignmentListener = lambda _: None
        self._confirmed: dict[TopicPartition, int] = {}
        self._evicted = False

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: AssignmentListener,
        on_revoke: AssignmentListener,
        on_lost: AssignmentListener | None = None,
    ) -> None:
        """See `Consumer.subscribe`."""
        self._on_lost = on_lost or on_revoke
        self._topics = tuple(topics)
        self._on_assign = on_assign
        self._on_revoke = on_revoke
        self._group.members.append(self)

    def poll(self, timeout_s: float, max_messages: int) -> list[Message]:
        """See `Consumer.poll`."""
        self._broker.check()
        with self._broker.changed:
            if self._evicted:
                self._rejoin()
            self._rebalance()
            self._broker.changed.wait_for(lambda: bool(self._readable()), timeout_s)
            found: list[Message] = []
            for partition in self._readable():
                start = self._positions[partition]
                taken = self._broker.log(partition)[start : start + max_messages - len(found)]
                self._positions[partition] = start + len(taken)
                found.extend(taken)
        return found

    def _readable(self) -> list[TopicPartition]:
        return [
            partition
            for partition, position in self._positions.items()
            if partition not in self._paused and position < len(self._broker.log(partition))
        ]

    def _rebalance(self) -> None:
        members = self._group.members
        mine = {
            partition
            for topic in self._topics
            for partition in self._broker.partitions(topic)
            if members[partition.partition % len(members)] is self
        }
        held = set(self._positions)
        if gone := sorted(held - mine):
            self._paused.difference_update(gone)
            self._on_revoke(gone)
            for partition in gone:
                del self._positions[partition]
        # As in Kafka, a partition is handed on only when its owner has let go of it.
        taken = {partition for member in members if member is not self for partition in member.held}
        if come := sorted(mine - held - taken):
            for partition in come:
                self._positions[partition] = self._group.committed.get(partition, 0)
            self._on_assign(come)

    @property
    def held(self) -> frozenset[TopicPartition]:
        """The partitions it reads."""
        return frozenset(self._positions)

    def evict(self) -> None:
        """End its membership, as a broker does when the session has timed out; it learns of it when it polls next."""
        self._group.members.remove(self)
        self._evicted = True

    def _rejoin(self) -> None:
        self._evicted = False
        lost = sorted(self._positions)
        self._positions.clear()
        self._paused.clear()
        self._on_lost(lost)
        self._group.members.append(self)

    def rewind(self) -> None:
        """Read from the start again, as after `auto.offset.reset: earliest` on a wiped log."""
        self._positions = dict.fromkeys(self._positions, 0)

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.pause`."""
        self._paused.update(partitions)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.resume`."""
        self._paused.difference_update(partitions)

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        self._broker.check()
        if self._evicted:
            raise Transient("memory broker: no such member")
        self._group.committed.update(offsets)

    def commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit_soon`."""
        if not self._broker.down and not self._evicted:
            self._group.committed.update(offsets)
            self._confirmed.update(offsets)

    def confirmed(self) -> dict[TopicPartition, int]:
        """See `Consumer.confirmed`."""
        confirmed, self._confirmed = self._confirmed, {}
        return confirmed

    def close(self) -> None:
        """See `Consumer.close`."""
        with self._broker.changed:
            if self in self._group.members:
                self._on_revoke(sorted(self._positions))
                self._group.members.remove(self)
            else:
                self._on_lost(sorted(self._positions))
            self._positions.clear()


class MemoryLogReader:
    """See `ports.LogReader`."""

    def __init__(self, broker: MemoryBroker) -> None:
        self._broker = broker

    def cluster_id(self) -> str:
        """See `LogReader.cluster_id`."""
        self._broker.check()
        return self._broker.name

    def bounds(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, LogBounds]:
        """See `LogReader.bounds`."""
        self._broker.check()
        committed = self._broker.group(group).committed
        return {
            partition: LogBounds(0, len(self._broker.log(partition)), committed.get(partition))
            for partition in partitions
        }

    def close(self) -> None:
        """See `LogReader.close`."""
