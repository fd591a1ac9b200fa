from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.contracts.events import Event
from pipeline.errors import Fatal, Permanent, Transient, Unavailable
from pipeline.outcome import Outcome
from pipeline.stream import wire
from pipeline.stream.ports import Message
from pipeline.testing import samples
from services.ledger.batch import BatchProcessor, Processed
from services.ledger.effects import Effect, KeepDlqRecord, RecordEvent, WaiveReprocess

BROKEN = Message("job.status", 0, 9, b"job-1", b"\xffbroken", (), samples.ACCEPTED_AT)
BAD_DEAD_LETTER = Message("job.status.dlq", 0, 1, None, b"\xffbroken", (), samples.ACCEPTED_AT)


def record_of(event: Event, offset: int = 0) -> Message:
    record = wire.encode(event)
    return Message(record.topic, 0, offset, record.key, record.value, record.headers, samples.ACCEPTED_AT)


class Peers:
    """A ledger and a DLQ that write down what they were asked, in order."""

    def __init__(self, *, ledger_is_away: bool = False) -> None:
        self.asked: list[str] = []
        self.applied: list[Effect] = []
        self.aside: list[tuple[Message, str]] = []
        self.passed_on = 0
        self.fuse_has_blown = False
        self.room: int | None = None
        self.bug: Exception | None = None
        self._ledger_is_away = ledger_is_away

    def apply(self, outcomes: Sequence[Outcome[Effect]]) -> int:
        self.asked.append("apply")
        if self._ledger_is_away:
            raise Transient("away")
        if self.bug is not None:
            raise self.bug
        self.applied.extend(effect for outcome in outcomes for effect in outcome.effects)
        return len(outcomes)

    def check(self) -> None:
        if self.fuse_has_blown:
            raise Unavailable("the fuse has blown")

    def passed(self) -> None:
        self.passed_on += 1

    def put_aside(self, message: Message, error: Permanent) -> None:
        if len(self.aside) == self.room:
            raise Unavailable("the fuse has blown")
        self.asked.append("put_aside")
        self.aside.append((message, error.reason))


def processor(peers: Peers, *, bill_reprocess: bool = True) -> BatchProcessor:
    return BatchProcessor(wire.decode, peers, peers, bill_reprocess=bill_reprocess)


def test_a_batch_is_decoded_and_applied_at_once() -> None:
    peers = Peers()
    batch = [record_of(samples.audio_uploaded()), record_of(samples.job_status(), offset=7)]
    assert processor(peers).process(batch) == Processed(new=2, put_aside=0)
    assert peers.asked == ["apply"]
    records = [effect for effect in peers.applied if isinstance(effect, RecordEvent)]
    assert [(record.state, record.offset) for record in records] == [("queued", 0), ("completed", 7)]


def test_what_cannot_be_decoded_is_put_aside_after_the_rest_is_safe() -> None:
    peers = Peers()
    assert processor(peers).process([BROKEN, record_of(samples.audio_uploaded())]) == Processed(new=1, put_aside=1)
    assert peers.asked == ["apply", "put_aside"]
    assert peers.aside == [(BROKEN, "undecodable")]


def test_dead_letters_are_kept_raw_and_never_put_aside_again() -> None:
    peers = Peers()
    processor(peers).process([BAD_DEAD_LETTER])
    (kept,) = peers.applied
    assert isinstance(kept, KeepDlqRecord)
    assert kept.value == b"\xffbroken"
    assert peers.aside == []


def test_nothing_is_put_aside_while_the_database_is_away() -> None:
    peers = Peers(ledger_is_away=True)
    with pytest.raises(Transient):
        processor(peers).process([BROKEN, record_of(samples.audio_uploaded())])
    assert peers.aside == []


def test_the_setting_for_reprocessing_reaches_the_handler() -> None:
    billed, free = Peers(), Peers()
    batch = [record_of(samples.job_status(run=2))]
    processor(billed).process(batch)
    processor(free, bill_reprocess=False).process(batch)
    assert [WaiveReprocess in map(type, peers.applied) for peers in (billed, free)] == [False, True]


def broken(offset: int) -> Message:
    return Message("job.status", 0, offset, b"job-1", b"\xffbroken", (), samples.ACCEPTED_AT)


def test_nothing_is_taken_while_the_fuse_has_blown() -> None:
    peers = Peers()
    peers.fuse_has_blown = True
    with pytest.raises(Unavailable):
        processor(peers).process([record_of(samples.audio_uploaded())])
    assert peers.asked == []


def test_what_was_put_aside_is_not_put_aside_again_when_its_batch_is_repeated() -> None:
    peers = Peers()
    batches = processor(peers)
    batch = [broken(1), broken(2), record_of(samples.audio_uploaded(), offset=3), broken(4)]
    peers.room = 2
    for _ in range(3):
        with pytest.raises(Unavailable):
            batches.process(batch)
    peers.room = None
    batches.process(batch)
    assert [message.offset for message, _ in peers.aside] == [1, 2, 4]
    assert peers.passed_on == 4  # good ones may count again: they only mend
    batches.process([broken(1)])
    assert [message.offset for message, _ in peers.aside] == [1, 2, 4, 1]


def test_a_bug_is_tried_three_times_in_place_and_then_the_ledger_stops() -> None:
    peers = Peers()
    batches = processor(peers)
    peers.bug = KeyError("Иванов")
    batch = [record_of(samples.audio_uploaded()), BROKEN]
    for _ in range(2):
        with pytest.raises(Transient, match="KeyError") as waited:
            batches.process(batch)
        assert "Иванов" not in str(waited.value)
    with pytest.raises(Fatal, match="KeyError") as caught:
        batches.process(batch)
    assert "Иванов" not in str(caught.value)
    assert peers.aside == []


def test_a_bug_that_passes_is_forgotten() -> None:
    peers = Peers()
    batches = processor(peers)
    for _ in range(5):
        peers.bug = KeyError()
        with pytest.raises(Transient):
            batches.process([record_of(samples.audio_uploaded())])
        peers.bug = None
        batches.process([record_of(samples.audio_uploaded())])


def test_a_registry_that_is_away_is_waited_for_and_nothing_is_put_aside() -> None:
    def away(_message: Message) -> Event:
        raise Unavailable("the schema registry does not answer")

    peers = Peers()
    batches = BatchProcessor(away, peers, peers, bill_reprocess=True)
    for _ in range(5):
        with pytest.raises(Unavailable):
            batches.process([record_of(samples.audio_uploaded())])
    assert (peers.asked, peers.aside) == ([], [])
