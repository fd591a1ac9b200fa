"""Which topic a committed place lies in. Used by `consumer`.

A topic that was made anew has the name of the old one, and a place in that may be one in this too. So each commit says the id
of the topic that it is a place in, as its metadata, and whoever reads on there later compares it with the topic's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import confluent_kafka as ck
from confluent_kafka import KafkaException

from pipeline.stream.kafka.client import ANSWER_TIMEOUT_S, known, theirs
from pipeline.stream.ports import TopicPartition
from pipeline.telemetry import logs

_log = logs.get("kafka")


class Member(Protocol):
    """Who can be asked how far its group has come, as a client is."""

    def committed(self, partitions: list[ck.TopicPartition], timeout: float) -> list[ck.TopicPartition]:
        """What the group has committed of these; raises KafkaException if nobody tells within so many seconds."""


class Places:
    """The topics, by id, of the partitions that one member of a group has.

    A topic's id may be empty, as long as the brokers have not told it: what is committed then is trusted.

    Args:
        consumer: The member.
        id_of: The id that a topic had when the brokers told it last.
    """

    def __init__(self, consumer: Member, id_of: Callable[[str], str]) -> None:
        self._consumer = consumer
        self._id_of = id_of
        self._ids: dict[TopicPartition, str] = {}

    def take(self, partitions: Iterable[TopicPartition]) -> set[TopicPartition]:
        """These were assigned; those of them where the group has committed a place in a topic that is no more."""
        taken = {log: self._id_of(log.topic) for log in partitions}
        self._ids |= taken
        return self._astray(taken)

    def look_again(self) -> set[TopicPartition]:
        """The same of those whose topic had no id when they were assigned, and has one now."""
        unnamed = [log for log, topic_id in self._ids.items() if not topic_id and self._id_of(log.topic)]
        return self.take(unnamed)

    def give_up(self, partitions: Iterable[TopicPartition]) -> None:
        """These are not ours any more."""
        for log in partitions:
            self._ids.pop(log, None)

    def said(self, offsets: Mapping[TopicPartition, int]) -> list[ck.TopicPartition]:
        """These offsets as they are committed."""
        return [
            ck.TopicPartition(log.topic, log.partition, offset, metadata=self._ids.get(log, ""))
            for log, offset in offsets.items()
        ]

    def _astray(self, ids: Mapping[TopicPartition, str]) -> set[TopicPartition]:
        asked = [log for log, topic_id in ids.items() if topic_id]
        try:
            committed = self._consumer.committed(theirs(asked), timeout=ANSWER_TIMEOUT_S) if asked else []
        except KafkaException as error:
            _log.warning("places_unchecked", error=error.args[0].name())
            return set()
        said = {TopicPartition(str(place.topic), known(place.partition)): place.metadata for place in committed}
        return {log for log, topic_id in said.items() if topic_id and topic_id != ids[log]}
