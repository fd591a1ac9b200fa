from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.testing.waiting import eventually
from razgovor.peers import KafkaOptions, KafkaServer
from razgovor.peers.certificates import Certificates
from razgovor.peers.ports import free_port

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[Callable[[KafkaOptions], KafkaServer]]:
    made: list[KafkaServer] = []

    def start(options: KafkaOptions) -> KafkaServer:
        made.append(KafkaServer(tmp_path / "kafka", options))
        made[-1].start()
        return made[-1]

    yield start
    for server in made:
        server.remove()


def create(servers: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(timeout=30)


def produce(settings: dict[str, str], topic: str, value: bytes) -> KafkaError | None:
    """The delivery report's error, None when it was delivered."""
    reports: list[KafkaError | None] = []
    producer = Producer({**settings, "enable.idempotence": "true", "message.timeout.ms": "30000"})
    producer.produce(topic, value, on_delivery=lambda error, _: reports.append(error))
    producer.flush(60)
    assert len(reports) == 1
    return reports[0]


def values(servers: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "reader", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[bytes | None] = []

    def poll() -> bool:
        found.extend(message.value() for message in consumer.consume(10, 0.2) if message.error() is None)
        return len(found) >= count

    eventually(poll, deadline_s=60)
    consumer.close()
    return found


def test_what_was_acknowledged_outlives_kill_9_and_a_wipe_takes_all(
    kafka: Callable[[KafkaOptions], KafkaServer],
) -> None:
    server = kafka(KafkaOptions())
    address = server.bootstrap_servers
    create(address, "kept")
    assert produce({"bootstrap.servers": address}, "kept", b"before") is None
    server.kill()
    server.start()
    assert server.bootstrap_servers == address
    assert produce({"bootstrap.servers": address}, "kept", b"after") is None
    assert values(address, "kept", 2) == [b"before", b"after"]
    before = AdminClient({"bootstrap.servers": address}).list_topics(timeout=30).cluster_id
    server.wipe()
    server.start()
    found = AdminClient({"bootstrap.servers": address}).list_topics(timeout=30)
    assert "kept" not in found.topics
    assert found.cluster_id != before


def test_a_topic_that_nobody_made_is_refused(kafka: Callable[[KafkaOptions], KafkaServer]) -> None:
    server = kafka(KafkaOptions())
    settings = {"bootstrap.servers": server.bootstrap_servers, "topic.metadata.propagation.max.ms": "500"}
    error = produce(settings, "nowhere", b"lost")
    assert error is not None
    assert error.code() in {KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART}


def test_passwords_rights_and_certificates_hold(kafka: Callable[[KafkaOptions], KafkaServer], tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    users = {"admin": "admins-word", "nobody": "nobodys-word"}
    server = kafka(KafkaOptions(users=users, certificates=certificates))
    create(server.bootstrap_servers, "guarded")
    settings = {
        "bootstrap.servers": server.sasl_servers,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "ssl.ca.location": str(certificates.authority),
    }
    admin = {"sasl.username": "admin", "sasl.password": "admins-word"}
    assert produce({**settings, **admin}, "guarded", b"mine") is None
    refused = produce({**settings, "sasl.username": "nobody", "sasl.password": "nobodys-word"}, "guarded", b"theirs")
    assert refused is not None
    assert refused.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    with pytest.raises(KafkaException):
        AdminClient({**settings, "sasl.username": "admin", "sasl.password": "wrong"}).list_topics(timeout=3)
    stranger = Certificates(tmp_path / "stranger")
    with pytest.raises(KafkaException):
        AdminClient({**settings, **admin, "ssl.ca.location": str(stranger.authority)}).list_topics(timeout=3)


def test_clients_need_a_certificate_where_it_is_asked_for(
    kafka: Callable[[KafkaOptions], KafkaServer], tmp_path: Path
) -> None:
    certificates = Certificates(tmp_path / "certificates")
    server = kafka(KafkaOptions(certificates=certificates, client_certificates=True))
    settings: dict[str, str | int | float | bool] = {
        "bootstrap.servers": server.tls_servers,
        "security.protocol": "SSL",
        "ssl.ca.location": str(certificates.authority),
    }
    with pytest.raises(KafkaException):
        AdminClient(settings).list_topics(timeout=3)
    own = certificates.client("ingest")
    shown = {"ssl.certificate.location": str(own.certificate), "ssl.key.location": str(own.key)}
    assert AdminClient({**settings, **shown}).list_topics(timeout=30).brokers


def test_who_comes_by_a_proxy_is_sent_back_to_it(kafka: Callable[[KafkaOptions], KafkaServer]) -> None:
    port = free_port()
    server = kafka(KafkaOptions(proxied_port=port))
    found = AdminClient({"bootstrap.servers": f"127.0.0.1:{server.proxied_port}"}).list_topics(timeout=30)
    assert [broker.port for broker in found.brokers.values()] == [port]
