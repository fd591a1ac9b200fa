"""What the rig does to Kafka behind everybody's back: turns groups back, reads whole topics, changes a topic's settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Delivered, Headers, Record, TopicPartition
from razgovor.embedded.waiting import until

_TIMEOUT_S: Final = 30.0
_POLL_S: Final = 5.0
_BATCH: Final = 2000


class Broker:
    """One broker, reached without a proxy.

    Args:
        bootstrap_servers: Its address.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers

    def wait_led(self, topics: Sequence[str]) -> None:
        """Return when every partition of these topics has its leader: a topic just made has none yet."""
        admin = self._admin()
        until(lambda: _all_led(admin, topics), _TIMEOUT_S, "new topics have no leaders")

    def delete_topic(self, topic: str) -> None:
        """Delete a topic and return when it is gone."""
        admin = self._admin()
        _settled(admin.delete_topics([topic]).values())
        until(lambda: topic not in admin.list_topics(timeout=_TIMEOUT_S).topics, _TIMEOUT_S, f"{topic} does not go")

    def publish(self, *records: Record) -> Delivered:
        """Publish records as they are; where the last of them lies."""
        producer = KafkaProducer(KafkaConnection(bootstrap_servers=self._bootstrap_servers))
        try:
            return producer.publish(records)[-1]
        finally:
            producer.close()

    def ends(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """The next offset of every log of these topics."""
        reader = self._reader("razgovor-chaos-look")
        try:
            return {log: self._bounds(reader, log)[1] for log in self._logs(reader, topics)}
        finally:
            reader.close()

    def committed(self, group: str, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """Where a group stands in these topics; logs without a commit are left out."""
        reader = self._reader(group)
        try:
            wanted = [ck.TopicPartition(log.topic, log.partition) for log in self._logs(reader, topics)]
            found = reader.committed(wanted, timeout=_TIMEOUT_S)
            return {TopicPartition(str(at.topic), at.partition): at.offset for at in found if at.offset >= 0}
        finally:
            reader.close()

    def turn_back(self, group: str, topics: Sequence[str]) -> None:
        """Have a group without members begin again at the first record of every log."""
        reader = self._reader(group)
        try:
            starts = [
                ck.TopicPartition(log.topic, log.partition, self._bounds(reader, log)[0])
                for log in self._logs(reader, topics)
            ]
        finally:
            reader.close()
        wanted = ck.ConsumerGroupTopicPartitions(group, starts)
        admin = self._admin()
        _settled(admin.alter_consumer_group_offsets([wanted]).values())

    def records(self, topics: Sequence[str]) -> list[Record]:
        """All records of these topics, in the order of their logs."""
        reader = self._reader("razgovor-chaos-dump")
        try:
            bounds = {log: self._bounds(reader, log) for log in self._logs(reader, topics)}
            left = {log: high for log, (low, high) in bounds.items() if high > low}
            reader.assign([ck.TopicPartition(log.topic, log.partition, bounds[log][0]) for log in left])
            found: list[Record] = []
            while left:
                for message in reader.consume(_BATCH, timeout=_POLL_S):
                    found.append(_record(message))
                    log = TopicPartition(str(message.topic()), cast("int", message.partition()))
                    if cast("int", message.offset()) + 1 >= left.get(log, 0):
                        left.pop(log, None)
            return found
        finally:
            reader.close()

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self._bootstrap_servers, "log_level": 0})

    def _reader(self, group: str) -> ck.Consumer:
        return ck.Consumer(
            {
                "bootstrap.servers": self._bootstrap_servers,
                "group.id": group,
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )

    @staticmethod
    def _logs(reader: ck.Consumer, topics: Sequence[str]) -> list[TopicPartition]:
        known = reader.list_topics(timeout=_TIMEOUT_S).topics
        return [
            TopicPartition(topic, number) for topic in topics if topic in known for number in known[topic].partitions
        ]

    @staticmethod
    def _bounds(reader: ck.Consumer, log: TopicPartition) -> tuple[int, int]:
        return reader.get_watermark_offsets(ck.TopicPartition(log.topic, log.partition), timeout=_TIMEOUT_S)


def _all_led(admin: AdminClient, topics: Sequence[str]) -> bool:
    known = admin.list_topics(timeout=_TIMEOUT_S).topics
    return all(topic in known and all(at.leader >= 0 for at in known[topic].partitions.values()) for topic in topics)


def _settled(futures: Iterable[Any]) -> None:
    for future in futures:
        future.result(timeout=_TIMEOUT_S)


def _record(message: ck.Message) -> Record:
    pairs = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    headers: Headers = tuple((name, value or b"") for name, value in pairs)
    return Record(str(message.topic()), _bytes(message.key()), _bytes(message.value()), headers)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
