"""Which faults there are, and in which order a run plays them."""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import Final

from razgovor.chaos.fault import Fault
from razgovor.chaos.faults.broker import BrokerDown, BrokerWiped, DlqDown
from razgovor.chaos.faults.clock import WrongClocks
from razgovor.chaos.faults.crash_points import CrashPoints
from razgovor.chaos.faults.disk import DiskFull
from razgovor.chaos.faults.once import OneKey
from razgovor.chaos.faults.poison import PoisonAudio
from razgovor.chaos.faults.postgres import PostgresDown
from razgovor.chaos.faults.processes import Storm, Terminated, Zombie
from razgovor.chaos.faults.records import CorruptRecords, OnlyNonsense
from razgovor.chaos.faults.repetition import Replayed, Shuffled
from razgovor.chaos.faults.store import StoreFails, StoreLags
from razgovor.chaos.faults.upgrade import RollingUpgrade

FAULTS: Final[dict[int, type[Fault]]] = {
    kind.number: kind
    for kind in (
        CrashPoints,
        Zombie,
        Storm,
        BrokerDown,
        BrokerWiped,
        PostgresDown,
        StoreFails,
        StoreLags,
        DiskFull,
        WrongClocks,
        Shuffled,
        Replayed,
        CorruptRecords,
        PoisonAudio,
        Terminated,
        DlqDown,
        OnlyNonsense,
        RollingUpgrade,
        OneKey,
    )
}
#: Played first: they have every service do everything again that was done so far, which is little then.
EARLY: Final = (12, 11)
#: Played last in the long form, where the ledger alone reads all that lies in the topics by then.
LATE: Final = 12


def script(seed: int, numbers: Collection[int] | None = None, *, long: bool = False) -> list[Fault]:
    """The faults of a run, in an order drawn by its seed.

    Args:
        seed: Of the run.
        numbers: Only these; None: all.
        long: Play the replay at the end, when there is much to replay.

    Raises:
        ValueError: There is no such fault.
    """
    wanted = sorted(FAULTS if numbers is None else set(numbers))
    if unknown := [number for number in wanted if number not in FAULTS]:
        raise ValueError(f"no such faults: {unknown}; there are {sorted(FAULTS)}")
    others = [number for number in wanted if number not in EARLY]
    random.Random(seed).shuffle(others)  # noqa: S311  a script of faults, no secret
    order = [number for number in EARLY if number in wanted] + others
    if long and LATE in order:
        order.remove(LATE)
        order.append(LATE)
    return [FAULTS[number]() for number in order]
