"""Letters as the ledger would keep them, and the house in which they are replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.contracts.events import Event
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Headers
from pipeline.testing import samples
from razgovor.dlq.replaying import Replayed, Replayer
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_runs import MemoryRuns
from services.ingest.clients import Client
from services.ledger.adapters.memory import MemoryDeadLetterBox
from services.ledger.letters import Letter, Selection

STORY: Headers = (
    ("__connect.errors.topic", b"x"),
    ("razgovor.group", b"x"),
    ("razgovor.reason", b"x"),
    ("razgovor.attempt", b"3"),
    ("razgovor.event_id", b"x"),
    ("razgovor.payload_sha256", b"x"),
)


def letter(event: Event, stage: str = "handle", **changes: Any) -> Letter:
    """A letter that holds an event as it came."""
    record = wire.encode(event)
    fields: dict[str, Any] = {
        "letter_id": 1,
        "topic": f"{event.TOPIC}.dlq",
        "partition": 0,
        "offset": 3,
        "recorded_at": samples.ACCEPTED_AT,
        "key": record.key,
        "value": record.value,
        "headers": (*record.headers, *STORY, ("__connect.errors.stage", stage.upper().encode())),
        "reason": "KeyError",
        "group": "exporter",
        "event_id": event.event_id,
        "origin_topic": event.TOPIC,
        "origin_partition": 2,
        "origin_offset": 17,
    }
    return Letter(**{**fields, **changes})


@dataclass
class House:
    """A ledger's letters, an ingest that knows `job-1` .. `job-3`, a broker."""

    broker: MemoryBroker = field(default_factory=MemoryBroker)
    submissions: MemorySubmissions = field(default_factory=MemorySubmissions)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.box = MemoryDeadLetterBox(lambda: samples.ACCEPTED_AT)
        self.runs = MemoryRuns(self.submissions)
        self.replayer = Replayer(self.box, self._runs, self._producer, wire.decode)

    def _runs(self) -> MemoryRuns:
        self.opened.append("runs")
        return self.runs

    def _producer(self) -> Any:
        self.opened.append("producer")
        return self.broker.producer()

    def keep(self, *letters: Letter) -> None:
        for number, one in enumerate(letters, start=1):
            self.box.letters[number] = replace(one, letter_id=number)

    def replay(self, *, force: bool = False, dry_run: bool = False) -> list[Replayed]:
        return list(self.replayer.replay(self.open(), force=force, dry_run=dry_run))

    def open(self) -> Sequence[Letter]:
        return self.box.find(Selection(), 100)

    def announced_runs(self) -> list[tuple[str, int]]:
        events = [row.announcement.event for row in self.submissions.outbox.values()]
        return [(event.job_id, event.run) for event in events]


ACME = Client(client_id="acme", name="Acme")
