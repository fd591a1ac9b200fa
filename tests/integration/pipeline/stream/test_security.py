"""TLS, SCRAM and access rules on a real Kafka: who is refused is told so by name, and soon."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, and not said so
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from pipeline.contracts.topics import names, topics
from pipeline.errors import Fatal, Transient
from pipeline.service import EXIT_FATAL
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaLogReader, KafkaProducer
from pipeline.stream.ports import LogBounds, Message, Record, TopicPartition
from pipeline.stream.topology import Acl, TopicState
from pipeline.testing.waiting import eventually
from razgovor.embedded.postgres_access import DatabaseUrls
from razgovor.peers.certificates import DAY, Certificates
from services.ledger.adapters.postgres import PostgresLedger
from tests.integration.pipeline.stream.secured import ACLS, PARTITIONS, USERS, SecuredKafka, environment, password

pytestmark = pytest.mark.peers

#: FAULTS.md, 24: a named error within this.
NAMED_WITHIN_S = 10.0
#: Starting Python on a busy machine takes longer than being refused.
ENDS_WITHIN_S = 60.0
Attempt: TypeAlias = Callable[[KafkaConnection], object]


def publish(connection: KafkaConnection, topic: str = "transcript.ready") -> None:
    producer = KafkaProducer(connection)
    try:
        producer.publish([Record(topic, b"job-1", b"value")])
    finally:
        producer.close()


def verify(connection: KafkaConnection) -> None:
    producer = KafkaProducer(connection)
    try:
        producer.verify()
    finally:
        producer.close()


def consume(connection: KafkaConnection, topic: str = "transcript.ready", group: str = "exporter") -> list[Message]:
    consumer = KafkaConsumer(connection, group=group)
    consumer.subscribe([topic], lambda _: None, lambda _: None)
    give_up_s = time.monotonic() + NAMED_WITHIN_S
    try:
        while time.monotonic() < give_up_s:
            if found := consumer.poll(0.2, 10):
                return found
    finally:
        consumer.close()
    return []


@contextmanager
def log_reader(connection: KafkaConnection) -> Iterator[KafkaLogReader]:
    look = KafkaLogReader(connection)
    try:
        yield look
    finally:
        look.close()


def look_at_cluster(connection: KafkaConnection) -> str:
    with log_reader(connection) as look:
        return look.cluster_id()


def look_at_log(connection: KafkaConnection) -> object:
    with log_reader(connection) as look:
        return look.bounds("transcriber", [TopicPartition("audio.uploaded", 0)])


def administer(connection: KafkaConnection) -> object:
    return KafkaAdmin(connection).topics(names())


ATTEMPTS: dict[str, Attempt] = {
    one.__name__: one for one in (verify, publish, consume, look_at_cluster, look_at_log, administer)
}


@contextmanager
def refused(name: str) -> Iterator[None]:
    started_s = time.monotonic()
    with pytest.raises(Fatal, match=name):
        yield
    assert time.monotonic() - started_s < NAMED_WITHIN_S


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


def test_each_user_writes_what_the_topics_say_and_nothing_else(kafka: SecuredKafka) -> None:
    for user in (*USERS, "stranger"):
        for name, topic in topics().items():
            if user in topic.producers or (user == "operator" and name in OPERATED):
                publish(kafka.as_user(user), name)
            else:
                with refused("(TOPIC|CLUSTER)_AUTHORIZATION_FAILED"):
                    publish(kafka.as_user(user), name)


#: What `razgovor dlq replay` may publish again.
OPERATED = {"audio.uploaded", "transcript.ready", "job.status", "transcript.replay"}


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


def take_away(kafka: SecuredKafka, rights: list[Acl]) -> None:
    filters = [
        AclBindingFilter(
            ResourceType.TOPIC,
            acl.name,
            ResourcePatternType.LITERAL,
            f"User:{acl.user}",
            "*",
            AclOperation[acl.operation.upper()],
            AclPermissionType.ALLOW,
        )
        for acl in rights
    ]
    admin = AdminClient({"bootstrap.servers": kafka.server.bootstrap_servers})
    for future in admin.delete_acls(filters).values():
        assert future.result(30)


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


# --- the commands and the services ----------------------------------------------------------------------------------


def razgovor(connection: KafkaConnection, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "razgovor", *arguments],
        env={**os.environ, **environment(connection, "RAZGOVOR")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_administrator_applies_topics_and_rights_and_sees_what_somebody_has_beyond_them(kafka: SecuredKafka) -> None:
    admin, arguments = kafka.as_user("admin"), ("--acls", str(ACLS), "--partitions", str(PARTITIONS))
    applied = razgovor(admin, "topics", "apply", *arguments)
    assert (applied.returncode, applied.stdout.strip()) == (0, "all is as it should be")
    assert razgovor(admin, "topics", "check", *arguments).returncode == 0
    beyond = Acl("exporter", "topic", "audio.uploaded", "write")
    KafkaAdmin(kafka.open).allow([beyond])
    checked = razgovor(admin, "topics", "check", *arguments)
    take_away(kafka, [beyond])
    assert checked.returncode == 1
    assert "write topic audio.uploaded" in checked.stdout
    more = razgovor(admin, "topics", "check", "--partitions", "6")
    assert more.returncode == 1
    assert "at least 6" in more.stdout


def test_who_is_no_administrator_applies_nothing(kafka: SecuredKafka) -> None:
    for connection, named in (
        (kafka.as_user("exporter"), "AUTHORIZATION_FAILED"),
        (kafka.as_user("admin", "wrong"), "_AUTHENTICATION"),
    ):
        done = razgovor(connection, "topics", "apply", "--acls", str(ACLS))
        assert (done.returncode, done.stdout) == (EXIT_FATAL, "")
        assert named in done.stderr
        assert password("exporter") not in done.stderr


def started(service: str, settings: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as stderr:
        command = [sys.executable, "-m", f"services.{service}"]
        return subprocess.Popen(command, env={**os.environ, **settings}, stdin=subprocess.DEVNULL, stderr=stderr)


def ended(process: subprocess.Popen[bytes], log: Path) -> tuple[int, str]:
    """The exit status and the last line of the log."""
    try:
        status = process.wait(ENDS_WITHIN_S)
    finally:
        process.kill()
    return status, log.read_text(encoding="utf-8").strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("said", "named"), [("wrong", "_AUTHENTICATION"), (None, "(TOPIC|GROUP|CLUSTER)_AUTHORIZATION_FAILED")]
)
def test_a_service_that_is_refused_ends_with_70_and_says_why(
    kafka: SecuredKafka, tmp_path: Path, said: str | None, named: str
) -> None:
    user = "exporter" if said else "stranger"
    settings = {
        **environment(kafka.as_user(user, said), "EXPORTER"),
        "EXPORTER_STORE_URL": (tmp_path / "store").as_uri(),
        "EXPORTER_STATUS_FILE": str(tmp_path / "status.json"),
    }
    log = tmp_path / "log"
    status, last = ended(started("exporter", settings, log), log)
    assert status == EXIT_FATAL
    assert json.loads(last)["event"] == "fatal"
    assert re.search(named, json.loads(last)["error"])
    assert re.search(named, (tmp_path / "status.json").read_text(encoding="utf-8"))
    assert password(user) not in log.read_text(encoding="utf-8")


def test_ingest_that_is_refused_by_kafka_ends_with_70_and_says_why(
    kafka: SecuredKafka, database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    ledger = PostgresLedger(database_urls.ledger)
    ledger.migrate()
    ledger.close()
    settings = {
        **environment(kafka.as_user("ingest", "wrong"), "INGEST"),
        "INGEST_STORE_URL": (tmp_path / "store").as_uri(),
        "INGEST_DATABASE_URL": database_urls.ingest,
        "INGEST_PORT": "0",
    }
    log = tmp_path / "log"
    status, last = ended(started("ingest", settings, log), log)
    assert status == EXIT_FATAL
    assert "_AUTHENTICATION" in json.loads(last)["error"]
