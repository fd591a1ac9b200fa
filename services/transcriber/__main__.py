"""`python -m services.transcriber`: constructs the transcriber and runs it until it is told to stop.

The model is loaded and warmed before the group is joined: a worker that cannot work takes no calls.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from pipeline import service
from pipeline.audio.contract import DecodeLimits
from pipeline.blobs.location import store_at
from pipeline.contracts.events import AudioUploaded, Event
from pipeline.outcome import Outcome, PutObject
from pipeline.service import StatusFile
from pipeline.stream.dead_letters import DeadLetters
from pipeline.stream.events import EventProcessor
from pipeline.stream.kafka import KafkaConsumer, KafkaProducer
from pipeline.stream.runner import Limits, Runner
from services.transcriber import models
from services.transcriber.adapters.engine import EngineLimits, WhisperEngine
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import WhisperOptions
from services.transcriber.domain.packing import PackingRule
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.speech import SpeechRule
from services.transcriber.handler import STAGE, handle, started
from services.transcriber.ports import Ports
from services.transcriber.settings import TranscriberSettings

#: Workers share the calls; ingest's relay looks at this group's commits, so it is no setting.
GROUP: Final = "transcriber"


def model_files(settings: TranscriberSettings) -> ModelFiles:
    """The model named by the settings, checked; never fetched here, so that a worker's start needs no network."""
    cache = settings.model_cache_dir or Path.home() / ".cache" / "razgovor"
    model = models.resolve(settings.model, cache=cache, may_fetch=False)
    return ModelFiles(folder=model.folder, name=model.name, sha256=model.sha256)


def front_end(settings: TranscriberSettings) -> ChildFrontEnd:
    """The front end as the settings say."""
    return ChildFrontEnd(
        scratch_dir=settings.scratch_dir,
        rules=Rules(
            speech=SpeechRule(
                threshold=settings.vad_threshold,
                min_silence_s=settings.vad_min_silence_s,
                pad_s=settings.vad_pad_s,
            ),
            packing=PackingRule(window_s=settings.window_s),
        ),
        limits=FrontEndLimits(
            decode=DecodeLimits(max_duration_s=settings.max_duration_s, max_channels=settings.max_channels),
            timeout_s=settings.decode_timeout_s,
            memory_bytes=settings.decode_memory_bytes,
        ),
    )


def engine(settings: TranscriberSettings) -> WhisperEngine:
    """The engine as the settings say."""
    return WhisperEngine(
        model_files(settings),
        WhisperOptions(
            device=settings.device,
            compute_type=settings.compute_type,
            workers=settings.workers,
            threads=settings.threads,
            batch_size=settings.batch_size,
            beam_size=settings.beam_size,
        ),
        EngineLimits(
            start_timeout_s=settings.engine_start_timeout_s,
            base_timeout_s=settings.engine_base_timeout_s,
            timeout_per_speech_s=settings.engine_timeout_per_speech_s,
            memory_bytes=settings.engine_memory_bytes,
        ),
        parameters={
            "vad_threshold": settings.vad_threshold,
            "vad_min_silence_s": settings.vad_min_silence_s,
            "vad_pad_s": settings.vad_pad_s,
            "window_s": settings.window_s,
        },
    )


@contextmanager
def started_children(settings: TranscriberSettings) -> Iterator[tuple[ChildFrontEnd, WhisperEngine]]:
    """Front end and engine, loaded and warm; ended with the context."""
    listener, hearer = front_end(settings), engine(settings)
    try:
        listener.start()
        hearer.start()
        yield listener, hearer
    finally:
        listener.close()
        hearer.close()


def serve(settings: TranscriberSettings, stop: threading.Event, status: StatusFile) -> None:
    """Construct, load the model, wait for the peers, run, drain."""
    store = store_at(settings.store_url)
    store.verify()
    producer = KafkaProducer(settings.bootstrap_servers)
    with started_children(settings) as (listener, hearer):
        if not service.wait_for(producer.verify, stop, status, "broker"):
            return
        ports = Ports(store=store, front_end=listener, engine=hearer)

        def decide(event: AudioUploaded, received_at: datetime) -> Outcome[PutObject]:
            return handle(event, received_at, ports)

        def announce(event: AudioUploaded) -> Sequence[Event]:
            return started(event, store)

        processor = EventProcessor(
            decide,
            expects=AudioUploaded,
            announce=announce,
            stage=STAGE,
            store=store,
            producer=producer,
            dead_letters=DeadLetters(producer, group=GROUP),
            clock=lambda: datetime.now(UTC),
        )
        consumer = KafkaConsumer(settings.bootstrap_servers, group=GROUP)
        status.write("ready")
        limits = Limits(drain_timeout_s=settings.drain_timeout_s)
        Runner(consumer, [AudioUploaded.TOPIC], processor, limits, status.beat).run(stop)
    producer.close()


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(TranscriberSettings)
    return service.run(STAGE, settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
