"""Kafka by confluent-kafka (librdkafka): the only door to it besides `kafka_mock`. Its errors become ours here.

librdkafka reports refused credentials only to `error_cb` and goes on trying for ever, so every client watches that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException

from pipeline.errors import Fatal, RazgovorError, Transient
from pipeline.stream.ports import (
    AssignmentListener,
    Delivered,
    Headers,
    LogBounds,
    Message,
    Record,
    TopicPartition,
)
from pipeline.telemetry import logs

_REFUSALS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,  # noqa: SLF001  librdkafka's own codes begin so
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_DELIVERY_TIMEOUT_S: Final = 20
_ANSWER_TIMEOUT_S: Final = 5.0

_log = logs.get("kafka")


def _ours(error: KafkaError) -> RazgovorError:
    if error.code() in _REFUSALS:
        return Fatal(f"kafka refuses us: {error.name()}")
    return Transient(f"kafka: {error.name()}")


class _Watch:
    """Keeps what `error_cb` says until somebody can raise it."""

    def __init__(self) -> None:
        self.refusal: Fatal | None = None

    def __call__(self, error: KafkaError) -> None:
        ours = _ours(error)
        if isinstance(ours, Fatal):
            self.refusal = ours

    def check(self) -> None:
        if self.refusal is not None:
            raise self.refusal


def _base(bootstrap_servers: str, watch: _Watch) -> dict[str, Any]:
    return {
        "bootstrap.servers": bootstrap_servers,
        "error_cb": watch,
        # librdkafka's own lines go where ours go, and a broker that is away is no reason for twenty of them a second.
        "logger": logging.getLogger("librdkafka"),
        "reconnect.backoff.ms": 250,
        "reconnect.backoff.max.ms": 2000,
        # Topics are made by `topics.yaml`'s owner, never by a client that happens to name one.
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": 10_000,
    }


class KafkaProducer:
    """See `ports.Producer`. Idempotent, acknowledged by all in-sync replicas."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._watch = _Watch()
        self._producer = ck.Producer(
            {
                **_base(bootstrap_servers, self._watch),
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "delivery.timeout.ms": _DELIVERY_TIMEOUT_S * 1000,
            }
        )

    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        """See `Producer.publish`."""
        reports: dict[int, tuple[KafkaError | None, ck.Message]] = {}
        try:
            for index, record in enumerate(records):
                self._produce(index, record, reports)
        except BufferError as error:
            raise Transient("kafka: the producer's queue is full") from error
        except KafkaException as error:
            raise _ours(error.args[0]) from error
        self._await(reports, len(records))
        return [self._delivered(*reports[index]) for index in range(len(records))]

    def _produce(self, index: int, record: Record, reports: dict[int, tuple[KafkaError | None, ck.Message]]) -> None:
        def report(error: KafkaError | None, message: ck.Message) -> None:
            reports[index] = (error, message)

        self._producer.produce(
            record.topic, value=record.value, key=record.key, headers=list(record.headers), on_delivery=report
        )

    def _await(self, reports: Mapping[int, object], count: int) -> None:
        # delivery.timeout.ms bounds this: every record gets its report, good or bad.
        while len(reports) < count:
            self._watch.check()
            self._producer.poll(0.1)

    @staticmethod
    def _delivered(error: KafkaError | None, message: ck.Message) -> Delivered:
        if error is not None:
            raise _ours(error)
        return Delivered(str(message.topic()), _known(message.partition()), _known(message.offset()))

    def verify(self) -> None:
        """See `Producer.verify`."""
        _answer(self._producer, self._watch)

    def close(self) -> None:
        """See `Producer.close`."""
        self._producer.flush(_ANSWER_TIMEOUT_S)


class KafkaConsumer:
    """See `ports.Consumer`. Cooperative-sticky; nothing is committed but by `commit`."""

    def __init__(self, bootstrap_servers: str, *, group: str, session_timeout_ms: int = 6000) -> None:
        self._watch = _Watch()
        self._consumer = ck.Consumer(
            {
                **_base(bootstrap_servers, self._watch),
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": session_timeout_ms,
                "heartbeat.interval.ms": session_timeout_ms // 3,
                "fetch.wait.max.ms": 20,  # the mock broker answers a fetch only after it
                "queued.max.messages.kbytes": 4096,
            }
        )

    def subscribe(self, topics: Sequence[str], on_assign: AssignmentListener, on_revoke: AssignmentListener) -> None:
        """See `Consumer.subscribe`."""

        def assigned(_consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
            on_assign(_ported(partitions))

        def revoked(_consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
            on_revoke(_ported(partitions))

        self._consumer.subscribe(list(topics), on_assign=assigned, on_revoke=revoked, on_lost=revoked)

    def poll(self, timeout_s: float, max_messages: int) -> list[Message]:
        """See `Consumer.poll`."""
        self._watch.check()
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        # consume() waits for all it was asked for, so only what is here already is taken with the first one.
        rest = self._consumer.consume(max_messages - 1, timeout=0.0) if max_messages > 1 else []
        return [message for raw in (first, *rest) if (message := self._message(raw)) is not None]

    def _message(self, raw: ck.Message) -> Message | None:
        error = raw.error()
        if error is not None:
            ours = _ours(error)
            if isinstance(ours, Fatal):
                raise ours
            _log.info("consumer_error", code=error.name())
            return None
        _kind, timestamp_ms = raw.timestamp()
        return Message(
            topic=str(raw.topic()),
            partition=_known(raw.partition()),
            offset=_known(raw.offset()),
            key=_bytes(raw.key()),
            value=_bytes(raw.value()),
            headers=_headers(raw),
            timestamp=datetime.fromtimestamp(timestamp_ms / 1000, tz=UTC),
        )

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.pause`."""
        self._consumer.pause(_theirs(partitions))

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.resume`."""
        self._consumer.resume(_theirs(partitions))

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        wanted = [ck.TopicPartition(log.topic, log.partition, offset) for log, offset in offsets.items()]
        try:
            done = self._consumer.commit(offsets=wanted, asynchronous=False)
        except KafkaException as error:
            raise _ours(error.args[0]) from error
        for partition in done or []:
            if partition.error is not None:
                raise _ours(partition.error)

    def close(self) -> None:
        """See `Consumer.close`."""
        self._consumer.close()


class KafkaLogReader:
    """See `ports.LogReader`. Never joins the group it looks at."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._readers: dict[str, ck.Consumer] = {}
        self._watch = _Watch()

    def cluster_id(self) -> str:
        """See `LogReader.cluster_id`."""
        return str(_answer(self._reader("razgovor-look"), self._watch).cluster_id)

    def bounds(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, LogBounds]:
        """See `LogReader.bounds`."""
        self._watch.check()
        reader = self._reader(group)
        try:
            committed = {
                TopicPartition(str(log.topic), log.partition): log.offset
                for log in reader.committed(_theirs(partitions), timeout=_ANSWER_TIMEOUT_S)
            }
            found: dict[TopicPartition, LogBounds] = {}
            for log in partitions:
                low, high = reader.get_watermark_offsets(
                    ck.TopicPartition(log.topic, log.partition), timeout=_ANSWER_TIMEOUT_S
                )
                position = committed.get(log, -1)
                found[log] = LogBounds(low, high, position if position >= 0 else None)
        except KafkaException as error:
            raise _ours(error.args[0]) from error
        return found

    def _reader(self, group: str) -> ck.Consumer:
        # A consumer that never subscribes may ask for its group's commits without being a member.
        if group not in self._readers:
            self._readers[group] = ck.Consumer({**_base(self._bootstrap_servers, self._watch), "group.id": group})
        return self._readers[group]

    def close(self) -> None:
        """See `LogReader.close`."""
        for reader in self._readers.values():
            reader.close()


def _answer(client: ck.Producer | ck.Consumer, watch: _Watch) -> Any:
    watch.check()
    try:
        return client.list_topics(timeout=_ANSWER_TIMEOUT_S)
    except KafkaException as error:
        watch.check()
        raise _ours(error.args[0]) from error


def _known(number: int | None) -> int:
    if number is None:  # librdkafka gives none only on messages that carry an error
        raise Transient("kafka: a record without its place")
    return number


def _headers(raw: ck.Message) -> Headers:
    pairs = cast("list[tuple[str, str | bytes | None]]", raw.headers() or [])
    return tuple((name, _bytes(value) or b"") for name, value in pairs)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _ported(partitions: Sequence[ck.TopicPartition]) -> list[TopicPartition]:
    return [TopicPartition(str(log.topic), log.partition) for log in partitions]


def _theirs(partitions: Sequence[TopicPartition]) -> list[ck.TopicPartition]:
    return [ck.TopicPartition(log.topic, log.partition) for log in partitions]
