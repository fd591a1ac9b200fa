"""The board as a process of its own on a real Kafka: it counts what lies there, undecodable records and all."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from pipeline.stream import wire
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaProducer
from pipeline.stream.ports import Record
from pipeline.stream.wire import Wire
from pipeline.testing import samples
from razgovor.peers.addresses import KafkaPeer
from services.ledger.board import app
from services.ledger.board.counting import Picture

pytestmark = [
    pytest.mark.peers,
    # faust and aiokafka, not we: their own deprecated calls and sockets closed late.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def topic(kafka_peer: KafkaPeer) -> Iterator[str]:
    admin = AdminClient({"bootstrap.servers": kafka_peer.bootstrap_servers})
    name = f"test-{uuid.uuid4()}"
    admin.create_topics([NewTopic(name, 3, 1)])[name].result(20)
    yield name
    admin.delete_topics([name])[name].result(20)


def test_it_counts_on_a_real_kafka_and_listens_nowhere(kafka_peer: KafkaPeer, topic: str) -> None:
    connection = KafkaConnection(bootstrap_servers=kafka_peer.bootstrap_servers)
    producer = KafkaProducer(connection)
    said = [samples.audio_uploaded(f"job-{number}") for number in range(30)]
    ended = [samples.job_status(f"job-{number}") for number in range(10)]
    producer.publish([Record(topic, b"k", b"broken"), *(wire.encode(event, topic) for event in (*said, *ended))])
    producer.close()
    before = {one.laddr for one in listening()}
    shown: list[Picture] = []

    async def watch() -> None:
        stop = asyncio.Event()

        def show(picture: Picture) -> None:
            shown.append(picture)
            if picture.undecodable == 1 and {line.state: line.jobs for line in picture.lines} == {
                "queued": 20,
                "completed": 10,
            }:
                stop.set()

        group = f"razgovor-board-{uuid.uuid4()}"
        running = app.run(connection, Wire(), (topic,), group, window_s=3600, every_s=0.2, show=show, stop=stop)
        await asyncio.wait_for(running, 90)

    asyncio.run(watch())
    assert shown[-1].backlog_jobs == 20
    assert shown[-1].failed == 0
    assert {one.laddr for one in listening()} <= before


def listening() -> list[Any]:
    return [one for one in psutil.Process().net_connections("tcp") if one.status == psutil.CONN_LISTEN]
