"""A consumer that nobody closed turns to garbage while it waits for an answer. Run by `test_forgotten_consumer`."""

from __future__ import annotations

import gc
import sys
import time
from unittest.mock import patch

from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.kafka_mock import MockCluster

ANSWER_WITHIN_S = 0.3


class Owner:
    """Refers to itself, so that only the garbage collector ends it."""

    def __init__(self, address: str) -> None:
        self.me = self
        self.consumer = KafkaConsumer(KafkaConnection(bootstrap_servers=address), group="g")
        self.consumer.subscribe(["calls"], lambda _: None, lambda _: None)
        self.consumer.poll(0.1, 1)  # asks for the topic's id; the mock has no controller, so the answer is a timeout


def main() -> None:
    """Returns if we live."""
    gc.disable()
    with patch("pipeline.stream.kafka.remade.ANSWER_TIMEOUT_S", ANSWER_WITHIN_S), MockCluster() as cluster:
        cluster.create_topic("calls")
        Owner(cluster.address)
        # Whoever makes an object now collects garbage: librdkafka's thread with the answer, for we make none.
        gc.set_threshold(1)
        gc.enable()
        time.sleep(5 * ANSWER_WITHIN_S)  # to wait for a condition would make objects
        gc.disable()
    sys.stdout.write("alive\n")


if __name__ == "__main__":
    main()
