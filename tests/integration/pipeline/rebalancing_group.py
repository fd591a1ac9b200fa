"""A consumer group of processes, and what they did, as far as it is written down: for tests that disturb it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import Transient
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import GroupProtocol, KafkaConnection
from pipeline.stream.kafka import KafkaLogReader, KafkaProducer
from pipeline.stream.ports import LogBounds, Record, TopicPartition
from pipeline.stream.topology import TopicState
from tests.integration.pipeline.rebalancing_member import BEGUN

PARTITIONS = 8
ROOT = Path(__file__).parents[3]
#: Published at once.
_BATCH = 5_000


class Line(NamedTuple):
    """What a member did with a record; the kinds are `rebalancing_member`'s."""

    partition: int
    offset: int
    pid: int
    kind: int


class Journal:
    """What members wrote down, read as it grows: of 100,000 lines nobody wants to read all anew fifty times a second."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open("rb")
        self._rest = b""
        self._lines: list[Line] = []
        self._begun: Counter[tuple[int, int]] = Counter()
        self._seen: set[tuple[int, int]] = set()
        self._unfinished = [0] * PARTITIONS

    def lines(self) -> Sequence[Line]:
        """What members were done with, in that order, as often as they were."""
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        for words in whole:
            line = Line(*map(int, words.split()))
            record = line.partition, line.offset
            if line.kind == BEGUN:
                self._begun[record] += 1
                continue
            self._lines.append(line)
            self._seen.add(record)
        return self._lines

    def begun_again(self) -> int:
        """How often work began on a record on which it had begun before, ended or not."""
        self.lines()
        return self._begun.total() - len(self._begun)

    def count(self) -> int:
        """Different records among them."""
        self.lines()
        return len(self._seen)

    def first_unfinished(self, partition: int) -> int:
        """The smallest offset of a partition that nobody was done with."""
        self.lines()
        while (partition, self._unfinished[partition]) in self._seen:
            self._unfinished[partition] += 1
        return self._unfinished[partition]

    def close(self) -> None:
        self._file.close()


class Group:
    """Members in processes of their own, and what they did.

    Args:
        records: Lie in the topic before the first member starts.
        least: Where fewer members are at work after something has happened, others are started.
    """

    def __init__(
        self, bootstrap_servers: str, protocol: GroupProtocol, folder: Path, *, records: int, least: int
    ) -> None:
        name = f"rebalances-{uuid.uuid4().hex[:8]}"
        self.topic, self.group, self.protocol, self.folder = name, name, protocol, folder
        self.bootstrap_servers = bootstrap_servers
        self.records, self.least = records, least
        self.members: list[subprocess.Popen[bytes]] = []
        self.stopped: list[subprocess.Popen[bytes]] = []
        self.kills = 0
        self.journal = Journal(folder / "done")
        connection = KafkaConnection(bootstrap_servers=bootstrap_servers)
        KafkaAdmin(connection).create(name, TopicState(PARTITIONS, 1))
        producer = KafkaProducer(connection)
        for first in range(0, records, _BATCH):
            numbers = range(first, min(first + _BATCH, records))
            producer.publish([Record(name, b"%d" % number, b"v") for number in numbers])
        producer.close()
        self.look = KafkaLogReader(connection)

    def start(self) -> None:
        where = [self.bootstrap_servers, self.topic, self.group, self.protocol, str(self.folder)]
        command = [sys.executable, "-m", "tests.integration.pipeline.rebalancing_member", *where]
        self.members.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))

    def bounds(self) -> dict[TopicPartition, LogBounds]:
        return self.look.bounds(self.group, [TopicPartition(self.topic, number) for number in range(PARTITIONS)])

    def done(self) -> list[tuple[int, int]]:
        return [(one.partition, one.offset) for one in self.journal.lines()]

    def each_has_done(self, count: int) -> bool:
        shares = Counter(one.pid for one in self.journal.lines())
        return all(shares[member.pid] >= count for member in self.members)

    def all_committed(self) -> bool:
        """Whether all is; asserts the law on the way. Commits are read first: what they cover is written down by then."""
        try:
            bounds = self.bounds()
        except Transient:  # a broker under load says now and then that it does not coordinate the group
            return False
        for log, bound in bounds.items():
            assert (bound.committed or 0) <= self.journal.first_unfinished(log.partition)
        return all(bound.committed == bound.high for bound in bounds.values())

    def has_gone_on(self, done_before: int) -> bool:
        """Whether there was work since, or there is no more."""
        return self.all_committed() or len(self.journal.lines()) > done_before + 100

    def something_happens(self, seed: random.Random, hows: Sequence[str]) -> None:
        member = seed.choice([one for one in self.members if one not in self.stopped])
        how = seed.choice(hows)
        if how == "stop":
            member.send_signal(signal.SIGSTOP)
            self.stopped.append(member)
        elif how != "join":
            member.send_signal(signal.SIGKILL if how == "kill" else signal.SIGTERM)
            self.members.remove(member)
            self.kills += how == "kill"
            member.wait(20)
        if self.stopped and (len(self.stopped) > 1 or seed.random() < 0.3):
            self.stopped.pop(0).send_signal(signal.SIGCONT)
        while len(self.members) - len(self.stopped) < self.least:
            self.start()

    def close(self) -> None:
        for member in self.members:
            member.kill()
            member.wait(20)
        self.journal.close()
        self.look.close()


@contextmanager
def group_of(
    bootstrap_servers: str, protocol: GroupProtocol, folder: Path, *, records: int, least: int
) -> Iterator[Group]:
    group = Group(bootstrap_servers, protocol, folder, records=records, least=least)
    try:
        yield group
    finally:
        group.close()
