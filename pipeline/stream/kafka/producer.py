"""Publishing by librdkafka."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException

from pipeline.errors import Transient
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.client import Watch, answer, base, known, made, ours
from pipeline.stream.ports import Delivered, PartlyDelivered, Record

_DELIVERY_TIMEOUT_S: Final = 20
_POLL_S: Final = 0.1
_CLOSE_S: Final = 0.5


class KafkaProducer:
    """See `ports.Producer`. Acknowledged by all in-sync replicas. Used by many threads."""

    def __init__(self, connection: KafkaConnection) -> None:
        """Connects by itself.

        Raises:
            Fatal: The settings cannot be used.
        """
        self._watch = Watch()
        settings = {
            **base(connection, self._watch),
            # A broker that lost its disk gives a living producer's number to another one, takes the one's records for
            # repetitions of the other's, and acknowledges what it threw away. What comes twice harms nobody here.
            "enable.idempotence": False,
            "acks": "all",
            # librdkafka sends a request for each partition, so that waiting longer gathers little: keys are spread.
            "linger.ms": 2,
            # The broker's limits decide, topic by topic: a DLQ takes more than others (see topics.yaml).
            "message.max.bytes": 2_097_152,
            "delivery.timeout.ms": _DELIVERY_TIMEOUT_S * 1000,
        }
        self._producer = made(lambda: ck.Producer(settings))
        self._closed = threading.Event()
        # One thread takes all delivery reports: whoever polls takes those of others too, and they would sleep on.
        threading.Thread(target=self._take_reports, daemon=True, name="delivery-reports").start()

    def _take_reports(self) -> None:
        while not self._closed.is_set():
            try:
                self._producer.poll(_POLL_S)
            except KafkaException as error:  # the client has told us that it can't go on
                self._watch(error.args[0])
                self._closed.wait(_POLL_S)

    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        """See `Producer.publish`."""
        reports: dict[int, tuple[KafkaError | None, ck.Message]] = {}
        all_here = threading.Event()

        def keep(index: int, error: KafkaError | None, message: ck.Message) -> None:
            reports[index] = (error, message)
            if len(reports) == len(records):
                all_here.set()

        try:
            for index, record in enumerate(records):
                self._produce(record, partial(keep, index))
            # delivery.timeout.ms bounds this: every record gets its report, good or bad.
            while records and not all_here.wait(_POLL_S):
                self._watch.check()
        except BufferError as error:
            raise Transient("kafka: the producer's queue is full") from error
        except KafkaException as error:
            raise ours(error.args[0]) from error
        return _settled([reports[index] for index in range(len(records))])

    def _produce(self, record: Record, report: Callable[[KafkaError | None, ck.Message], None]) -> None:
        self._producer.produce(
            record.topic, value=record.value, key=record.key, headers=list(record.headers), on_delivery=report
        )

    def verify(self) -> None:
        """See `Producer.verify`."""
        answer(self._producer, self._watch)

    def close(self) -> None:
        """See `Producer.close`."""
        # `publish` returns with its reports, so what is still under way here is nobody's any more.
        self._producer.flush(_CLOSE_S)
        self._closed.set()


def _settled(reports: Sequence[tuple[KafkaError | None, ck.Message]]) -> list[Delivered]:
    """Where the records lie; what some of them were refused for is raised with the places of the others."""
    places = [None if error is not None else _place(message) for error, message in reports]
    delivered = [place for place in places if place is not None]
    for error, _message in reports:
        if error is not None:
            found = ours(error)
            raise PartlyDelivered(str(found), places) if delivered and isinstance(found, Transient) else found
    return delivered


def _place(message: ck.Message) -> Delivered:
    return Delivered(str(message.topic()), known(message.partition()), known(message.offset()))
