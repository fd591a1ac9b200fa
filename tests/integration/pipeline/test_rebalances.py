"""The law of offsets over a real broker's rebalances: members come, drain, are killed, or stopped past their session."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import Transient
from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.kafka import KafkaLogReader, KafkaProducer
from pipeline.stream.ports import LogBounds, Record, TopicPartition
from pipeline.stream.topology import TopicState
from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer
from razgovor.peers.kafka_options import KafkaOptions

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(400)]

PARTITIONS, RECORDS, MEMBERS, EVENTS = 8, 6000, 4, 14
ROOT = Path(__file__).parents[3]
#: With KIP-848 the broker decides how long a silent member is one, and by default that is 45 s.
SESSIONS = {
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "3000",
    "group.consumer.min.heartbeat.interval.ms": "200",
    "group.consumer.heartbeat.interval.ms": "500",
}


@pytest.fixture(scope="module")
def bootstrap_servers() -> Iterator[str]:
    with temporary_folder() as folder, KafkaServer(folder, KafkaOptions(properties=SESSIONS)) as server:
        yield server.bootstrap_servers


class Group:
    """Members in processes of their own, and what they did."""

    def __init__(self, bootstrap_servers: str, protocol: str, file: Path) -> None:
        name = f"rebalances-{uuid.uuid4().hex[:8]}"
        self.topic, self.group, self.protocol, self.file = name, name, protocol, file
        self.bootstrap_servers = bootstrap_servers
        self.members: list[subprocess.Popen[bytes]] = []
        self.stopped: list[subprocess.Popen[bytes]] = []
        self.kills = 0
        file.touch()
        connection = KafkaConnection(bootstrap_servers=bootstrap_servers)
        KafkaAdmin(connection).create(name, TopicState(PARTITIONS, 1))
        producer = KafkaProducer(connection)
        producer.publish([Record(name, b"%d" % number, b"v") for number in range(RECORDS)])
        producer.close()
        self.look = KafkaLogReader(connection)

    def start(self) -> None:
        where = [self.bootstrap_servers, self.topic, self.group, self.protocol, str(self.file)]
        command = [sys.executable, "-m", "tests.integration.pipeline.rebalancing_member", *where]
        self.members.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))

    def bounds(self) -> dict[TopicPartition, LogBounds]:
        return self.look.bounds(self.group, [TopicPartition(self.topic, number) for number in range(PARTITIONS)])

    def lines(self) -> list[list[int]]:
        """Partition, offset and who did it, in the order in which it was done."""
        return [[int(word) for word in line.split()] for line in self.file.read_text().splitlines()]

    def done(self) -> list[tuple[int, int]]:
        return [(partition, offset) for partition, offset, _ in self.lines()]

    def each_has_done(self, count: int) -> bool:
        shares = Counter(who for _, _, who in self.lines())
        return all(shares[member.pid] >= count for member in self.members)

    def all_committed(self) -> bool:
        """Whether all is; asserts the law on the way: commits are read first, so that work done since can't excuse them."""
        try:
            bounds = self.bounds()
        except Transient:  # a broker under load says now and then that it does not coordinate the group
            return False
        done = set(self.done())
        for log, bound in bounds.items():
            before = {(log.partition, offset) for offset in range(bound.committed or 0)}
            assert before <= done
        return all(bound.committed == bound.high for bound in bounds.values())

    def has_gone_on(self, done_before: int) -> bool:
        """Whether there was work since, or there is no more."""
        return self.all_committed() or len(self.done()) > done_before + 100

    def something_happens(self, seed: random.Random) -> None:
        member = seed.choice([one for one in self.members if one not in self.stopped])
        how = seed.choice(["kill", "kill", "drain", "stop", "join"])
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
        while len(self.members) - len(self.stopped) < MEMBERS - 1:
            self.start()

    def close(self) -> None:
        for member in self.members:
            member.kill()
            member.wait(20)
        self.look.close()


@contextmanager
def group_of(bootstrap_servers: str, protocol: str, file: Path) -> Iterator[Group]:
    group = Group(bootstrap_servers, protocol, file)
    try:
        yield group
    finally:
        group.close()


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_no_commit_passes_unfinished_work_whatever_happens_to_members(
    bootstrap_servers: str, protocol: str, tmp_path: Path
) -> None:
    seed = random.Random(848)  # noqa: S311  the script of the test
    with group_of(bootstrap_servers, protocol, tmp_path / "done") as group:
        for _ in range(MEMBERS):
            group.start()
        for _ in range(EVENTS):
            eventually(partial(group.has_gone_on, len(group.done())), deadline_s=60)
            group.something_happens(seed)
        for member in group.stopped:
            member.send_signal(signal.SIGCONT)
        eventually(group.all_committed, deadline_s=120, every_s=0.1)
        assert len(set(group.done())) == RECORDS
        assert group.kills > 0


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_what_a_drained_member_has_done_is_not_done_again(
    bootstrap_servers: str, protocol: str, tmp_path: Path
) -> None:
    with group_of(bootstrap_servers, protocol, tmp_path / "done") as group:
        for _ in range(2):
            group.start()
        # Both at work: what the first had in work when the second joined has been done again by now, if it had to be.
        eventually(lambda: group.each_has_done(RECORDS // 16), deadline_s=60)
        leaving = group.members.pop(0)
        leaving.send_signal(signal.SIGTERM)
        assert leaving.wait(10) == 0
        until_its_end = group.lines()
        eventually(group.all_committed, deadline_s=60, every_s=0.1)
        its_work = {(partition, offset) for partition, offset, who in until_its_end if who == leaving.pid}
        assert its_work.isdisjoint(group.done()[len(until_its_end) :])
