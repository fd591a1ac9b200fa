"""An exporter-like consumer over fakes: a processor, what its peers hold, and ways to break them."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.blobs.memory import MemoryStore
from pipeline.blobs.ports import BlobInfo
from pipeline.contracts.events import Event, JobStatus, TranscriptReady
from pipeline.errors import Transient
from pipeline.outcome import PutObject
from pipeline.stream import wire
from pipeline.stream.events import EventProcessor, Handler
from pipeline.stream.fuse import FuseLimits
from pipeline.stream.memory import MemoryBroker, MemoryProducer
from pipeline.stream.ports import Message, Record
from pipeline.stream.retries import Retries, RetryTopic
from pipeline.stream.safeguards import Safeguards
from pipeline.testing import samples

GROUP = "exporter"


class SickStore(MemoryStore):
    """Fails where it is told to.

    Attributes:
        fails: Asked for every key that is put, read or looked at; true: Transient.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fails: Callable[[str], bool] = lambda _key: False

    def put(self, key: str, data: bytes, *, media_type: str) -> None:
        self._check(key)
        super().put(key, data, media_type=media_type)

    def read(self, key: str) -> bytes:
        self._check(key)
        return super().read(key)

    def stat(self, key: str) -> BlobInfo | None:
        self._check(key)
        return super().stat(key)

    def _check(self, key: str) -> None:
        if self.fails(key):
            raise Transient("store: 500")


class House:
    """A processor over fakes, and what came out of it."""

    def __init__(
        self,
        handler: Handler[TranscriptReady, PutObject],
        *,
        retries: Callable[[MemoryProducer], Retries] | None = None,
        limits: FuseLimits | None = None,
    ) -> None:
        self.broker = MemoryBroker()
        self.store = SickStore()
        self.told: list[str] = []
        producer = self.broker.producer()
        self.guards = Safeguards.of(
            self.store,
            producer,
            group=GROUP,
            clock=lambda: samples.ACCEPTED_AT,
            tell=self.told.append,
            retries=retries(producer) if retries is not None else None,
            limits=limits,
        )
        self.processor = EventProcessor(
            handler,
            expects=TranscriptReady,
            stage="exporter",
            store=self.store,
            producer=producer,
            guards=self.guards,
            clock=lambda: samples.ACCEPTED_AT,
        )

    def carry(self, record: Record) -> None:
        """Publish a record and take it, once."""
        self.take(self.lay(record))

    def lay(self, record: Record) -> Message:
        """Publish a record."""
        (place,) = self.broker.producer().publish([record])
        return next(
            message
            for message in self.broker.messages(record.topic)
            if (message.partition, message.offset) == (place.partition, place.offset)
        )

    def take(self, message: Message) -> None:
        """Take a record, as the runner hands it out."""
        self.processor([message])

    def taken(self, message: Message, *, at_most: int = 10) -> int:
        """Take a record as often as the runner would until its offset may pass; how often that was."""
        for times in range(1, at_most + 1):
            try:
                self.take(message)
            except Transient:
                continue
            return times
        raise AssertionError(f"not done after {at_most} times")

    def published(self) -> list[Event]:
        return [wire.decode(message) for message in self.broker.messages("job.status")]

    def failure(self) -> JobStatus:
        """The one event that was published, a failure."""
        (failed,) = self.published()
        assert isinstance(failed, JobStatus)
        assert failed.state == "failed"
        return failed

    def put_aside(self) -> list[Message]:
        return self.broker.messages("transcript.ready.dlq")

    def waiting(self) -> list[Message]:
        """What lies on the retry topic."""
        return self.broker.messages("transcript.ready.retry")


def by_retry_topic(producer: MemoryProducer) -> Retries:
    return RetryTopic(producer)
