"""From a record of a DLQ topic to the row that keeps it. Called by `batch`; never decodes, so it never fails.

Header names are Kafka Connect's (`__connect.errors.*`) and ours (`razgovor.*`); whatever is missing or broken in them
stays empty, while the headers themselves are kept as they came.
"""

from __future__ import annotations

import hashlib
from typing import Final

from pipeline.outcome import Outcome
from pipeline.stream.dead_letters import DLQ_SUFFIX
from pipeline.stream.ports import Message
from services.ledger import storable
from services.ledger.effects import Effect, KeepDlqRecord

_INT_MAX: Final = 2**31 - 1


def is_dead_letter(message: Message) -> bool:
    """Whether the record lies in a DLQ topic."""
    return message.topic.endswith(DLQ_SUFFIX)


def keep(message: Message) -> Outcome[Effect]:
    """The effect that keeps the record: bytes, headers, reason and origin."""
    partition = storable.bigint_in(message.header("__connect.errors.partition"))
    record = KeepDlqRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        recorded_at=message.timestamp,
        key=message.key,
        value=message.value,
        value_sha256=hashlib.sha256(message.value or b"").hexdigest(),
        headers=tuple((storable.text(name), value) for name, value in message.headers),
        reason=_text(message, "razgovor.reason"),
        group=_text(message, "razgovor.group"),
        event_id=_text(message, "razgovor.event_id"),
        origin_topic=_text(message, "__connect.errors.topic"),
        origin_partition=partition if partition is not None and partition <= _INT_MAX else None,
        origin_offset=storable.bigint_in(message.header("__connect.errors.offset")),
    )
    return Outcome(effects=(record,))


def _text(message: Message, name: str) -> str | None:
    value = message.header(name)
    return storable.text(value.decode(errors="replace")) if value else None
