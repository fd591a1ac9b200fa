from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stream.ports import LogBounds, TopicPartition
from services.ingest import relay
from services.ingest.relay import Sent

LOG = TopicPartition("audio.uploaded", 0)


def sent(outbox_id: int = 1, *, offset: int = 5, age_s: float = 0.0, cluster_id: str = "here") -> Sent:
    return Sent(outbox_id=outbox_id, cluster_id=cluster_id, topic=LOG.topic, partition=0, offset=offset, age_s=age_s)


def due(row: Sent, low: int, high: int, committed: int | None) -> bool:
    return relay.due_again([row], "here", {LOG: LogBounds(low, high, committed)}, 60.0) == [row.outbox_id]


def test_what_waits_in_the_log_is_left_alone_however_long_it_waits() -> None:
    assert not due(sent(age_s=1e9), 0, 10, None)
    assert not due(sent(age_s=1e9), 0, 10, 5)


def test_what_the_group_has_passed_is_announced_again_only_after_a_while() -> None:
    assert not due(sent(age_s=59.0), 0, 10, 6)
    assert due(sent(age_s=60.0), 0, 10, 6)


def test_what_the_log_does_not_hold_is_announced_again_at_once() -> None:
    assert due(sent(), 6, 10, None)
    assert due(sent(), 0, 5, None)
    assert due(sent(), 0, 0, None)


def test_what_another_cluster_took_is_announced_again_at_once() -> None:
    assert relay.due_again([sent(cluster_id="gone")], "here", {}, 60.0) == [1]
    assert relay.logs_to_look_at([sent(cluster_id="gone")], "here") == []
    assert relay.logs_to_look_at([sent(1), sent(2)], "here") == [LOG]


def test_a_log_that_nobody_could_tell_of_decides_nothing() -> None:
    assert relay.due_again([sent(age_s=1e9)], "here", {}, 60.0) == []


def test_what_is_due_keeps_the_order_of_acceptance() -> None:
    rows = [sent(3, offset=99), sent(1, offset=99), sent(2)]
    assert relay.due_again(rows, "here", {LOG: LogBounds(0, 10, None)}, 60.0) == [1, 3]


@given(st.integers(1, 3000), st.integers(0, 4000), st.integers(1, 500))
def test_there_is_never_room_for_more_than_the_bound(max_announced: int, announced: int, batch_max: int) -> None:
    free = relay.room(max_announced, announced, batch_max)
    assert 0 <= free <= batch_max
    assert free == 0 or announced + free <= max_announced
