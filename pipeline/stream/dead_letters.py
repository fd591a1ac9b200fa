"""The DLQ: a record put aside keeps its bytes; its story stands in headers. Never exception text: it can name people.

Header names are Kafka Connect's, so that the tools that know them work, and ours beside them.
"""

from __future__ import annotations

import hashlib

from pipeline.stream.ports import Message, Producer, Record
from pipeline.telemetry import logs

_log = logs.get(__name__)


class DeadLetters:
    """Puts records aside on `<topic>.dlq`."""

    def __init__(self, producer: Producer, *, group: str) -> None:
        self._producer = producer
        self._group = group

    def put(self, message: Message, reason: str, *, stage: str, attempt: int = 1, event_id: str | None = None) -> None:
        """Put a record aside.

        Args:
            message: As it came.
            reason: Stable code, e.g. `undecodable`, or the type of an unknown exception.
            stage: What was being done: `decode` or `handle`.
            attempt: How often it was tried.
            event_id: The event's id where it could be decoded.

        Raises:
            Transient: Not put aside, so the record's offset must not pass.
        """
        story = {
            "__connect.errors.topic": message.topic,
            "__connect.errors.partition": str(message.partition),
            "__connect.errors.offset": str(message.offset),
            "__connect.errors.stage": stage.upper(),
            "razgovor.group": self._group,
            "razgovor.reason": reason,
            "razgovor.attempt": str(attempt),
            "razgovor.event_id": event_id or "",
            "razgovor.payload_sha256": hashlib.sha256(message.value or b"").hexdigest(),
        }
        headers = (*message.headers, *((name, value.encode()) for name, value in story.items()))
        self._producer.publish([Record(f"{message.topic}.dlq", message.key, message.value, headers)])
        _log.error("put_aside", topic=message.topic, partition=message.partition, offset=message.offset, reason=reason)
