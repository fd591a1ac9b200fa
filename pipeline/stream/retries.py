"""Attempts: how an event that failed while everything else works is tried again. Called by `events`.

Two ways: `RetryTopic` for work that would hold its partition up too long (the runner holds the record back, see
`runner.Limits.delays_s`), `InPlace` for everything else. The third failure is the last: then comes the DLQ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from pipeline.crash_points import reach
from pipeline.errors import Transient, Unavailable
from pipeline.stream.ports import Message, Producer, Record
from pipeline.stream.under_way import UnderWay
from pipeline.telemetry import families
from pipeline.telemetry.metrics import Metrics

ATTEMPTS: Final = 3
RETRY_SUFFIX: Final = ".retry"
#: On a record of a retry topic: which attempt this is. On a record of a DLQ: how many there were.
ATTEMPT_HEADER: Final = "razgovor.attempt"
#: On a record of a retry topic: `topic/partition/offset` of the original.
ORIGIN_HEADER: Final = "razgovor.origin"
_NUMBER_DIGITS: Final = 18


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record first lay."""

    topic: str
    partition: int
    offset: int


class Retries(Protocol):
    """A way of trying again."""

    def attempt(self, message: Message) -> int:
        """Which attempt at the record this is, from 1."""

    def again(self, message: Message) -> None:
        """Have the record tried once more. When this returns, its offset may pass.

        Raises:
            Transient: The offset must stay: the same record again after a pause.
        """

    def forget(self, message: Message) -> None:
        """The record is done with."""


class InPlace:
    """Tries again after the runner's pause. A restart forgets the attempts: they are made again."""

    def __init__(self) -> None:
        self._attempts = UnderWay[int]()

    def attempt(self, message: Message) -> int:
        """See `Retries.attempt`."""
        return self._attempts.get(message) or 1

    def again(self, message: Message) -> None:
        """See `Retries.again`."""
        attempt = self.attempt(message) + 1
        self._attempts.keep(message, attempt)
        raise Transient(f"attempt {attempt} of {ATTEMPTS} comes")

    def forget(self, message: Message) -> None:
        """See `Retries.forget`."""
        self._attempts.forget(message)


class RetryTopic:
    """Puts the record on `<topic>.retry`, its bytes as they came, the attempt's number in a header."""

    def __init__(self, producer: Producer, metrics: Metrics | None = None) -> None:
        self._producer = producer
        self._metrics = metrics or Metrics()

    def attempt(self, message: Message) -> int:
        """See `Retries.attempt`."""
        return attempt_of(message)

    def again(self, message: Message) -> None:
        """See `Retries.again`."""
        origin = origin_of(message)
        headers = (
            *original_headers(message),
            (ATTEMPT_HEADER, str(attempt_of(message) + 1).encode()),
            (ORIGIN_HEADER, f"{origin.topic}/{origin.partition}/{origin.offset}".encode()),
        )
        try:
            self._producer.publish([Record(retry_topic(origin.topic), message.key, message.value, headers)])
        except Transient as error:
            raise Unavailable(str(error), retry_after_s=error.retry_after_s) from error
        self._metrics.add(families.RETRIES, topic=origin.topic)
        reach("stream.retry_published")

    def forget(self, message: Message) -> None:
        """See `Retries.forget`."""


def retry_topic(topic: str) -> str:
    """Where records of a topic wait for their next attempt."""
    return topic + RETRY_SUFFIX


def attempt_of(message: Message) -> int:
    """Which attempt at a record this is, by its header; 1 where there is none that makes sense."""
    number = _number(message.header(ATTEMPT_HEADER))
    return number if message.topic.endswith(RETRY_SUFFIX) and number else 1


def origin_of(message: Message) -> Origin:
    """Where a record first lay: on a retry topic its header says so, elsewhere it lies there still."""
    if message.topic.endswith(RETRY_SUFFIX):
        topic = message.topic.removesuffix(RETRY_SUFFIX)
        said_topic, *rest = (message.header(ORIGIN_HEADER) or b"").split(b"/")
        places = [_number(part) for part in rest]
        match places:
            case [int(partition), int(offset)] if said_topic == topic.encode():
                return Origin(topic, partition, offset)
        return Origin(topic, message.partition, message.offset)
    return Origin(message.topic, message.partition, message.offset)


def original_headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    """The headers that a record came with before any retry."""
    ours = {ATTEMPT_HEADER, ORIGIN_HEADER}
    return tuple((name, value) for name, value in message.headers if name not in ours)


def _number(value: bytes | None) -> int | None:
    if value is None or not value.isdigit() or len(value) > _NUMBER_DIGITS:
        return None
    return int(value)
