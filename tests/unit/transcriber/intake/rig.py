"""A worker over fakes, driven record by record; several may share store and broker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout
from pipeline.contracts.events import AudioObject, AudioUploaded, Event
from pipeline.errors import RazgovorError
from pipeline.stream import wire
from pipeline.stream.events import EventProcessor
from pipeline.stream.memory import MemoryBroker
from pipeline.stream.ports import Message
from pipeline.stream.retries import RetryTopic
from pipeline.stream.safeguards import Safeguards
from pipeline.testing import samples
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.windows import Window, WindowWords
from services.transcriber.fakes import FakeEngine, FakeFrontEnd
from services.transcriber.intake import Handling, Intake
from services.transcriber.ports import Ports

AUDIO = b"the recording"
TAKEOVER_AFTER_S = 15.0
PLACES = 16
#: What most exchanges write: 8 kHz A-law stereo.
BYTES_PER_S = 16_000
LONG_RECORDING_S = 600.0


class ScriptedEngine(FakeEngine):
    """Hears, unless the script has an error next."""

    def __init__(self) -> None:
        super().__init__()
        self.script: list[RazgovorError | None] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def transcribe(self, windows: Sequence[Window], hearing: Hearing) -> list[WindowWords]:
        self.error = self.script.pop(0) if self.script else None
        self.meanwhile()
        return super().transcribe(windows, hearing)


class World:
    """What workers share."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.broker = MemoryBroker(partitions=1)
        self.now_s = 1000.0

    def upload(self, job_id: str, run: int = 1, *, priority: str = "normal", duration_s: float = 60.0) -> Message:
        sha256 = hashlib.sha256(AUDIO).hexdigest()
        key = layout.audio_key(job_id)
        self.store.put(key, AUDIO, media_type="audio/wav")
        audio = AudioObject(key=key, sha256=sha256, size_bytes=round(duration_s * BYTES_PER_S), media_type="audio/wav")
        event = samples.audio_uploaded(job_id, run, audio=audio, priority=priority)
        self.broker.producer().publish([wire.encode(event)])
        return self.broker.messages(AudioUploaded.TOPIC)[-1]

    def published(self) -> list[str]:
        """Job and state of everything said, in order of topics."""
        found: list[Event] = [
            wire.decode(message)
            for topic in ("job.status", "transcript.ready")
            for message in self.broker.messages(topic)
        ]
        return [f"{event.job_id} {getattr(event, 'state', 'ready')}" for event in found]

    def put_aside(self) -> list[bytes | None]:
        return [message.header("razgovor.reason") for message in self.broker.messages("audio.uploaded.dlq")]

    def markers(self, job_id: str = "a", run: int = 1) -> list[str]:
        prefix = layout.run_prefix(job_id, run)
        names = (blob.key.removeprefix(prefix) for blob in self.store.list(prefix))
        return [name for name in names if name.startswith(layout.START_NAME)]


class Worker:
    """One process's part."""

    def __init__(self, world: World) -> None:
        producer = world.broker.producer()
        self.engine = ScriptedEngine()
        self.front_end = FakeFrontEnd()
        self.intake = Intake(
            world.store,
            takeover_after_s=TAKEOVER_AFTER_S,
            places=PLACES,
            long_recording_s=LONG_RECORDING_S,
            monotonic_s=lambda: world.now_s,
        )
        handling = Handling(self.intake, Ports(world.store, self.front_end, self.engine))
        processor = EventProcessor(
            handling.decide,
            expects=AudioUploaded,
            announce=handling.announce,
            stage="transcriber",
            store=world.store,
            producer=producer,
            guards=Safeguards.of(
                world.store,
                producer,
                group="transcriber",
                clock=lambda: samples.ACCEPTED_AT,
                retries=RetryTopic(producer),
            ),
            clock=lambda: samples.ACCEPTED_AT,
            announce_looks=True,
        )
        self.process = self.intake.around(processor)

    def carry(self, message: Message) -> None:
        self.process([message])


def call_off(world: World, job_id: str, run: int = 1) -> None:
    world.store.put(layout.called_off_key(job_id, run), b"erased", media_type="text/plain")


def begun_elsewhere(world: World, job_id: str, *numbers: int, run: int = 1) -> None:
    for number in numbers:
        world.store.put(layout.start_key(job_id, run, number), b"", media_type="text/plain")
