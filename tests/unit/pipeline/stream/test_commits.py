"""When the runner says how far it has come. What may be said is the tracker's law."""

from __future__ import annotations

from pipeline.stream.commits import Commits
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.offsets import OffsetTracker
from pipeline.stream.ports import TopicPartition

GROUP = "exporter"
LOG = TopicPartition("transcript.ready", 0)
OTHER = TopicPartition("transcript.ready", 1)


class Polling:
    """A loop that works on two logs, at whatever time it is set to."""

    def __init__(self) -> None:
        self.broker = MemoryBroker()
        self.now_s = 100.0
        self.trackers = {LOG: OffsetTracker(), OTHER: OffsetTracker()}
        self._commits = Commits(self.broker.consumer(GROUP), lambda: self.now_s)

    def work(self, log: TopicPartition, offset: int) -> None:
        self.trackers[log].start(offset)
        self.trackers[log].finish(offset)

    def turn(self, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self._commits.now_and_then(self.trackers)

    @property
    def committed(self) -> dict[TopicPartition, int]:
        return dict(self.broker.group(GROUP).committed)


def test_the_first_is_said_at_once_and_the_next_with_the_half_second() -> None:
    loop = Polling()
    loop.work(LOG, 0)
    loop.turn()
    loop.work(LOG, 1)
    loop.turn(after_s=0.4)
    assert loop.committed == {LOG: 1}
    loop.turn(after_s=0.2)
    assert loop.committed == {LOG: 2}


def test_what_was_refused_is_said_again_a_second_later_with_what_is_new_elsewhere() -> None:
    loop = Polling()
    loop.broker.down = True  # takes nothing and tells nobody, as a group does that is being shared out anew
    loop.work(LOG, 0)
    loop.turn()
    loop.broker.down = False
    loop.work(OTHER, 0)
    loop.turn(after_s=0.9)
    assert loop.committed == {}
    loop.turn(after_s=0.2)
    assert loop.committed == {LOG: 1, OTHER: 1}
