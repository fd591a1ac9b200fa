"""An even share of each kind of topic for every worker, not of all topics together.

cooperative-sticky evens out how many partitions a member has in all (librdkafka's issue 4044): of three workers that read
a topic and its retries, one may get nothing but retries and stand idle beside a backlog. So a process reads what is rare in
a group of its own, and both are shared out evenly. (One group with members that subscribe to different topics would share
out evenly too, but its leader looks only at the topics of its own: partitions that are added to the others go unseen.)
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Protocol

from pipeline.errors import RazgovorError
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.consumer import LEAVE_TIMEOUT_S, KafkaConsumer
from pipeline.stream.ports import AssignmentListener, Consumer, Message, TopicPartition
from pipeline.telemetry.metrics import Metrics

_LEAST_LEAVE_S: Final = 0.1


class Member(Consumer, Protocol):
    """A consumer that can be told how long its leaving may take."""

    def close(self, within_s: float = LEAVE_TIMEOUT_S) -> None:
        """See `Consumer.close`."""


class EvenConsumer:
    """See `ports.Consumer`.

    Args:
        of_rare: Reads what is rare.
        of_others: Reads everything else.
        rare: Topics where few records come, and none that cannot wait a moment.
    """

    def __init__(self, of_rare: Member, of_others: Member, rare: Collection[str]) -> None:
        self._rare = frozenset(rare)
        self._of_rare = of_rare
        self._of_others = of_others
        self._error: RazgovorError | None = None

    @classmethod
    def connected(
        cls,
        connection: KafkaConnection,
        *,
        group: str,
        rare_group: str,
        rare: Collection[str],
        gather_bytes: int = 1,
        metrics: Metrics | None = None,
    ) -> EvenConsumer:
        """On Kafka.

        Args:
            connection: The brokers.
            group: The group to be a member of.
            rare_group: The group to be a member of for what is rare.
            rare: See the class.
            gather_bytes: See `KafkaConsumer`.
            metrics: Shows how far we are behind.

        Raises:
            Fatal: The settings cannot be used.
        """
        of_rare, of_others = (
            KafkaConsumer(connection, group=name, gather_bytes=gather_bytes, metrics=metrics)
            for name in (rare_group, group)
        )
        return cls(of_rare, of_others, rare)

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: AssignmentListener,
        on_revoke: AssignmentListener,
        on_lost: AssignmentListener | None = None,
    ) -> None:
        """See `Consumer.subscribe`."""
        for member, wanted in (
            (self._of_others, [topic for topic in topics if topic not in self._rare]),
            (self._of_rare, [topic for topic in topics if topic in self._rare]),
        ):
            if wanted:
                member.subscribe(wanted, on_assign, on_revoke, on_lost)

    def poll(self, timeout_s: float, max_messages: int) -> list[Message]:
        """See `Consumer.poll`. Rare ones get no more than half of the room, so that a flood of them drowns nothing."""
        if (error := self._error) is not None:
            self._error = None
            raise error
        found = self._of_rare.poll(0.0, max(1, max_messages // 2))
        if len(found) == max_messages:
            return found
        try:
            return found + self._of_others.poll(0.0 if found else timeout_s, max_messages - len(found))
        except RazgovorError as later:
            if not found:
                raise
            self._error = later  # what was taken must reach the caller first
            return found

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.pause`."""
        for member, own in self._shared(partitions):
            member.pause(own)

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.resume`."""
        for member, own in self._shared(partitions):
            member.resume(own)

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        for member, own in self._shared(offsets):
            member.commit({log: offsets[log] for log in own})

    def commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit_soon`."""
        for member, own in self._shared(offsets):
            member.commit_soon({log: offsets[log] for log in own})

    def confirmed(self) -> dict[TopicPartition, int]:
        """See `Consumer.confirmed`."""
        return {**self._of_rare.confirmed(), **self._of_others.confirmed()}

    def close(self) -> None:
        """See `Consumer.close`. One after the other: the listeners run inside."""
        until_s = time.monotonic() + LEAVE_TIMEOUT_S
        self._of_others.close(LEAVE_TIMEOUT_S - _LEAST_LEAVE_S)
        self._of_rare.close(max(_LEAST_LEAVE_S, until_s - time.monotonic()))

    def _shared(self, partitions: Iterable[TopicPartition]) -> list[tuple[Member, list[TopicPartition]]]:
        shares: dict[bool, list[TopicPartition]] = {True: [], False: []}
        for partition in partitions:
            shares[partition.topic in self._rare].append(partition)
        members = ((self._of_rare, shares[True]), (self._of_others, shares[False]))
        return [(member, own) for member, own in members if own]
