"""Access rules on a real Kafka: who may do what; who may not is told so by name, and soon."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from pipeline.contracts.topics import names, topics
from pipeline.errors import Transient
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import LogBounds, Record, TopicPartition
from pipeline.stream.topology import Acl, TopicState
from pipeline.testing.waiting import eventually
from tests.integration.pipeline.stream.attempts import consume, log_reader, publish, refused
from tests.integration.pipeline.stream.secured import USERS, SecuredKafka, take_away

pytestmark = pytest.mark.peers


def test_each_user_writes_what_the_topics_say_and_nothing_else(kafka: SecuredKafka) -> None:
    for user in (*USERS, "stranger"):
        for name, topic in topics().items():
            if user in topic.producers or (user == "operator" and name in OPERATED):
                publish(kafka.as_user(user), name)
            else:
                with refused("(TOPIC|CLUSTER)_AUTHORIZATION_FAILED"):
                    publish(kafka.as_user(user), name)


#: What `razgovor dlq replay` may publish again.
OPERATED = {"call.recorded", "audio.uploaded", "transcript.ready", "job.status", "transcript.replay"}


def test_each_user_reads_what_the_topics_say_and_nothing_else(kafka: SecuredKafka) -> None:
    for name in names():
        publish(kafka.open, name)
    for user in ("transcriber", "exporter", "ledger"):
        for name, topic in topics().items():
            if user in topic.consumers:
                assert consume(kafka.as_user(user), name, user), (user, name)
            else:
                with refused("TOPIC_AUTHORIZATION_FAILED"):
                    consume(kafka.as_user(user), name, user)


@pytest.mark.parametrize("group_protocol", ["classic", "consumer"])
def test_nobody_joins_anothers_group(kafka: SecuredKafka, group_protocol: GroupProtocol) -> None:
    connection = replace(kafka.as_user("exporter"), group_protocol=group_protocol)
    with refused("GROUP_AUTHORIZATION_FAILED"):
        consume(connection, group="ledger")
    publish(kafka.open)
    assert consume(connection)


def test_the_relay_sees_the_transcribers_commits_and_nobody_elses(kafka: SecuredKafka) -> None:
    with log_reader(kafka.as_user("ingest")) as look:
        log = TopicPartition("audio.uploaded", 0)
        assert bounds_in_time(look, "transcriber", log).low == 0
        with refused("GROUP_AUTHORIZATION_FAILED"):
            look.bounds("ledger", [log])
        with refused("TOPIC_AUTHORIZATION_FAILED"):
            look.bounds("transcriber", [TopicPartition("transcript.ready", 0)])


def bounds_in_time(look: KafkaLogReader, group: str, log: TopicPartition) -> LogBounds:
    """A coordinator that has just come up says so first."""

    def known() -> LogBounds | None:
        try:
            return look.bounds(group, [log])[log]
        except Transient:
            return None

    found = eventually(known)
    assert found is not None
    return found


def test_rights_that_are_taken_away_end_who_runs(kafka: SecuredKafka) -> None:
    topic = f"taken-{uuid.uuid4()}"
    admin = KafkaAdmin(kafka.open)
    admin.create(topic, TopicState(1, 1))
    rights = [Acl("stranger", "topic", topic, operation) for operation in ("read", "write")]
    admin.allow([*rights, Acl("stranger", "group", topic, "read")])
    producer = KafkaProducer(kafka.as_user("stranger"))
    consumer = KafkaConsumer(kafka.as_user("stranger"), group=topic)
    consumer.subscribe([topic], lambda _: None, lambda _: None)
    producer.publish([Record(topic, b"k", b"v")])
    eventually(lambda: consumer.poll(0.2, 1))
    take_away(kafka, rights)
    with refused("TOPIC_AUTHORIZATION_FAILED"):
        eventually(lambda: producer.publish([Record(topic, b"k", b"v")]) == [])
    with refused("TOPIC_AUTHORIZATION_FAILED"):
        eventually(lambda: consumer.poll(0.2, 1) is None)
    producer.close()
    consumer.close()
