"""TLS and SCRAM on a real Kafka: who is not let in is told so by name, and soon."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, and not said so
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from pipeline.errors import Transient
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import Record, TopicPartition
from pipeline.stream.topology import Acl, TopicState
from pipeline.testing.waiting import eventually
from razgovor.peers.certificates import DAY, Certificates
from tests.integration.pipeline.stream.attempts import ATTEMPTS, Attempt, log_reader, refused, verify
from tests.integration.pipeline.stream.secured import SecuredKafka

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_wrong_password_is_named_soon(kafka: SecuredKafka, attempt: Attempt) -> None:
    with refused("_AUTHENTICATION"):
        attempt(kafka.as_user("exporter", "wrong"))


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_certificate_of_an_unknown_authority_is_named_soon(
    kafka: SecuredKafka, tmp_path: Path, attempt: Attempt
) -> None:
    unknown = Certificates(tmp_path / "unknown").authority
    with refused("_SSL"):
        attempt(kafka.trusting(unknown))


def test_an_unknown_user_is_named_soon(kafka: SecuredKafka) -> None:
    with refused("_AUTHENTICATION"):
        verify(kafka.as_user("nobody", "at all"))


def test_a_mechanism_that_the_brokers_do_not_have_is_named_soon(kafka: SecuredKafka) -> None:
    with refused("_AUTHENTICATION"):
        verify(replace(kafka.as_user("exporter"), sasl_mechanism="PLAIN"))


def test_a_file_that_is_not_there_is_named_at_once(kafka: SecuredKafka, tmp_path: Path) -> None:
    with refused("kafka_ca_file cannot be read"):
        KafkaProducer(kafka.trusting(tmp_path / "absent.pem"))
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate", encoding="utf-8")
    with refused("the settings cannot be used"):
        KafkaProducer(kafka.trusting(broken))


def test_a_certificate_of_ours_that_is_missing_or_expired_is_named_soon(kafka: SecuredKafka) -> None:
    connection = kafka.with_certificate(kafka.certificates.client("exporter"))
    verify(connection)
    with refused("_SSL"):
        verify(replace(connection, certificate_file=None, key_file=None))
    with refused("_SSL"):
        verify(kafka.with_certificate(kafka.certificates.client("late", expires_in=-DAY)))


def test_a_broker_that_goes_away_again_and_again_refuses_nobody(kafka: SecuredKafka) -> None:
    producer = KafkaProducer(kafka.as_user("ingest"))
    with log_reader(kafka.as_user("ingest")) as look:
        asked: list[Callable[[], object]] = [
            producer.verify,
            look.cluster_id,
            lambda: look.bounds("transcriber", [TopicPartition("audio.uploaded", 0)]),
        ]
        for _ in range(2):
            kafka.server.kill()
            for question in asked:
                with pytest.raises(Transient):
                    question()
            kafka.server.start()
            for question in asked:
                eventually(partial(answered, question), deadline_s=30)
    producer.close()


def answered(question: Callable[[], object]) -> bool:
    try:
        question()
    except Transient:
        return False
    return True


def test_a_brokers_certificate_that_expires_while_we_run_is_named_soon(kafka: SecuredKafka) -> None:
    producer, consumer = (
        KafkaProducer(kafka.as_user("exporter")),
        KafkaConsumer(kafka.as_user("exporter"), group="exporter"),
    )
    consumer.subscribe(["transcript.ready"], lambda _: None, lambda _: None)
    producer.verify()
    kafka.certificates.renew(expires_in=-DAY)
    try:
        kafka.restart()
        for question in (producer.verify, lambda: eventually(lambda: consumer.poll(0.2, 1) is None)):
            with refused("_SSL"):
                question()
    finally:
        kafka.certificates.renew()
        kafka.restart()
        for client in (producer, consumer):
            client.close()


def test_a_password_that_is_changed_ends_who_has_to_come_back(kafka: SecuredKafka) -> None:
    topic, connection = f"changing-{uuid.uuid4()}", kafka.as_user("changing")
    KafkaAdmin(kafka.open).create(topic, TopicState(1, 1))
    rights = [Acl("changing", "topic", topic, operation) for operation in ("read", "write")]
    KafkaAdmin(kafka.open).allow([*rights, Acl("changing", "group", topic, "read")])
    admin, producer = KafkaAdmin(connection), KafkaProducer(connection)
    consumer, look = KafkaConsumer(connection, group=topic), KafkaLogReader(connection)
    producer.publish([Record(topic, b"k", b"v")])
    consumer.subscribe([topic], lambda _: None, lambda _: None)
    eventually(lambda: consumer.poll(0.2, 1))
    look.cluster_id()
    change_password(kafka, "changing", "another")
    kafka.restart()
    asked: list[Callable[[], object]] = [
        lambda: producer.publish([Record(topic, b"k", b"v")]),
        lambda: eventually(lambda: consumer.poll(0.2, 1)),
        look.cluster_id,
        admin.brokers,
    ]
    for question in asked:
        with refused("_AUTHENTICATION"):
            question()
    for client in (producer, consumer, look, admin):
        client.close()


def change_password(kafka: SecuredKafka, user: str, new: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.server.bootstrap_servers})
    change = UserScramCredentialUpsertion(user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), new.encode())
    for future in admin.alter_user_scram_credentials([change]).values():
        future.result(30)
