"""What waits, what is being worked on, what is done: between the runner's polling thread and its workers.

Two records with one key are never worked on at once, whatever partition or assignment they came by. A record whose
assignment is over is dropped while it waits; once begun it ends, but is not reported as finished.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.errors import RazgovorError
from pipeline.stream.offsets import OffsetTracker
from pipeline.stream.ports import Message


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A record, and the assignment that it came by."""

    message: Message
    tracker: OffsetTracker

    @property
    def ours(self) -> bool:
        """Whether we still own its partition by the assignment it came by."""
        return not self.tracker.over


@dataclass(order=True, slots=True)
class _Later:
    due_s: float
    number: int
    items: list[Item] = field(compare=False)


class WorkQueue:
    """Items in the order they are to be done.

    Args:
        batch_max: Items taken at once.
    """

    def __init__(self, batch_max: int) -> None:
        self._batch_max = batch_max
        self._lock = threading.Lock()
        # One lock, three audiences: nobody is woken for what concerns others.
        self._for_workers = threading.Condition(self._lock)
        self._for_poller = threading.Condition(self._lock)
        self._for_pauses = threading.Condition(self._lock)
        self._ready: deque[Item] = deque()
        self._later: list[_Later] = []
        self._numbers = itertools.count()
        self._busy_keys: set[bytes] = set()
        self._in_work: dict[int, list[Item]] = {}
        self._finished: list[Item] = []
        self._failure: RazgovorError | None = None
        self._stopped = False

    # --- the polling thread's side

    def add(self, items: Iterable[Item]) -> None:
        """Put items at the end."""
        with self._lock:
            before = len(self._ready)
            self._ready.extend(items)
            self._for_workers.notify(len(self._ready) - before)

    def finished(self) -> list[Item]:
        """What was finished since the last call."""
        with self._lock:
            finished, self._finished = self._finished, []
            return finished

    def check(self) -> None:
        """Raise the first failure that nobody can go on with, if there was one."""
        if self._failure is not None:
            raise self._failure

    def drop_disowned(self) -> list[Item]:
        """Forget what waits and is no longer ours; what of it is being worked on is returned."""
        with self._lock:
            self._ready = deque(item for item in self._ready if item.ours)
            for later in self._later:
                later.items = [item for item in later.items if item.ours]
            self._for_pauses.notify_all()
            return [item for item in self._all_in_work() if not item.ours]

    def waiting(self) -> int:
        """How many items wait to be begun."""
        return len(self._ready)

    def held(self) -> int:
        """How many items are here: waiting, postponed or in work."""
        with self._lock:
            postponed = sum(len(later.items) for later in self._later)
            return len(self._ready) + postponed + len(self._all_in_work())

    def in_work(self) -> list[Item]:
        """What is being worked on."""
        with self._lock:
            return self._all_in_work()

    def await_waiting_below(self, count: int, timeout_s: float) -> bool:
        """Return when fewer items wait than that, or after the timeout; whether fewer do."""
        with self._lock:
            return self._for_poller.wait_for(lambda: len(self._ready) < count, timeout_s)

    def await_idle(self, timeout_s: float) -> bool:
        """Return when nothing is being worked on, or after the timeout; whether nothing is."""
        with self._lock:
            return self._for_poller.wait_for(lambda: not self._in_work, timeout_s)

    def stop(self) -> None:
        """Begin nothing any more; what waits is forgotten, and whoever pauses gives up."""
        with self._lock:
            self._stopped = True
            self._ready.clear()
            self._later.clear()
            self._for_workers.notify_all()
            self._for_pauses.notify_all()

    # --- the workers' side

    def take(self) -> list[Item] | None:
        """The next items to work on, none of them busy under the same key; None when there will be no more."""
        with self._lock:
            while not self._stopped:
                self._wake_due()
                if items := self._pick():
                    self._busy_keys.update(_keys(items))
                    self._in_work[id(items)] = items
                    self._for_poller.notify()
                    return items
                self._for_workers.wait(max(0.0, self._later[0].due_s - time.monotonic()) if self._later else None)
            return None

    def finish(self, items: list[Item]) -> None:
        """These are done."""
        with self._lock:
            self._finished.extend(item for item in items if item.ours)
            self._let_go(items)

    def drop(self, items: list[Item]) -> None:
        """These are not done, and not by us."""
        with self._lock:
            self._let_go(items)

    def postpone(self, items: list[Item], after_s: float) -> bool:
        """Take these again after that time, and after all that waits then.

        Returns:
            False when they are not ours any more, or nothing begins any more: they are still in work then.
        """
        with self._lock:
            ours = [item for item in items if item.ours]
            if self._stopped or not ours:
                return False
            heapq.heappush(self._later, _Later(time.monotonic() + after_s, next(self._numbers), ours))
            self._for_workers.notify()  # whoever waits may wait for a later one
            self._let_go(items)
            return True

    def fail(self, items: list[Item], error: RazgovorError) -> None:
        """These ended in what nobody can go on with."""
        with self._lock:
            self._failure = self._failure or error
            self._let_go(items)

    def pause(self, items: Sequence[Item], pause_s: float) -> bool:
        """Wait with items in hand.

        Returns:
            False, and at once, when none of them is ours any more, or nothing begins any more.
        """

        def pointless() -> bool:
            return self._stopped or not any(item.ours for item in items)

        with self._lock:
            return not self._for_pauses.wait_for(pointless, pause_s)

    # --- under the lock

    def _pick(self) -> list[Item]:
        picked: list[Item] = []
        passed: list[Item] = []
        while self._ready and len(picked) < self._batch_max:
            item = self._ready.popleft()
            (passed if item.message.key in self._busy_keys else picked).append(item)
        self._ready.extendleft(reversed(passed))
        return picked

    def _wake_due(self) -> None:
        while self._later and self._later[0].due_s <= time.monotonic():
            self._ready.extend(heapq.heappop(self._later).items)

    def _let_go(self, items: list[Item]) -> None:
        del self._in_work[id(items)]
        self._busy_keys.difference_update(_keys(items))
        if self._ready:
            self._for_workers.notify()  # it may have waited for one of these keys
        self._for_poller.notify()

    def _all_in_work(self) -> list[Item]:
        return [item for items in self._in_work.values() for item in items]


def _keys(items: Iterable[Item]) -> Iterable[bytes]:
    return (item.message.key for item in items if item.message.key is not None)
