"""An intake of calls over fakes: upstream systems publish, and what they are told is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from pipeline.audio import sniff
from pipeline.blobs.memory import MemoryStore
from pipeline.contracts.events import CallRecorded, JobStatus
from pipeline.errors import Transient
from pipeline.stream import wire
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message, Record
from pipeline.stream.runner import Limits
from pipeline.testing import samples
from services.ingest.acceptance import Acceptance
from services.ingest.adapters.memory import MemorySubmissions
from services.ingest.adapters.memory_calls import MemoryCalls
from services.ingest.adapters.memory_clients import MemoryClients
from services.ingest.adapters.sources import MemorySources
from services.ingest.calls.intake import Intake
from services.ingest.calls.taking import Taking
from services.ingest.clients import Client
from tests.unit.ingest.rig import known, wav

ACME = Client(client_id="acme", name="Acme", sources=("s3://acme-calls/2026/",))
AUDIO = wav()
SHA256 = hashlib.sha256(AUDIO).hexdigest()


class World:
    """The intake, its peers, and what it told."""

    def __init__(self, *clients: Client) -> None:
        self.broker = MemoryBroker()
        self.store = MemoryStore()
        self.clients = MemoryClients()
        self.rows = MemorySubmissions()
        self.calls = MemoryCalls(self.rows)
        self.sources = MemorySources()
        self.wakes = 0
        for client in clients or (ACME,):
            self.clients.create(client)
        self.intake = self._intake()

    def _intake(self) -> Intake:
        languages = frozenset({"ru"})
        acceptance = Acceptance(self.store, self.calls, known, self._woken, keeps=True)
        taking = Taking(self.store, self.sources, acceptance, sniff=sniff, max_audio_bytes=100_000, languages=languages)
        return Intake(
            lambda: self.broker.consumer("ingest"),
            calls=self.calls,
            clients=self.clients,
            taking=taking,
            store=self.store,
            producer=self.broker.producer(),
            wire=wire.Wire(),
            languages=languages,
            limits=Limits(),
            clock=lambda: samples.ACCEPTED_AT,
        )

    def _woken(self) -> None:
        self.wakes += 1

    def recorded(self, event_id: str = "event-1", audio: bytes | None = AUDIO, **fields: Any) -> CallRecorded:
        """A call that an upstream system has recorded and put where it says."""
        event = samples.call_recorded(event_id, **fields)
        if audio is not None:
            self.sources.objects[event.audio.bucket, event.audio.key] = audio
        return event

    def lay(self, event: CallRecorded | bytes) -> Message:
        """Publish an event, or bytes that are none."""
        record = Record(CallRecorded.TOPIC, b"call", event) if isinstance(event, bytes) else wire.encode(event)
        (place,) = self.broker.producer().publish([record])
        return next(
            message
            for message in self.broker.messages(CallRecorded.TOPIC)
            if (message.partition, message.offset) == (place.partition, place.offset)
        )

    def take(self, message: Message) -> None:
        """Take a record, as the runner hands it out, once."""
        self.intake.process([message])

    def carry(self, event: CallRecorded | bytes) -> None:
        """Publish and take."""
        self.take(self.lay(event))

    def taken(self, message: Message, *, meanwhile: Callable[[], None] = lambda: None, at_most: int = 5) -> int:
        """Take a record as often as the runner would until its offset may pass; how often that was."""
        for times in range(1, at_most + 1):
            try:
                self.take(message)
            except Transient:
                meanwhile()
                continue
            return times
        raise AssertionError(f"not done after {at_most} times")

    def told(self) -> list[JobStatus]:
        found = [wire.decode(message) for message in self.broker.messages(JobStatus.TOPIC)]
        return [event for event in found if isinstance(event, JobStatus)]

    def refused(self) -> JobStatus:
        """The one answer that was given, a refusal."""
        (failed,) = self.told()
        assert failed.state == "failed"
        return failed

    def put_aside(self) -> list[Message]:
        return self.broker.messages(f"{CallRecorded.TOPIC}.dlq")

    def keys(self) -> list[str]:
        return [found.key for found in self.store.list("jobs/")]
