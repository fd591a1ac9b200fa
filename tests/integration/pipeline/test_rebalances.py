"""The law of offsets over a real broker's rebalances: members come, drain, are killed, or stopped past their session."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pipeline.stream.connection import GroupProtocol
from pipeline.testing.waiting import eventually
from razgovor.embedded.testing import temporary_folder
from razgovor.peers import KafkaServer
from razgovor.peers.kafka_options import KafkaOptions
from tests.integration.pipeline.quick_sessions import QUICK_SESSIONS
from tests.integration.pipeline.rebalancing_group import Group, group_of
from tests.integration.pipeline.rebalancing_member import IN_FLIGHT

RECORDS = 6_000
#: What may be worked on again besides what killed members had in hand: the matrix of faults says so.
AGAIN_SHARE = 0.005


@dataclass(frozen=True)
class Storm:
    """How a group is disturbed.

    Attributes:
        events: How often something happens; None: until all is done.
        hows: What is drawn from.
        pause_s: Shortest and longest time between two events.
    """

    records: int = RECORDS
    members: int = 4
    least: int = 3
    events: int | None = 14
    hows: tuple[str, ...] = ("kill", "kill", "drain", "stop", "join")
    pause_s: tuple[float, float] = (0.0, 0.0)


def storm() -> Storm:
    """RAZGOVOR_STORM_RECORDS asks for row 3 of the faults: so many records, kills alone, one every 1 to 5 s until all is done."""
    if (records := os.environ.get("RAZGOVOR_STORM_RECORDS")) is None:
        return Storm()
    members = int(os.environ.get("RAZGOVOR_STORM_MEMBERS", "8"))
    return Storm(int(records), members, members, events=None, hows=("kill",), pause_s=(1.0, 5.0))


STORM = storm()
pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(400 if STORM.events else 3600)]


@pytest.fixture(scope="module")
def bootstrap_servers() -> Iterator[str]:
    with temporary_folder() as folder, KafkaServer(folder, KafkaOptions(properties=QUICK_SESSIONS)) as server:
        yield server.bootstrap_servers


def await_next(group: Group, pause_s: float) -> None:
    """Work goes on, and for so long; or there is no more."""
    done, due_s = len(group.journal.lines()), time.monotonic() + pause_s
    eventually(partial(group.has_gone_on, done), deadline_s=60)
    eventually(lambda: time.monotonic() >= due_s or group.all_committed(), every_s=0.2)


def rage(group: Group, seed: random.Random) -> int:
    """Let things happen; how many did."""
    happened = 0
    while STORM.events is None or happened < STORM.events:
        await_next(group, seed.uniform(*STORM.pause_s))
        if STORM.events is None and group.all_committed():
            break
        group.something_happens(seed, STORM.hows)
        happened += 1
    return happened


def tell(protocol: GroupProtocol, group: Group, took_s: float) -> None:
    """What a run at another size is made for."""
    taken, again = len(group.journal.lines()), group.journal.begun_again()
    bound = group.kills * IN_FLIGHT + AGAIN_SHARE * STORM.records
    sys.stdout.write(
        f"\n{protocol}: {STORM.records} records, {STORM.members} members, {group.kills} kills in {took_s:.0f} s; work begun"
        f" again on {again} (bound {bound:.0f}), found done {taken - STORM.records}\n"
    )
    assert again <= bound


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_no_commit_passes_unfinished_work_whatever_happens_to_members(
    bootstrap_servers: str, protocol: GroupProtocol, tmp_path: Path
) -> None:
    seed = random.Random(848)  # noqa: S311  the script of the test
    with group_of(bootstrap_servers, protocol, tmp_path, records=STORM.records, least=STORM.least) as group:
        for _ in range(STORM.members):
            group.start()
        begun_s = time.monotonic()
        rage(group, seed)
        for member in group.stopped:
            member.send_signal(signal.SIGCONT)
        eventually(group.all_committed, deadline_s=120, every_s=0.1)
        assert group.journal.count() == STORM.records
        assert group.kills > 0
        if STORM.events is None:
            tell(protocol, group, time.monotonic() - begun_s)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_what_a_drained_member_has_done_is_not_done_again(
    bootstrap_servers: str, protocol: GroupProtocol, tmp_path: Path
) -> None:
    with group_of(bootstrap_servers, protocol, tmp_path, records=RECORDS, least=0) as group:
        for _ in range(2):
            group.start()
        # Both at work: what the first had in work when the second joined has been done again by now, if it had to be.
        eventually(lambda: group.each_has_done(RECORDS // 16), deadline_s=60)
        leaving = group.members.pop(0)
        leaving.send_signal(signal.SIGTERM)
        assert leaving.wait(10) == 0
        until_its_end = list(group.journal.lines())
        eventually(group.all_committed, deadline_s=60, every_s=0.1)
        its_work = {(one.partition, one.offset) for one in until_its_end if one.pid == leaving.pid}
        assert its_work.isdisjoint(group.done()[len(until_its_end) :])
