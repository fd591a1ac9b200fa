from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.ports import Record
from razgovor.embedded.broker import broker_command, topics
from razgovor.embedded.owned_process import OwnedProcess
from razgovor.embedded.waiting import until


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], OwnedProcess]]:
    made: list[OwnedProcess] = []

    def starter(name: str) -> OwnedProcess:
        status_file = tmp_path / f"{name}.json"
        broker = OwnedProcess(
            name=name, command=broker_command(status_file), log=tmp_path / f"{name}.log", status_file=status_file
        )
        made.append(broker)
        broker.start()
        broker.wait_ready(30)
        return broker

    yield starter
    for broker in made:
        broker.stop(10)


def address(broker: OwnedProcess) -> str:
    found = broker.fact("address")
    assert found is not None
    return found


def test_who_subscribes_before_the_first_record_gets_it(start: Callable[[str], OwnedProcess]) -> None:
    broker = start("broker")
    consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=address(broker)), group="early")
    assigned: list[str] = []
    consumer.subscribe(topics(), lambda logs: assigned.extend(one.topic for one in logs), lambda _: None)
    received: list[bytes | None] = []

    def poll() -> bool:
        received.extend(message.value for message in consumer.poll(0.2, 10))
        return set(assigned) == set(topics())

    until(poll, 30)
    assert len(assigned) == 4 * len(topics())
    producer = KafkaProducer(KafkaConnection(bootstrap_servers=address(broker)))
    producer.publish([Record("audio.uploaded", b"job", b"event")])
    until(lambda: poll() and received == [b"event"], 30)
    producer.close()
    consumer.close()


def test_two_brokers_run_side_by_side(start: Callable[[str], OwnedProcess]) -> None:
    assert address(start("one")) != address(start("two"))


def test_sigterm_ends_it_in_order(start: Callable[[str], OwnedProcess]) -> None:
    broker = start("broker")
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGTERM)
    until(lambda: broker.exit_status() == 0, 10)


def test_the_end_of_its_input_ends_it(start: Callable[[str], OwnedProcess]) -> None:
    broker = start("broker")
    assert broker.stop(10)
    assert broker.exit_status() == 0
