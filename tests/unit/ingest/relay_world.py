"""An outbox, a broker, one clock for both sides, and the relay between them: all shipped fakes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipeline.contracts.call_info import CallInfo
from pipeline.errors import Transient
from pipeline.stream.memory import MemoryBroker, MemoryProducer
from pipeline.stream.ports import Delivered, LogBounds, PartlyDelivered, Record, TopicPartition
from pipeline.stream.wire import Wire
from pipeline.telemetry.metrics import Metrics
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.announcer import GROUP, Announcer, Step
from services.ingest.jobs import Outcome
from services.ingest.pace import Pace
from services.ingest.submissions import StoredAudio, Submission

START = datetime(2026, 1, 1, tzinfo=UTC)
LOG = TopicPartition("audio.uploaded", 0)
_WIRE = Wire()
_METRICS = Metrics()


class TroubledProducer(MemoryProducer):
    """Delivers, until told otherwise.

    Attributes:
        acknowledges: Of the next call's records so many are taken, and the rest refused; None: all.
        dies_after: The next call delivers, and then the process is gone.
    """

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self.acknowledges: int | None = None
        self.dies_after = False

    def publish(self, records: Sequence[Record]) -> list[Delivered]:
        count, self.acknowledges = self.acknowledges, None
        delivered = super().publish(records if count is None else records[:count])
        if self.dies_after:
            self.dies_after = False
            raise Transient("killed")
        if count is not None and count < len(records):
            raise PartlyDelivered("memory: some", [*delivered, *([None] * (len(records) - count))])
        return delivered


class World:
    """`low` is the first offset that the log's retention left."""

    def __init__(self, **pace: float) -> None:
        self.now_s = 0.0
        self.low = 0
        self.outbox = MemorySubmissions(lambda: START + timedelta(seconds=self.now_s))
        self.broker = MemoryBroker(partitions=1)
        self.producer = TroubledProducer(self.broker)
        defaults = {"review_every_s": 5.0, "reannounce_after_s": 60.0, "poll_s": 0.01, "close_every_s": 0.0}
        self.pace = Pace(**{**defaults, **pace})  # type: ignore[arg-type]  # numbers of both kinds
        self.relay = self.another_relay()

    def another_relay(self) -> Announcer:
        return Announcer(self.outbox, self.producer, self, self.pace, lambda: self.now_s, wire=_WIRE, metrics=_METRICS)

    def cluster_id(self) -> str:
        return self.broker.log_reader().cluster_id()

    def bounds(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, LogBounds]:
        found = self.broker.log_reader().bounds(group, partitions)
        return {log: LogBounds(self.low, seen.high, seen.committed) for log, seen in found.items()}

    def close(self) -> None:
        return

    def submit(self, *job_ids: str, client_id: str = "acme", priority: str = "normal") -> None:
        for job_id in job_ids:
            self.outbox.submit(submission(job_id, client_id, priority), None)

    def end(self, *job_ids: str, state: str = "completed", run: int = 1) -> None:
        for job_id in job_ids:
            self.outbox.outcomes[job_id] = Outcome(run=run, state=state)

    def commit(self, offset: int) -> None:
        self.broker.group(GROUP).committed[LOG] = offset

    def recreate_topic(self) -> None:
        """Delete the topic and make it again: the cluster stays the same."""
        self.broker.log(LOG).clear()
        self.broker.group(GROUP).committed.clear()

    def later(self, seconds: float) -> Step:
        self.now_s += seconds
        return self.relay.step()

    def settle(self) -> None:
        """Step until nothing is left that there is room for."""
        while self.relay.step() is not Step.NOTHING:
            pass

    def announced(self) -> list[str]:
        return [(message.key or b"").decode() for message in self.broker.messages("audio.uploaded")]

    def open(self) -> list[str]:
        """Announced and not terminal, as the outbox sees it."""
        with self.outbox.turn() as turn:
            assert turn is not None
            return [self.outbox.outbox[row.outbox_id].announcement.event.job_id for row in turn.sent()]


def numbered(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def submission(job_id: str, client_id: str = "acme", priority: str = "normal") -> Submission:
    return Submission(
        job_id=job_id,
        run=1,
        client_id=client_id,
        call_id=job_id,
        priority=priority,
        audio=StoredAudio(key=f"jobs/{job_id}/audio", sha256="ab", size_bytes=1, media_type="audio/wav"),
        call_info=CallInfo(),
        call_info_key=f"jobs/{job_id}/call.json",
        channel_roles=(),
        language="ru",
        locale="ru",
        formats=("txt",),
    )
