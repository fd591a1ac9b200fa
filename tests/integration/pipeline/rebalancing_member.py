"""A member of a consumer group, in a process that a test may kill or stop: works on records for a few milliseconds each.

    python -m tests.integration.pipeline.rebalancing_member BOOTSTRAP TOPIC GROUP PROTOCOL FILE

Every record that it is done with stands in FILE as `partition offset pid` before the runner hears of it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from typing import cast

from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.ports import Message
from pipeline.stream.runner import Limits, Runner

LONGEST_WORK_S = 0.04


def main(bootstrap_servers: str, topic: str, group: str, protocol: str, file: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    done = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    rest = threading.Event()

    def work(messages: Sequence[Message]) -> None:
        [message] = messages
        rest.wait(random.uniform(0, LONGEST_WORK_S))  # noqa: S311  so that work ends out of order
        os.write(done, f"{message.partition} {message.offset} {os.getpid()}\n".encode())  # one write: lines never mix

    connection = KafkaConnection(
        bootstrap_servers=bootstrap_servers, group_protocol=cast("GroupProtocol", protocol), session_timeout_ms=3000
    )
    limits = Limits(max_in_flight=8, drain_timeout_s=5)
    Runner(KafkaConsumer(connection, group=group), [topic], work, limits, lambda: None).run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
