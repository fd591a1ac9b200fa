from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.errors import Transient
from pipeline.stream.memory import MemoryBroker, MemoryProducer
from pipeline.stream.metered import MeteredProducer
from pipeline.stream.ports import Delivered, PartlyDelivered, Record
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics


class Half(MemoryProducer):
    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        delivered = super().publish(records)
        raise PartlyDelivered("half of it", [delivered[0], None])


def test_published_records_are_counted_by_topic() -> None:
    broker, metrics = MemoryBroker(), Metrics()
    producer = MeteredProducer(broker.producer(), metrics)
    places = producer.publish([Record("a", b"k", b"1"), Record("b", b"k", b"2"), Record("a", b"k", b"3")])
    assert [place.topic for place in places] == ["a", "b", "a"]
    producer.verify()
    assert metrics.value(families.PUBLISHED, topic="a") == 2
    assert metrics.value(families.PUBLISHED, topic="b") == 1
    timed = {"peer": "broker", "operation": "publish", "outcome": "ok"}
    assert metrics.value(families.PEER_CALLS, "_count", **timed) == 1


def test_nothing_is_published_while_the_broker_is_away() -> None:
    broker, metrics = MemoryBroker(), Metrics()
    broker.down = True
    with pytest.raises(Transient):
        MeteredProducer(broker.producer(), metrics).publish([Record("a", b"k", b"1")])
    assert metrics.value(families.PUBLISHED, topic="a") is None
    away = {"peer": "broker", "operation": "publish", "outcome": "transient"}
    assert metrics.value(families.PEER_CALLS, "_count", **away) == 1


def test_of_a_half_delivered_call_the_acknowledged_half_counts() -> None:
    metrics = Metrics()
    with pytest.raises(PartlyDelivered):
        MeteredProducer(Half(MemoryBroker()), metrics).publish([Record("a", b"k", b"1"), Record("a", b"k", b"2")])
    assert metrics.value(families.PUBLISHED, topic="a") == 1
