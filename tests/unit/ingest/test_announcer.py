"""The relay at work over the shipped fakes of outbox and broker."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from pipeline.contracts.events import AudioUploaded
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.testing.waiting import eventually
from services.ingest.announcer import Step
from tests.unit.ingest.relay_world import World, numbered


def test_what_was_submitted_is_announced_once_and_in_order() -> None:
    world = World()
    world.submit("a", "b", "c")
    world.later(0)
    world.later(1)
    assert world.announced() == ["a", "b", "c"]
    message = world.broker.messages("audio.uploaded")[0]
    assert isinstance(wire.decode(message), AudioUploaded)
    assert message.key == b"a"


def test_no_more_than_the_bound_is_ahead_and_the_rest_follows_as_jobs_end() -> None:
    world = World(max_announced=3)
    world.submit("a", "b", "c", "d")
    world.later(0)
    assert world.announced() == ["a", "b"]  # the third place is kept for what is urgent
    world.end("b", state="failed")
    world.later(0)
    assert world.announced() == ["a", "b", "c"]
    world.end("a", "c")
    world.later(0)
    assert world.announced() == ["a", "b", "c", "d"]


def test_what_is_in_progress_holds_its_place() -> None:
    world = World(max_announced=1)
    world.submit("a", "b")
    world.later(0)
    world.end("a", state="transcribed")
    world.later(0)
    assert world.announced() == ["a"]


def test_a_batch_is_bounded_and_says_that_there_is_more() -> None:
    world = World(batch_max=2)
    world.submit("a", "b", "c")
    assert [world.later(0) for _ in range(3)] == [Step.FULL, Step.ANNOUNCED, Step.NOTHING]
    assert world.announced() == ["a", "b", "c"]


def test_with_the_broker_down_nothing_is_marked_and_everything_follows_later() -> None:
    world = World()
    world.submit("a")
    world.broker.down = True
    with pytest.raises(Transient):
        world.relay.step()
    world.submit("b")
    world.broker.down = False
    world.relay.step()
    assert world.announced() == ["a", "b"]


def test_a_wiped_broker_gets_what_is_not_terminal_again_with_the_same_event_ids() -> None:
    world = World()
    world.submit("a", "b", "c")
    world.later(0)
    before = {message.key: wire.decode(message).event_id for message in world.broker.messages("audio.uploaded")}
    world.end("a")
    world.broker.wipe()
    world.later(6)
    assert world.announced() == ["b", "c"]
    after = {message.key: wire.decode(message).event_id for message in world.broker.messages("audio.uploaded")}
    assert after == {key: before[key] for key in (b"b", b"c")}
    world.later(6)
    assert world.announced() == ["b", "c"]


def test_what_merely_waits_in_the_log_is_not_announced_again() -> None:
    world = World()
    world.submit("a")
    world.later(0)
    world.later(100_000)
    assert world.announced() == ["a"]


def test_what_the_group_passed_without_an_end_is_announced_again_after_a_while() -> None:
    world = World()
    world.submit("a")
    world.later(0)
    world.later(100_000)  # however long it waited before
    world.commit(1)
    world.later(5)
    world.later(59)
    assert world.announced() == ["a"]
    world.later(5)
    assert world.announced() == ["a", "a"]
    world.later(100_000)
    assert world.announced() == ["a", "a"]


def test_what_is_passed_over_again_and_again_is_announced_ever_more_seldom() -> None:
    world = World()
    world.submit("a")
    counts = []
    for _ in range(40):
        world.later(60)
        world.commit(len(world.announced()))
        counts.append(len(world.announced()))
    assert [counts.index(number) for number in range(1, 5)] == [0, 2, 5, 10]


def test_a_group_without_a_commit_or_reset_to_the_start_reads_it_anyway() -> None:
    world = World()
    world.submit("a", "b")
    world.later(0)
    world.commit(2)
    world.later(5)
    world.commit(0)
    world.later(100_000)
    world.broker.group("transcriber").committed.clear()
    world.later(100_000)
    assert world.announced() == ["a", "b"]


def test_what_retention_took_unread_is_announced_again() -> None:
    world = World()
    world.submit("a", "b")
    world.later(0)
    world.low = 1
    world.later(5)
    assert world.announced() == ["a", "b", "a"]
    world.later(100_000)
    assert world.announced() == ["a", "b", "a"]


def test_a_topic_that_was_made_anew_gets_everything_again_once() -> None:
    world = World()
    world.submit("a", "b", "c")
    world.later(0)
    world.recreate_topic()
    world.later(5)
    world.later(100_000)
    assert world.announced() == ["a", "b", "c"]


def test_a_relay_that_dies_while_it_fills_a_topic_made_anew_leaves_nothing_behind() -> None:
    world = World(batch_max=1, review_every_s=0.0)
    world.submit("a", "b")
    world.settle()
    world.recreate_topic()
    for _ in range(3):  # each announces `a` and dies before it can say so; the topic grows past its old end
        world.producer.dies_after = True
        world.relay = world.another_relay()
        with suppress(Transient):
            world.later(1)
    world.producer.dies_after = False
    world.settle()
    assert "b" in world.announced()


def test_a_topic_that_was_made_anew_and_outgrew_its_old_end_is_noticed_by_its_offsets() -> None:
    world = World(batch_max=2)
    world.submit("a", "b")
    world.later(0)
    world.recreate_topic()
    world.submit("c", "d", "e")
    world.settle()  # before any review; the log's end is past that of a and b, and theirs are no records of ours
    assert world.announced()[:3] == ["c", "d", "a"]
    assert sorted(world.announced()) == ["a", "b", "c", "d", "e"]
    world.later(100_000)
    assert len(world.announced()) == 5


def test_what_was_delivered_is_not_announced_again_because_something_beside_it_was_not() -> None:
    world = World()
    world.submit("a", "b", "c")
    world.producer.acknowledges = 2
    with pytest.raises(Transient):
        world.relay.step()
    world.relay.step()
    assert world.announced() == ["a", "b", "c"]


def test_announcing_again_stops_where_the_broker_stopped_and_goes_on_there() -> None:
    world = World()
    world.submit("a", "b", "c")
    world.later(0)
    world.broker.wipe()
    world.producer.acknowledges = 1
    with pytest.raises(Transient):
        world.later(5)
    world.later(5)
    assert world.announced() == ["a", "b", "c"]


def test_urgent_ones_go_first_then_client_by_client_in_turn() -> None:
    world = World()
    world.submit(*numbered("big-", 4), client_id="big", priority="bulk")
    world.submit("small-0", "small-1", client_id="small", priority="bulk")
    world.submit("mine-0", "mine-1", priority="normal")
    world.submit("now", client_id="big", priority="interactive")
    world.later(0)
    assert world.announced() == [
        *("now", "mine-0", "mine-1"),
        *("big-0", "small-0", "big-1", "small-1", "big-2", "big-3"),
    ]


def test_turns_go_on_over_steps_and_replicas_however_little_room_there_is() -> None:
    world = World(max_announced=1)
    for client_id in ("a", "b", "c"):
        world.submit(*numbered(client_id, 5), client_id=client_id, priority="bulk")
    for _ in range(15):
        world.another_relay().step()
        world.end(*world.announced())
    served = [job_id[0] for job_id in world.announced()]
    assert served == ["a", "b", "c"] * 5


def test_a_client_that_comes_late_gets_its_turn_at_once_and_no_more() -> None:
    world = World(max_announced=1)
    world.submit(*numbered("a", 9), client_id="a")
    for number in range(8):
        if number == 3:
            world.submit(*numbered("b", 9), client_id="b")
        world.later(0)
        world.end(*world.announced())
    assert "".join(job_id[0] for job_id in world.announced()) == "aaabab" + "ab"


def test_an_interactive_call_never_waits_behind_thousands_of_bulk_ones() -> None:
    world = World(max_announced=100)
    world.submit(*numbered("bulk-", 3_000), client_id="big", priority="bulk")
    world.settle()
    assert len(world.announced()) == 80
    world.submit("now", client_id="big", priority="interactive")
    world.later(0)
    assert world.announced()[80:] == ["now"]


def test_a_later_run_closes_the_earlier_announcement() -> None:
    world = World(max_announced=1)
    world.submit("a", "b")
    world.later(0)
    world.end("a", state="queued", run=2)
    world.later(0)
    assert world.announced() == ["a", "b"]


def test_while_another_replica_has_its_turn_nothing_is_announced() -> None:
    world = World()
    world.submit("a")
    with world.outbox.turn() as turn:
        assert turn is not None
        assert world.relay.step() is Step.BUSY
    assert world.announced() == []


def test_the_thread_waits_out_a_broken_broker_and_stops_when_told_to() -> None:
    world = World()
    stop = threading.Event()
    thread = threading.Thread(target=world.relay.run, args=(stop,))
    world.broker.down = True
    world.submit("a")
    thread.start()
    eventually(lambda: not world.relay.healthy)
    world.broker.down = False
    eventually(lambda: world.announced() == ["a"])
    eventually(lambda: world.relay.healthy)
    world.submit("b")
    world.relay.wake()
    eventually(lambda: world.announced() == ["a", "b"])
    stop.set()
    world.relay.wake()
    thread.join(10)
    assert not thread.is_alive()
