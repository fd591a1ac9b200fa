from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipeline.contracts.events import Event
from pipeline.errors import Permanent, Transient
from pipeline.outcome import Outcome
from pipeline.stream import wire
from pipeline.stream.ports import Message
from pipeline.testing import samples
from services.ledger.batch import BatchProcessor, Processed
from services.ledger.effects import Effect, KeepDlqRecord, PostUsage, RecordEvent

BROKEN = Message("job.status", 0, 9, b"job-1", b"\x00broken", (), samples.ACCEPTED_AT)
BAD_DEAD_LETTER = Message("job.status.dlq", 0, 1, None, b"\x00broken", (), samples.ACCEPTED_AT)


def record_of(event: Event, offset: int = 0) -> Message:
    record = wire.encode(event)
    return Message(record.topic, 0, offset, record.key, record.value, record.headers, samples.ACCEPTED_AT)


class Peers:
    """A ledger and a DLQ that write down what they were asked, in order."""

    def __init__(self, *, ledger_is_away: bool = False) -> None:
        self.asked: list[str] = []
        self.applied: list[Effect] = []
        self.aside: list[tuple[Message, str]] = []
        self._ledger_is_away = ledger_is_away

    def apply(self, outcomes: Sequence[Outcome[Effect]]) -> int:
        self.asked.append("apply")
        if self._ledger_is_away:
            raise Transient("away")
        self.applied.extend(effect for outcome in outcomes for effect in outcome.effects)
        return len(outcomes)

    def put_aside(self, message: Message, error: Permanent) -> None:
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
    assert kept.value == b"\x00broken"
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
    assert [PostUsage in map(type, peers.applied) for peers in (billed, free)] == [True, False]
