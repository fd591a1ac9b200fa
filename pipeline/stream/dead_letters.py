"""The DLQ: a record put aside keeps its bytes; its story stands in headers. Never exception text: it can name people.

Header names are Kafka Connect's, so that the tools that know them work, and ours beside them. The fuse is asked first.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Final, Protocol

from pipeline.crash_points import reach
from pipeline.errors import Permanent, Unavailable
from pipeline.stream.ports import Headers, Message, Producer, Record
from pipeline.stream.retries import ATTEMPT_HEADER, origin_of, original_headers
from pipeline.telemetry import families, logs
from pipeline.telemetry.metrics import Metrics

DLQ_SUFFIX: Final = ".dlq"
#: On a record that was too large for the DLQ and lies there without its bytes: how many there were.
OMITTED_HEADER: Final = "razgovor.payload_omitted_bytes"
_STORY_PREFIX: Final = "__connect.errors."
_STORY: Final = frozenset(
    {
        "razgovor.group",
        "razgovor.reason",
        "razgovor.event_id",
        "razgovor.payload_sha256",
        ATTEMPT_HEADER,
        OMITTED_HEADER,
    }
)
_KEY_BYTES_MAX: Final = 1024
_EVENT_ID_CHARACTERS: Final = 64

_log = logs.get(__name__)


class PutAsideFuse(Protocol):
    """What is asked before a record is put aside and told after it; see `fuse.Fuse`."""

    def require_room(self) -> None:
        """Raise Unavailable if no more may be put aside."""

    def put_aside(self, reason: str) -> None:
        """One more was put aside."""


class DeadLetters:
    """Puts records aside on `<topic>.dlq`. One at a time, so that the fuse counts exactly."""

    def __init__(self, producer: Producer, *, group: str, fuse: PutAsideFuse, metrics: Metrics | None = None) -> None:
        self._producer = producer
        self._group = group
        self._fuse = fuse
        self._metrics = metrics or Metrics()
        self._one_at_a_time = threading.Lock()

    def put(self, message: Message, reason: str, *, stage: str, attempt: int = 1, event_id: str | None = None) -> None:
        """Put a record aside. One that the broker finds too large for it goes there without its bytes.

        Args:
            message: As it came.
            reason: Stable code, e.g. `undecodable`, or the type of an unknown exception.
            stage: What was being done: `decode` or `handle`.
            attempt: How often it was tried.
            event_id: The event's id where it could be decoded.

        Raises:
            Transient: Not put aside, so the record's offset must not pass.
            Unavailable: The fuse has blown; likewise.
        """
        origin = origin_of(message)
        story = _headers(
            {
                "__connect.errors.topic": origin.topic,
                "__connect.errors.partition": str(origin.partition),
                "__connect.errors.offset": str(origin.offset),
                "__connect.errors.stage": stage.upper(),
                "razgovor.group": self._group,
                "razgovor.reason": reason,
                ATTEMPT_HEADER: str(attempt),
                "razgovor.event_id": (event_id or "")[:_EVENT_ID_CHARACTERS],
                "razgovor.payload_sha256": hashlib.sha256(message.value or b"").hexdigest(),
            }
        )
        with self._one_at_a_time:
            self._fuse.require_room()
            self._publish(message, origin.topic + DLQ_SUFFIX, story)
            self._fuse.put_aside(reason)
        self._metrics.add(families.DEAD_LETTERS, topic=origin.topic, reason=reason)
        reach("stream.put_aside")
        _log.error("put_aside", topic=origin.topic, partition=origin.partition, offset=origin.offset, reason=reason)

    def _publish(self, message: Message, topic: str, story: Headers) -> None:
        whole = Record(topic, message.key, message.value, (*original_headers(message), *story))
        try:
            self._producer.publish([whole])
        except Permanent:
            # It was just small enough for its topic, and its story makes it too large for the DLQ. Its bytes lie in the
            # topic for as long as that keeps them; a partition that stands still for ever would be worse.
            omitted = _headers({OMITTED_HEADER: str(len(message.value or b""))})
            key = message.key if len(message.key or b"") <= _KEY_BYTES_MAX else None
            self._publish_story(Record(topic, key, None, (*story, *omitted)))

    def _publish_story(self, record: Record) -> None:
        try:
            self._producer.publish([record])
        except Permanent as error:
            raise Unavailable(f"the DLQ takes no record at all: {error.reason}") from error


def without_story(headers: Headers) -> Headers:
    """The headers that a record had before it was put aside."""
    return tuple((name, value) for name, value in headers if name not in _STORY and not name.startswith(_STORY_PREFIX))


def _headers(texts: dict[str, str]) -> Headers:
    return tuple((name, value.encode()) for name, value in texts.items())
