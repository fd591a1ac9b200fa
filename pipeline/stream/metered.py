"""Any producer, with its calls counted. `__main__` puts it around the producer that it constructs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pipeline.stream.ports import Delivered, PartlyDelivered, Producer, Record
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics

_PEER: Final = "broker"


class MeteredProducer:
    """See `Producer`."""

    def __init__(self, producer: Producer, metrics: Metrics) -> None:
        self._producer = producer
        self._metrics = metrics

    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        """See `Producer.publish`."""
        try:
            with self._metrics.call(_PEER, "publish"):
                delivered = self._producer.publish(records)
        except PartlyDelivered as part:
            self._count(place for place in part.delivered if place is not None)
            raise
        self._count(delivered)
        return delivered

    def _count(self, delivered: Iterable[Delivered]) -> None:
        for topic, records in Counter(place.topic for place in delivered).items():
            self._metrics.add(families.PUBLISHED, records, topic=topic)

    def verify(self) -> None:
        """See `Producer.verify`."""
        with self._metrics.call(_PEER, "verify"):
            self._producer.verify()

    def close(self) -> None:
        """See `Producer.close`."""
        self._producer.close()
