"""Which committed places are places in a topic that is no more. A real Kafka: `integration/pipeline/test_remade_topics`."""

from __future__ import annotations

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException

from pipeline.stream.kafka.places import Places
from pipeline.stream.ports import TopicPartition

LOG = TopicPartition("audio.uploaded.dlq", 7)
OTHER = TopicPartition("audio.uploaded", 0)


class Group:
    """A member, the ids that the brokers have told it, and what its group has committed."""

    def __init__(self, **ids: str) -> None:
        self.ids = {LOG.topic: "", OTHER.topic: "calls-1", **ids}
        self.answers = True
        self._committed: dict[TopicPartition, ck.TopicPartition] = {}
        self.places = Places(self, lambda topic: self.ids[topic])

    def committed(self, partitions: list[ck.TopicPartition], timeout: float) -> list[ck.TopicPartition]:
        if not self.answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        assert timeout > 0
        logs = [TopicPartition(place.topic, place.partition) for place in partitions]
        return [self._committed.get(log, ck.TopicPartition(log.topic, log.partition)) for log in logs]

    def commit(self, log: TopicPartition, offset: int) -> None:
        [self._committed[log]] = self.places.said({log: offset})

    def comes_again(self, topic_id: str) -> Places:
        """A member that comes when the topic has this id."""
        self.ids[LOG.topic] = topic_id
        self.places = Places(self, lambda topic: self.ids[topic])
        return self.places


def test_a_place_in_the_topic_that_is_there_is_gone_on_at() -> None:
    group = Group()
    group.comes_again("1").take([LOG, OTHER])
    group.commit(LOG, 3)
    group.commit(OTHER, 5)

    assert group.comes_again("1").take([LOG, OTHER]) == set()


def test_a_place_in_a_topic_that_is_no_more_is_told() -> None:
    group = Group()
    group.comes_again("1").take([LOG, OTHER])
    group.commit(LOG, 3)
    group.commit(OTHER, 5)

    assert group.comes_again("2").take([LOG, OTHER]) == {LOG}


def test_a_member_that_has_not_noticed_commits_places_in_the_old_topic() -> None:
    group = Group()
    group.comes_again("1").take([LOG])
    group.ids[LOG.topic] = "2"
    group.commit(LOG, 3)

    assert group.comes_again("2").take([LOG]) == {LOG}


def test_what_was_assigned_before_the_brokers_told_an_id_is_looked_at_once_they_have() -> None:
    group = Group()
    group.comes_again("1").take([LOG])
    group.commit(LOG, 3)
    places = group.comes_again("")
    assert places.take([LOG]) == set()
    assert places.look_again() == set()

    group.ids[LOG.topic] = "2"
    assert places.look_again() == {LOG}
    assert places.look_again() == set()


def test_what_was_committed_without_an_id_and_what_nobody_tells_is_trusted() -> None:
    group = Group()
    group.comes_again("").take([LOG])
    group.commit(LOG, 3)
    assert group.comes_again("2").take([LOG]) == set()

    group.commit(LOG, 3)
    group.answers = False
    assert group.comes_again("3").take([LOG]) == set()


def test_what_was_given_up_is_not_looked_at_again() -> None:
    group = Group()
    group.comes_again("1").take([LOG])
    group.commit(LOG, 3)
    places = group.comes_again("")
    places.take([LOG])
    places.give_up([LOG])

    group.ids[LOG.topic] = "2"
    assert places.look_again() == set()
