from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from pipeline.stream.kafka.remade import EVERY_S, RemadeTopics


@dataclass
class Description:
    topic_id: str


class Cluster:
    """Topics with their ids, and whoever asks for them."""

    def __init__(self, **ids: str) -> None:
        self.ids = ids
        self.now_s = 0.0
        self.open: list[Future[Any]] = []
        self.answers = True
        self.remade = RemadeTopics(self, lambda: self.now_s)
        self.remade.watch(list(ids))
        self.look()

    def describe(self, topics: Sequence[str]) -> Mapping[str, Future[Any]]:
        asked: dict[str, Future[Any]] = {topic: Future() for topic in topics}
        self.open = [*asked.values()]
        if self.answers:
            for topic, future in asked.items():
                if topic in self.ids:
                    future.set_result(Description(self.ids[topic]))
                else:
                    future.set_exception(KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)))
        return asked

    def close(self) -> None:
        """See `Describer.close`."""

    def look(self) -> list[str]:
        """What is found by the next question and its answer."""
        self.now_s += EVERY_S
        return [*self.remade.found(), *self.remade.found()]


def test_a_topic_that_stays_is_no_news() -> None:
    cluster = Cluster(calls="1", retries="1")

    assert [cluster.look() for _ in range(3)] == [[], [], []]


def test_a_topic_that_was_made_anew_is_told_once() -> None:
    cluster = Cluster(calls="1", retries="1")
    cluster.ids["calls"] = "2"

    assert cluster.look() == ["calls"]
    assert cluster.look() == []


def test_a_topic_that_is_away_is_told_when_it_is_back_as_another() -> None:
    cluster = Cluster(calls="1")
    del cluster.ids["calls"]
    assert cluster.look() == []

    cluster.ids["calls"] = "1"
    assert cluster.look() == []
    cluster.ids["calls"] = "2"
    assert cluster.look() == ["calls"]


def test_nobody_waits_for_brokers_that_do_not_answer() -> None:
    cluster = Cluster(calls="1")
    cluster.answers = False
    cluster.ids["calls"] = "2"
    assert cluster.look() == []
    assert cluster.look() == []

    cluster.open[0].set_result(Description("2"))
    assert cluster.remade.found() == ["calls"]


def test_an_id_stays_known_while_the_topic_is_away() -> None:
    cluster = Cluster(calls="1")
    cluster.ids.clear()
    cluster.look()

    assert [cluster.remade.id_of(topic) for topic in ("calls", "others")] == ["1", ""]
