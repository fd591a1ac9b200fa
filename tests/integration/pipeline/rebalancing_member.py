"""A member of a consumer group, in a process that a test may kill or stop: works on records for a few milliseconds each.

    python -m tests.integration.pipeline.rebalancing_member BOOTSTRAP TOPIC GROUP PROTOCOL FOLDER

The order is that of every service: the effect, then what is said of it, then the offset. The effect is a byte at the record's
place in FOLDER/effects; who finds it there does not work. FOLDER/done tells of both: `partition offset pid kind` for each
record that work begins on (BEGUN), and for each that the member is done with (WORKED, FOUND), before the runner hears of it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaConsumer
from pipeline.stream.ports import Message
from pipeline.stream.runner import Limits, Runner
from tests.integration.pipeline.quick_sessions import SESSION_TIMEOUT_MS

LONGEST_WORK_S = 0.04
IN_FLIGHT = 8
#: Kinds of lines.
FOUND, WORKED, BEGUN = range(3)
_EFFECT = b"x"
_PARTITIONS_MAX = 64


def main(bootstrap_servers: str, topic: str, group: str, protocol: str, folder: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    done = os.open(Path(folder) / "done", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    effects = os.open(Path(folder) / "effects", os.O_RDWR | os.O_CREAT, 0o600)
    rest = threading.Event()

    def say(message: Message, kind: int) -> None:
        # One write: lines never mix.
        os.write(done, f"{message.partition} {message.offset} {os.getpid()} {kind}\n".encode())

    def work(messages: Sequence[Message]) -> None:
        [message] = messages
        place = message.offset * _PARTITIONS_MAX + message.partition
        if os.pread(effects, 1, place) == _EFFECT:
            say(message, FOUND)
            return
        say(message, BEGUN)
        rest.wait(random.uniform(0, LONGEST_WORK_S))  # noqa: S311  so that work ends out of order
        os.pwrite(effects, _EFFECT, place)
        say(message, WORKED)

    connection = KafkaConnection(
        bootstrap_servers=bootstrap_servers,
        group_protocol=cast("GroupProtocol", protocol),
        session_timeout_ms=SESSION_TIMEOUT_MS,
    )
    limits = Limits(max_in_flight=IN_FLIGHT, drain_timeout_s=5)
    Runner(KafkaConsumer(connection, group=group), [topic], work, limits, lambda: None).run(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
