"""Named steps between two effects, where a test can kill the process as a power cut would.

Rooms call `reach` where something has just happened and the next thing has not. Nothing happens there unless the step is
armed, and only the test entry `razgovor.chaos.service` arms: no setting of a service does.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Final

STEPS: Final = (
    # Every consumer: pipeline.stream.
    "stream.handed_out",  # records taken from the broker, no work begun
    "stream.decoded",
    "stream.announced",  # what is said ahead of the work is delivered
    "stream.decided",  # the handler has its outcome, nothing is applied
    "stream.retry_published",  # the retry topic has the record, the original's offset stands
    "stream.put_aside",  # the DLQ has the record, nothing else is said
    "stream.effect_put",  # one object of the outcome lies in the store
    "stream.published",  # the outcome's events are delivered
    "stream.finished",  # all is done but the offset
    "stream.committed",  # the offset is with the broker
    # ingest
    "ingest.audio_put",
    "ingest.call_info_put",
    "ingest.before_commit",  # everything of the transaction is said but COMMIT
    "ingest.committed",  # accepted; the client has no answer yet
    "ingest.relay_published",  # announced, not marked
    "ingest.relay_marked",  # marked, the mark not committed
    # transcriber
    "transcriber.start_marked",
    "transcriber.prepared",  # decoded and packed, not heard
    "transcriber.heard",
    "transcriber.start_released",  # handed over; still a member of the group
    # ledger
    "ledger.before_commit",
    "ledger.committed",
)
"""Every step there is; a test holds this list against the calls of `reach`."""


class _Armed:
    def __init__(self, step: str, reaches: int, die: Callable[[], None]) -> None:
        self._step = step
        self._left = reaches
        self._die = die
        self._lock = threading.Lock()

    def reach(self, step: str) -> None:
        if step != self._step:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._die()


_armed: _Armed | None = None


def reach(step: str) -> None:
    """Say that the work has come to this step of STEPS. From any thread; costs nothing while nothing is armed."""
    armed = _armed
    if armed is not None:
        armed.reach(step)


def _kill_ourselves() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(spec: str, die: Callable[[], None] = _kill_ourselves) -> None:
    """Have the process die at a step.

    Args:
        spec: `<step>:<n>`: the n-th time, counted from 1, that this process reaches the step.
        die: What dying is; by default nothing of the process is left, and nothing is flushed.

    Raises:
        ValueError: No such step, or no such number.
    """
    global _armed  # noqa: PLW0603  one process, one life
    step, _, reaches = spec.rpartition(":")
    if step not in STEPS:
        raise ValueError(f"no such step: {step}")
    if not reaches.isdecimal() or int(reaches) < 1:
        raise ValueError("after the colon: which time it is reached, from 1")
    _armed = _Armed(step, int(reaches), die)


def disarm() -> None:
    """Reach every step unharmed again."""
    global _armed  # noqa: PLW0603
    _armed = None
