"""Records of topics as an audit keeps them: ids and places, no content. Also a line of a dump.

Made from a message by `entry_of`; `scratch` finds out what became of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from pipeline.contracts.events import BY_TOPIC, Event, JobStatus
from pipeline.contracts.topics import GROUPS, topics
from pipeline.errors import Permanent
from pipeline.stream.ports import Message
from pipeline.stream.retries import attempt_of, origin_of

Decode = Callable[[Message], Event]

_NUMBER_DIGITS: Final = 18


def audited_topics() -> tuple[str, ...]:
    """The topics that carry our events, their retry topics and DLQs."""
    return tuple(
        name
        for name, topic in topics().items()
        if name in BY_TOPIC or topic.retry_of in BY_TOPIC or topic.dlq_of in BY_TOPIC
    )


def consumers() -> Mapping[str, tuple[str, ...]]:
    """The groups of ours that read each of them."""
    return {name: tuple(group for group in topics()[name].consumers if group in GROUPS) for name in audited_topics()}


def is_dlq(topic: str) -> bool:
    """Whether the topic is one of the DLQs."""
    return topics()[topic].dlq_of is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A record.

    Attributes:
        event_id, job_id, run, client_id, kind, stage: See `facts.TopicRecord`.
        home_topic, home_partition, home_offset: Where it first lay: of a retried or put aside one, the original's place.
        attempt: Which attempt it stands for.
        group: On a DLQ: who put it aside.
        value_sha256: On a DLQ: of its bytes, as its header says.
    """

    topic: str
    partition: int
    offset: int
    home_topic: str
    home_partition: int
    home_offset: int
    attempt: int = 1
    event_id: str | None = None
    job_id: str | None = None
    run: int | None = None
    client_id: str | None = None
    kind: str | None = None
    stage: str | None = None
    group: str | None = None
    value_sha256: str | None = None

    def to_line(self) -> str:
        """A line of a dump."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None})

    @classmethod
    def from_line(cls, line: str) -> LogEntry:
        """The record of a line.

        Raises:
            ValueError: It is none.
        """
        fields: dict[str, Any] = json.loads(line)
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError("not a record of a dump") from error


def entry_of(message: Message, decode: Decode) -> LogEntry:
    """What is kept of a message.

    Raises:
        Transient: The schema registry does not answer.
    """
    place: dict[str, Any] = {"topic": message.topic, "partition": message.partition, "offset": message.offset}
    if is_dlq(message.topic):
        return LogEntry(**place, **_aside(message))
    home = origin_of(message)
    place |= {"home_topic": home.topic, "home_partition": home.partition, "home_offset": home.offset}
    place["attempt"] = attempt_of(message)
    try:
        event = decode(message)
    except Permanent:
        return LogEntry(**place)
    return LogEntry(
        **place,
        event_id=event.event_id,
        job_id=event.job_id,
        run=event.run,
        client_id=event.client_id,
        kind=f"{event.TOPIC}:{event.state}" if isinstance(event, JobStatus) else event.TOPIC,
        stage=event.stage if isinstance(event, JobStatus) else None,
    )


def _aside(message: Message) -> dict[str, Any]:
    """What the headers of a dead letter tell; what they do not is its own place, which no record lies at."""
    partition = _number(message.header("__connect.errors.partition"))
    offset = _number(message.header("__connect.errors.offset"))
    told = partition is not None and offset is not None
    return {
        "home_topic": _text(message, "__connect.errors.topic") or message.topic,
        "home_partition": partition if told else message.partition,
        "home_offset": offset if told else message.offset,
        "group": _text(message, "razgovor.group"),
        "value_sha256": _text(message, "razgovor.payload_sha256"),
    }


def _text(message: Message, name: str) -> str | None:
    value = message.header(name)
    return value.decode(errors="replace") if value else None


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() and len(value) <= _NUMBER_DIGITS else None
