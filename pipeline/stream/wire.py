"""Events as records: key, headers, value. The one place that knows how an event stands on the wire."""

from __future__ import annotations

from pipeline.contracts import codec
from pipeline.contracts.events import Event
from pipeline.stream.ports import Message, Record


def encode(event: Event) -> Record:
    """The record of an event: keyed by its job, so that all events of a job keep their order."""
    value, schema = codec.encode(event)
    return Record(
        topic=event.TOPIC,
        key=event.job_id.encode(),
        value=value,
        headers=((codec.SCHEMA_HEADER, schema),),
    )


def decode(message: Message) -> Event:
    """The event of a record.

    Raises:
        Permanent: `undecodable`.
    """
    return codec.decode(message.value, message.header(codec.SCHEMA_HEADER))
