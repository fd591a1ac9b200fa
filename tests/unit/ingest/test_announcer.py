"""The relay at work over the shipped fakes of outbox and broker."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import AudioUploaded
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import TopicPartition
from pipeline.testing.waiting import eventually
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.announcer import GROUP, Announcer, Pace
from services.ingest.jobs import Outcome
from services.ingest.submissions import StoredAudio, Submission

START = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """An outbox, a broker, one clock for both sides, and the relay between them."""

    def __init__(self, **pace: float) -> None:
        self.now_s = 0.0
        self.outbox = MemorySubmissions(lambda: START + timedelta(seconds=self.now_s))
        self.broker = MemoryBroker(partitions=1)
        settings = Pace(**{"review_every_s": 5.0, "reannounce_after_s": 60.0, "poll_s": 0.01, **pace})  # type: ignore[arg-type]  # numbers of both kinds
        self.relay = Announcer(
            self.outbox, self.broker.producer(), self.broker.log_reader(), settings, lambda: self.now_s
        )

    def submit(self, *job_ids: str) -> None:
        for job_id in job_ids:
            self.outbox.submit(submission(job_id), None)

    def end(self, *job_ids: str, state: str = "completed", run: int = 1) -> None:
        for job_id in job_ids:
            self.outbox.outcomes[job_id] = Outcome(run=run, state=state)

    def commit(self, offset: int) -> None:
        self.broker.group(GROUP).committed[TopicPartition("audio.uploaded", 0)] = offset

    def later(self, seconds: float) -> None:
        self.now_s += seconds
        self.relay.step()

    def announced(self) -> list[str]:
        return [wire.decode(message).job_id for message in self.broker.messages("audio.uploaded")]


def submission(job_id: str) -> Submission:
    return Submission(
        job_id=job_id,
        run=1,
        client_id="acme",
        call_id=job_id,
        priority="normal",
        audio=StoredAudio(key=f"jobs/{job_id}/audio", sha256="ab", size_bytes=1, media_type="audio/wav"),
        call_info=CallInfo(),
        call_info_key=f"jobs/{job_id}/call.json",
        channel_roles=(),
        language="ru",
        locale="ru",
        formats=("txt",),
    )


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
    world = World(max_announced=2)
    world.submit("a", "b", "c", "d")
    world.later(0)
    assert world.announced() == ["a", "b"]
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
    assert world.relay.step()
    assert not world.relay.step()
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
    world.commit(1)
    world.later(59)
    assert world.announced() == ["a"]
    world.later(10)
    assert world.announced() == ["a", "a"]
    world.later(10)
    assert world.announced() == ["a", "a"]


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
        assert not world.relay.step()
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
