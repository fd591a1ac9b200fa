from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stream.ports import Delivered, LogBounds, TopicPartition
from services.ingest import relay
from services.ingest.priorities import PRIORITIES
from services.ingest.relay import AnnouncedLog, Findings, Sent

LOG = TopicPartition("audio.uploaded", 0)


def sent(
    outbox_id: int = 1,
    *,
    offset: int = 5,
    passed_s: float | None = None,
    cluster_id: str = "here",
    announcements: int = 1,
) -> Sent:
    return Sent(
        outbox_id=outbox_id,
        cluster_id=cluster_id,
        topic=LOG.topic,
        partition=0,
        offset=offset,
        passed_s=passed_s,
        announcements=announcements,
    )


def look(row: Sent, low: int, high: int, committed: int | None) -> Findings:
    return relay.review([row], "here", {LOG: LogBounds(low, high, committed)}, 60.0)


def due(row: Sent, low: int, high: int, committed: int | None) -> bool:
    return look(row, low, high, committed) == Findings(again=[row.outbox_id], passed=[], unread=[])


def test_what_waits_in_the_log_is_left_alone() -> None:
    left_alone = Findings(again=[], passed=[], unread=[])
    assert look(sent(), 0, 10, None) == look(sent(), 0, 10, 5) == left_alone


def test_what_the_group_has_passed_is_announced_again_only_after_a_while() -> None:
    assert look(sent(), 0, 10, 6) == Findings(again=[], passed=[1], unread=[])
    assert not due(sent(passed_s=59.0), 0, 10, 6)
    assert due(sent(passed_s=60.0), 0, 10, 6)


def test_what_was_announced_for_nothing_waits_longer_for_the_next_time_but_not_for_ever() -> None:
    assert not due(sent(passed_s=119.0, announcements=2), 0, 10, 6)
    assert due(sent(passed_s=120.0, announcements=2), 0, 10, 6)
    assert due(sent(passed_s=960.0, announcements=1000), 0, 10, 6)


def test_a_group_that_was_reset_has_yet_to_read_what_it_had_passed() -> None:
    for committed in (None, 0, 5):
        assert look(sent(passed_s=1e9), 0, 10, committed) == Findings(again=[], passed=[], unread=[1])


def test_what_the_log_does_not_hold_is_announced_again_at_once() -> None:
    assert due(sent(), 6, 10, None)


def test_what_another_cluster_took_is_announced_again_at_once() -> None:
    assert relay.review([sent(cluster_id="gone")], "here", {}, 60.0).again == [1]
    assert relay.logs_to_look_at([sent(cluster_id="gone")], "here") == []
    assert relay.logs_to_look_at([sent(1), sent(2)], "here") == [LOG]


def test_a_log_that_nobody_could_tell_of_decides_nothing() -> None:
    assert relay.review([sent(passed_s=1e9)], "here", {}, 60.0) == Findings(again=[], passed=[], unread=[])


def test_what_is_due_keeps_the_order_of_acceptance() -> None:
    rows = [sent(3, offset=1), sent(1, offset=2), sent(2, offset=7)]
    assert relay.review(rows, "here", {LOG: LogBounds(5, 10, None)}, 60.0).again == [1, 3]


def test_what_is_less_urgent_leaves_a_tenth_of_the_bound_to_each_that_is_more() -> None:
    assert [relay.room(priority, 2000, 0) for priority in PRIORITIES] == [2000, 1800, 1600]
    assert [relay.room(priority, 2000, 1700) for priority in PRIORITIES] == [300, 100, 0]


def test_a_log_that_ends_before_an_announcement_of_ours_holds_none_of_those_before_it() -> None:
    rows = [sent(1, offset=2), sent(2, offset=7)]
    assert relay.review(rows, "here", {LOG: LogBounds(0, 5, None)}, 60.0) == Findings(
        made_anew=(LOG,), again=[], passed=[], unread=[]
    )
    assert look(sent(), 0, 0, None).made_anew == look(sent(), 0, 5, None).made_anew == (LOG,)


@given(st.sampled_from(PRIORITIES), st.integers(1, 3000), st.integers(0, 4000))
def test_there_is_never_room_for_more_than_the_bound(priority: str, max_announced: int, announced: int) -> None:
    free = relay.room(priority, max_announced, announced)
    assert free >= 0
    assert free == 0 or announced + free <= max_announced


@given(st.integers(1, 3000), st.integers(0, 4000))
def test_the_more_urgent_never_has_less_room_and_alone_everybody_has_some(max_announced: int, announced: int) -> None:
    rooms = [relay.room(priority, max_announced, announced) for priority in PRIORITIES]
    assert rooms == sorted(rooms, reverse=True)
    assert all(relay.room(priority, max_announced, 0) > 0 for priority in PRIORITIES)


def announced_log(last_offset: int, cluster_id: str = "here") -> AnnouncedLog:
    return AnnouncedLog(cluster_id=cluster_id, topic_partition=LOG, jobs=1, last_offset=last_offset)


def test_a_log_that_gives_an_offset_again_has_gone_back() -> None:
    again = [Delivered(LOG.topic, 0, 6), Delivered(LOG.topic, 0, 5)]
    assert relay.logs_gone_back(again, [announced_log(5)], "here") == [LOG]
    assert relay.logs_gone_back(again, [announced_log(4)], "here") == []
    assert relay.logs_gone_back(again, [announced_log(9, "another")], "here") == []
    assert relay.logs_gone_back([Delivered(LOG.topic, 1, 0)], [announced_log(5)], "here") == []


def test_a_record_whose_place_the_broker_did_not_say_proves_nothing() -> None:
    assert relay.logs_gone_back([Delivered(LOG.topic, 0, -1001)], [announced_log(5)], "here") == []
