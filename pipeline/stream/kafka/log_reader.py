"""Looking at logs and commits by librdkafka, as no member of any group."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import confluent_kafka as ck
from confluent_kafka import KafkaException

from pipeline.errors import Fatal, Transient
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.client import ANSWER_TIMEOUT_S, Watch, answer, base, made, ours, theirs
from pipeline.stream.ports import LogBounds, TopicPartition


class KafkaLogReader:
    """See `ports.LogReader`. Never joins the group it looks at."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._connection = connection
        self._readers: dict[str, ck.Consumer] = {}
        self._watch = Watch()
        self._asker: ck.Producer | None = None

    def cluster_id(self) -> str:
        """See `LogReader.cluster_id`."""
        # A consumer would ask for its group's coordinator besides, every second, and be refused: that group is nobody's.
        if self._asker is None:
            self._asker = made(lambda: ck.Producer(base(self._connection, self._watch)))
        return str(answer(self._asker, self._watch).cluster_id)

    def bounds(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, LogBounds]:
        """See `LogReader.bounds`."""
        self._watch.check()
        reader = self._reader(group)
        try:
            committed = _committed(reader, partitions)
            found: dict[TopicPartition, LogBounds] = {}
            for log in partitions:
                low, high = reader.get_watermark_offsets(
                    ck.TopicPartition(log.topic, log.partition), timeout=ANSWER_TIMEOUT_S
                )
                found[log] = LogBounds(low, high, committed.get(log))
        except KafkaException as error:
            failure = ours(error.args[0])
            if isinstance(failure, Transient):
                self._look_for_refusal(reader, partitions)
            raise failure from error
        return found

    def _look_for_refusal(self, reader: ck.Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Raise Fatal if group or topic are closed to us: librdkafka says so only in passing, and the question times out."""
        while (message := reader.poll(0.0)) is not None:  # what a client has to say of its group comes as a message
            if (error := message.error()) is not None and isinstance(refusal := ours(error), Fatal):
                raise refusal
        self._watch.check()
        with suppress(KafkaException):
            for name in {log.topic for log in partitions}:
                there = reader.list_topics(name, timeout=ANSWER_TIMEOUT_S).topics.get(name)
                if there is not None and there.error is not None and isinstance(found := ours(there.error), Fatal):
                    raise found

    def _reader(self, group: str) -> ck.Consumer:
        # A consumer that never subscribes may ask for its group's commits without being a member.
        if group not in self._readers:
            settings = {**base(self._connection, self._watch), "group.id": group}
            self._readers[group] = made(lambda: ck.Consumer(settings))
        return self._readers[group]

    def close(self) -> None:
        """See `LogReader.close`."""
        for reader in self._readers.values():
            reader.close()


def _committed(reader: ck.Consumer, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
    """The group's commits; a log without one is absent."""
    found: dict[TopicPartition, int] = {}
    for log in reader.committed(theirs(partitions), timeout=ANSWER_TIMEOUT_S):
        if log.error is not None:  # not the same as a log without a commit
            raise ours(log.error)
        if log.offset >= 0:
            found[TopicPartition(str(log.topic), log.partition)] = log.offset
    return found
