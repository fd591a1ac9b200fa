"""Reading logs from end to end by librdkafka, as no member of any group: nothing is committed, nobody is disturbed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException

from pipeline.errors import Transient
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.client import ANSWER_TIMEOUT_S, Watch, answer, base, made, ours, theirs
from pipeline.stream.kafka.consumer import ported_message
from pipeline.stream.ports import Message, TopicPartition

#: Also the prefix that an ACL allows to whoever looks.
_GROUP: Final = "razgovor-scan"
_BATCH: Final = 1000
_SILENT_S: Final = 30.0


class KafkaScanner:
    """Reads what lies in logs."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._watch = Watch()
        settings = {
            **base(connection, self._watch),
            "group.id": _GROUP,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "fetch.wait.max.ms": connection.fetch_wait_ms,
        }
        self._consumer = made(lambda: ck.Consumer(settings))

    def logs(self, topics: Sequence[str]) -> list[TopicPartition]:
        """The logs of those topics that there are.

        Raises:
            Transient: No answer.
            Fatal: The brokers refuse us.
        """
        there = answer(self._consumer, self._watch).topics
        return [
            TopicPartition(topic, number)
            for topic in topics
            if topic in there and there[topic].error is None
            for number in sorted(there[topic].partitions)
        ]

    def ends(self, logs: Sequence[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """First and next offset of each log.

        Raises:
            Transient: No answer.
        """
        try:
            return {
                log: self._consumer.get_watermark_offsets(theirs([log])[0], timeout=ANSWER_TIMEOUT_S) for log in logs
            }
        except KafkaException as error:
            raise ours(error.args[0]) from error

    def scan(self, logs: Sequence[TopicPartition]) -> Iterator[Message]:
        """Everything from the beginning of each log to the end that it has when it is reached.

        Raises:
            Transient: The brokers do not answer, or nothing comes for 30 s.
            Fatal: They refuse us.
        """
        self._consumer.assign([ck.TopicPartition(log.topic, log.partition, ck.OFFSET_BEGINNING) for log in logs])
        left = set(logs)
        heard_at_s = time.monotonic()
        while left:
            self._watch.check()
            found = self._consumer.consume(_BATCH, timeout=1.0)
            if found:
                heard_at_s = time.monotonic()
            elif time.monotonic() > heard_at_s + _SILENT_S:
                raise Transient("kafka: the logs do not come to an end")
            for raw in found:
                error = raw.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's own code
                    left.discard(TopicPartition(str(raw.topic()), int(raw.partition() or 0)))
                elif (message := ported_message(raw)) is not None:
                    yield message
        self._consumer.unassign()

    def close(self) -> None:
        """Let go."""
        self._consumer.close()
