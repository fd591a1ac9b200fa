"""Consuming by librdkafka, with either group protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, cast

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException

from pipeline.errors import Fatal
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.client import Watch, base, known, made, ours, ported, theirs
from pipeline.stream.kafka.lag import EVERY_MS, LagGauge
from pipeline.stream.kafka.places import Places
from pipeline.stream.kafka.remade import BrokersDescriber, RemadeTopics
from pipeline.stream.ports import AssignmentListener, Headers, Message, TopicPartition
from pipeline.telemetry import logs
from pipeline.telemetry.metrics import Metrics

#: Leaving a group takes a round trip. The client waits without end for brokers that do not answer: they learn of it by
#: the session's end as well.
LEAVE_TIMEOUT_S: Final = 1.0
_log = logs.get("kafka")


class KafkaConsumer:
    """See `ports.Consumer`. Partitions change hands one by one; nothing is committed but by `commit` and `commit_soon`."""

    def __init__(
        self, connection: KafkaConnection, *, group: str, gather_bytes: int = 1, metrics: Metrics | None = None
    ) -> None:
        """Connects by itself.

        Args:
            connection: The brokers.
            group: The group to be a member of.
            gather_bytes: A broker answers a fetch when it has so much, or after the connection's `fetch_wait_ms`: for who
                works in batches and is waited for by nobody. 1: it answers with the first record.
            metrics: Shows how far we are behind.

        Raises:
            Fatal: The settings cannot be used.
        """
        self._watch = Watch()
        self._confirmed: dict[TopicPartition, int] = {}
        settings = {
            **base(connection, self._watch),
            **_membership(connection),
            "on_commit": self._on_commit,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "fetch.min.bytes": gather_bytes,
            "fetch.wait.max.ms": connection.fetch_wait_ms,
            "queued.max.messages.kbytes": 4096,
        }
        if metrics is not None:
            settings |= {"statistics.interval.ms": EVERY_MS, "stats_cb": LagGauge(metrics)}
        self._consumer = made(lambda: ck.Consumer(settings))
        self._remade = RemadeTopics(BrokersDescriber(connection))
        self._places = Places(self._consumer, self._remade.id_of)
        self._is_leaving = False
        self._subscribe: Callable[[], None] = lambda: None

    def subscribe(
        self,
        topics: Sequence[str],
        on_assign: AssignmentListener,
        on_revoke: AssignmentListener,
        on_lost: AssignmentListener | None = None,
    ) -> None:
        """See `Consumer.subscribe`."""

        def assigned(consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
            places = ported(partitions)
            if astray := self._places.take(places):
                for raw, log in zip(partitions, places, strict=True):
                    raw.offset = ck.OFFSET_BEGINNING if log in astray else raw.offset
                consumer.incremental_assign(partitions)
            on_assign(places)

        def revoked(consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
            given_up(consumer, partitions, on_revoke)

        def lost(consumer: ck.Consumer, partitions: list[ck.TopicPartition]) -> None:
            given_up(consumer, partitions, on_lost or on_revoke)

        def given_up(consumer: ck.Consumer, partitions: list[ck.TopicPartition], tell: AssignmentListener) -> None:
            consumer.resume(partitions)  # the client would remember a pause over the next assignment
            places = ported(partitions)
            tell(places)
            self._places.give_up(places)

        self._remade.watch(topics)
        self._subscribe = lambda: self._consumer.subscribe(
            list(topics), on_assign=assigned, on_revoke=revoked, on_lost=lost
        )
        self._subscribe()

    def poll(self, timeout_s: float, max_messages: int) -> list[Message]:
        """See `Consumer.poll`."""
        self._watch.check()
        self._rejoin()
        try:
            found = self._polled(timeout_s, max_messages)
        except KafkaException as error:
            raise ours(error.args[0]) from error
        return [message for raw in found if (message := ported_message(raw)) is not None]

    def _rejoin(self) -> None:
        """Leave the group and join it again once a topic was made anew.

        The client may leave such a topic unread for ever, or read on at the place where it was in the old one, and we have
        committed that; so it is read from its start.
        """
        if remade := {*self._remade.found(), *(log.topic for log in self._places.look_again())}:
            _log.warning("topics_remade", topics=sorted(remade))
            self._is_leaving = True
            self._consumer.unsubscribe()
        # While the group is being shared out the client puts leaving off, and to subscribe again would take it back.
        if self._is_leaving and not self._consumer.assignment():
            self._is_leaving = False
            self._subscribe()

    def _polled(self, timeout_s: float, max_messages: int) -> list[ck.Message]:
        first = self._consumer.poll(timeout_s)
        if first is None:
            return []
        # consume() waits for all it was asked for, so only what is here already is taken with the first one.
        rest = self._consumer.consume(max_messages - 1, timeout=0.0) if max_messages > 1 else []
        return [first, *rest]

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.pause`."""
        self._consumer.pause(theirs(partitions))

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """See `Consumer.resume`."""
        self._consumer.resume(theirs(partitions))

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit`."""
        try:
            done = self._consumer.commit(offsets=self._places.said(offsets), asynchronous=False)
        except KafkaException as error:
            raise ours(error.args[0]) from error
        for partition in done or []:
            if partition.error is not None:
                raise ours(partition.error)

    def commit_soon(self, offsets: Mapping[TopicPartition, int]) -> None:
        """See `Consumer.commit_soon`."""
        with suppress(KafkaException):  # said again by the caller until it is confirmed
            self._consumer.commit(offsets=self._places.said(offsets), asynchronous=True)

    def _on_commit(self, error: KafkaError | None, partitions: list[ck.TopicPartition]) -> None:
        """Runs inside `poll`."""
        if error is not None:
            self._watch(error)
            return
        for partition in partitions:
            if partition.error is None:
                self._confirmed[TopicPartition(str(partition.topic), partition.partition)] = partition.offset
            else:
                self._watch(partition.error)

    def confirmed(self) -> dict[TopicPartition, int]:
        """See `Consumer.confirmed`."""
        confirmed, self._confirmed = self._confirmed, {}
        return confirmed

    def close(self, within_s: float = LEAVE_TIMEOUT_S) -> None:
        """See `Consumer.close`."""
        leaving = threading.Thread(target=self._leave, name="leaving", daemon=True)
        leaving.start()
        leaving.join(within_s)
        if leaving.is_alive():
            _log.warning("left_without_goodbye", waited_s=within_s)

    def _leave(self) -> None:
        self._remade.close()
        try:
            self._consumer.list_topics(timeout=LEAVE_TIMEOUT_S / 2)
        except KafkaException:
            # Nobody is there to leave. Closing could then wait within a callback, for ever and with the interpreter's lock,
            # and so could the end of this object.
            threading.Event().wait()
        self._consumer.close()


def _membership(connection: KafkaConnection) -> dict[str, Any]:
    if connection.group_protocol == "consumer":  # KIP-848: assignment and timeouts are the brokers' business
        return {"group.protocol": "consumer"}
    return {
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": connection.session_timeout_ms,
        "heartbeat.interval.ms": connection.session_timeout_ms // 3,
    }


def ported_message(raw: ck.Message) -> Message | None:
    """Their message as ours; None: an error that passes by itself.

    Raises:
        Fatal: The brokers refuse us.
    """
    error = raw.error()
    if error is not None:
        found = ours(error)
        if isinstance(found, Fatal):
            raise found
        _log.info("consumer_error", code=error.name())
        return None
    _kind, timestamp_ms = raw.timestamp()
    return Message(
        topic=str(raw.topic()),
        partition=known(raw.partition()),
        offset=known(raw.offset()),
        key=_bytes(raw.key()),
        value=_bytes(raw.value()),
        headers=_headers(raw),
        timestamp=datetime.fromtimestamp(timestamp_ms / 1000, tz=UTC),
    )


def _headers(raw: ck.Message) -> Headers:
    pairs = cast("list[tuple[str, str | bytes | None]]", raw.headers() or [])
    return tuple((name, _bytes(value) or b"") for name, value in pairs)


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
