"""Notices that a topic was deleted and made anew, with the whole cluster or by itself. Used by `consumer`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, Protocol, cast

import confluent_kafka as ck
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka.client import ANSWER_TIMEOUT_S, Watch, base, made

EVERY_S: Final = 10.0
#: Clients that are not closed yet. An admin client's own thread runs Python when an answer is in, and so may be the one
#: that collects garbage; were the client itself in a cycle of it, librdkafka would abort the process
#: (`rd_kafka_destroy_app`). So nothing that is open is ever garbage.
_open: Final[set[AdminClient]] = set()

Answers = Mapping[str, "Future[Any]"]


class Describer(Protocol):
    """Knows topics and their ids."""

    def describe(self, topics: Sequence[str]) -> Answers:
        """Ask for the descriptions of these; waits for nobody."""

    def close(self) -> None:
        """What is unanswered ends."""


class BrokersDescriber:
    """The brokers, over a connection of its own. To be closed, by a thread of ours."""

    def __init__(self, connection: KafkaConnection) -> None:
        self._client = made(lambda: AdminClient(base(connection, Watch())))
        _open.add(self._client)

    def describe(self, topics: Sequence[str]) -> Answers:
        """See `Describer.describe`."""
        wanted = ck.TopicCollection(list(topics))
        return cast("Answers", self._client.describe_topics(wanted, request_timeout=ANSWER_TIMEOUT_S))

    def close(self) -> None:
        """See `Describer.close`."""
        if self._client in _open:
            self._client.__exit__(None, None, None)
            _open.discard(self._client)


class RemadeTopics:
    """Asks now and then for the ids of topics: a topic that is made anew has another. Waits for nobody.

    Args:
        describer: Is asked.
        monotonic_s: A clock that never goes back.
    """

    def __init__(self, describer: Describer, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._describer = describer
        self._monotonic_s = monotonic_s
        self._topics: list[str] = []
        self._ids: dict[str, str] = {}
        self._asked: Answers = {}
        self._due_s = 0.0

    def watch(self, topics: Sequence[str]) -> None:
        """Look at these."""
        self._topics = list(topics)

    def found(self) -> list[str]:
        """The topics that were made anew, as far as the brokers have answered since the last time."""
        remade = self._remade() if self._asked and all(one.done() for one in self._asked.values()) else []
        if not self._asked and self._topics and self._monotonic_s() >= self._due_s:
            self._asked = self._describer.describe(self._topics)
        return remade

    def id_of(self, topic: str) -> str:
        """The id that the topic had when the brokers answered last; empty: they have not told yet."""
        return self._ids.get(topic, "")

    def close(self) -> None:
        """Ask no more."""
        self._topics = []
        self._describer.close()

    def _remade(self) -> list[str]:
        answers, self._asked = self._asked, {}
        self._due_s = self._monotonic_s() + EVERY_S
        ids = {topic: topic_id for topic, answer in answers.items() if (topic_id := _id(answer)) is not None}
        remade = [topic for topic, topic_id in ids.items() if self._ids.get(topic, topic_id) != topic_id]
        self._ids |= ids
        return sorted(remade)


def _id(answer: Future[Any]) -> str | None:
    """None: there is no such topic now, or nobody to tell."""
    try:
        return str(answer.result().topic_id)
    except KafkaException:
        return None
