"""Records that are to wait after they were published, such as those of a retry topic. Used by `runner`, on its thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from pipeline.stream.ports import TopicPartition
from pipeline.stream.work_queue import Item


class Delays:
    """Holds records back until their time; the rest of their partition waits behind them.

    No clock but our own is trusted: a record waits at most the delay, whatever its timestamp says.

    Args:
        delays_s: Topics, and how long after its timestamp a record of it is due.
        wall_s: The time of day, in seconds since 1970.
        monotonic_s: A clock that never goes back.
    """

    def __init__(
        self, delays_s: Mapping[str, float], wall_s: Callable[[], float], monotonic_s: Callable[[], float]
    ) -> None:
        self._delays_s = delays_s
        self._wall_s = wall_s
        self._monotonic_s = monotonic_s
        self._held: dict[TopicPartition, deque[tuple[float, Item]]] = {}

    def sift(self, items: list[Item]) -> list[Item]:
        """Those that may be done now; the others are held."""
        return [item for item in items if not self._hold(item)]

    def _hold(self, item: Item) -> bool:
        partition = item.message.topic_partition
        delay_s = self._delays_s.get(partition.topic)
        if delay_s is None:
            return False
        age_s = self._wall_s() - item.message.timestamp.timestamp()
        wait_s = min(max(delay_s - age_s, 0.0), delay_s)
        if wait_s == 0.0 and partition not in self._held:
            return False
        self._held.setdefault(partition, deque()).append((self._monotonic_s() + wait_s, item))
        return True

    def due(self) -> list[Item]:
        """Those whose time has come; they are held no more."""
        now_s = self._monotonic_s()
        found: list[Item] = []
        for partition, held in list(self._held.items()):
            while held and held[0][0] <= now_s:
                found.append(held.popleft()[1])
            if not held:
                del self._held[partition]
        return found

    def drop_disowned(self) -> None:
        """Forget what is no longer ours."""
        for partition, held in list(self._held.items()):
            if not held[0][1].ours:
                del self._held[partition]

    @property
    def partitions(self) -> frozenset[TopicPartition]:
        """Those that are to deliver nothing now."""
        return frozenset(self._held)
