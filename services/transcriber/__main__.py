"""`python -m services.transcriber`: constructs the transcriber and runs it until it is told to stop.

The model is loaded and warmed before the group is joined: a worker that cannot work takes no calls.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from pipeline import service
from pipeline.audio.contract import DecodeLimits
from pipeline.blobs.location import store_at
from pipeline.blobs.metered import MeteredStore
from pipeline.contracts.events import AudioUploaded
from pipeline.contracts.topics import rare_group
from pipeline.errors import Fatal
from pipeline.service import StatusFile
from pipeline.stream.events import EventProcessor
from pipeline.stream.kafka import EvenConsumer, KafkaProducer
from pipeline.stream.metered import MeteredProducer
from pipeline.stream.registry import wire_at
from pipeline.stream.retries import RetryTopic, retry_topic
from pipeline.stream.runner import Limits, Runner
from pipeline.stream.safeguards import Safeguards
from services.transcriber import models
from services.transcriber.adapters.engine import ChildRecognizer, EngineLimits, Load, load_onnx, load_whisper
from services.transcriber.adapters.front_end import ChildFrontEnd, FrontEndLimits
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.adapters.requests import (
    OnnxOptions,
    WhisperOptions,
    onnx_facts,
    speech_detection,
    whisper_facts,
)
from services.transcriber.batching import BatchingEngine, BatchingRules, Watch, courses
from services.transcriber.domain.hearing import Capacity, Features, Search, TimeAxis
from services.transcriber.domain.packing import PackingRule
from services.transcriber.domain.preparation import Rules
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.speech import SpeechRule
from services.transcriber.handler import STAGE
from services.transcriber.intake import Handling, Intake
from services.transcriber.metered import BatchingMetrics, MeteredEngine, MeteredFrontEnd, counting_waits
from services.transcriber.models import Model
from services.transcriber.models.formats import Format
from services.transcriber.ports import Engine, FrontEnd, Ports, Recognizer, StillWanted
from services.transcriber.settings import TranscriberSettings

#: Workers share the calls; ingest's relay looks at this group's commits, so it is no setting.
GROUP: Final = "transcriber"
RETRIES: Final = retry_topic(AudioUploaded.TOPIC)
TOPICS: Final = (AudioUploaded.TOPIC, RETRIES)
#: Batches of windows that the calls under way are to fill, if each call gave but one window.
IN_FLIGHT_BATCHES: Final = 4
#: Two at least: one alone would let a long recording hold up all others.
FRONT_ENDS: Final = min(max(2, len(os.sched_getaffinity(0))), 8)


def _now() -> datetime:
    return datetime.now(UTC)


def chosen_model(settings: TranscriberSettings) -> Model:
    """The model named by the settings, checked; never fetched here, so that a worker's start needs no network.

    Raises:
        Fatal: It is not here, is damaged, or is made for another engine than the settings want.
    """
    cache = settings.model_cache_dir or Path.home() / ".cache" / "razgovor"
    model = models.resolve(settings.model, cache=cache, may_fetch=False)
    made_for = model.format.engine
    if settings.engine not in {None, made_for}:
        raise Fatal(
            f"the model {model.name} is made for the engine {made_for} and TRANSCRIBER_ENGINE is {settings.engine}: "
            "name a model of that engine (`razgovor models list`), or leave TRANSCRIBER_ENGINE away"
        )
    return model


def rules(settings: TranscriberSettings) -> Rules:
    """What decides which sound the engine is given."""
    return Rules(
        speech=SpeechRule(
            threshold=settings.vad_threshold,
            min_silence_s=settings.vad_min_silence_s,
            pad_s=settings.vad_pad_s,
        ),
        packing=PackingRule(window_s=settings.window_s),
    )


def front_end(settings: TranscriberSettings, features: Features, still_wanted: StillWanted) -> ChildFrontEnd:
    """The front end as the settings say, for an engine that listens to these features."""
    return ChildFrontEnd(
        scratch_dir=settings.scratch_dir,
        rules=rules(settings),
        limits=FrontEndLimits(
            decode=DecodeLimits(max_duration_s=settings.max_duration_s, max_channels=settings.max_channels),
            timeout_s=settings.decode_timeout_s,
            memory_bytes=settings.decode_memory_bytes,
            long_recording_s=settings.long_recording_s,
        ),
        children=settings.front_ends or FRONT_ENDS,
        features=features,
        still_wanted=still_wanted,
    )


def recognizers(settings: TranscriberSettings) -> list[ChildRecognizer]:
    """A speech model in a child of its own for each device that the settings name.

    Raises:
        Fatal: There is no such model, or its engine is not installed.
    """
    model = chosen_model(settings)
    limits = EngineLimits(
        start_timeout_s=settings.engine_start_timeout_s,
        base_timeout_s=settings.engine_base_timeout_s,
        timeout_per_speech_s=settings.engine_timeout_per_speech_s,
        memory_bytes=settings.engine_memory_bytes,
    )
    return [
        ChildRecognizer(
            load,
            facts,
            slots=settings.workers,
            ahead=settings.batches_ahead,
            express=settings.express_workers,
            limits=limits,
        )
        for load, facts in (_hearer(settings, model, number) for number in settings.devices)
    ]


def _hearer(settings: TranscriberSettings, model: Model, device_index: int) -> tuple[Load, EngineFacts]:
    """What loads the model in a child, and what it is."""
    files = ModelFiles(folder=model.folder, name=model.name, sha256=model.sha256)
    if model.format.engine == "onnx-asr":
        onnx = onnx_options(settings, model.format, device_index)
        return partial(load_onnx, files, onnx), onnx_facts(files, onnx)
    whisper = whisper_options(settings, device_index)
    return partial(load_whisper, files, whisper), whisper_facts(files, whisper)


def onnx_options(settings: TranscriberSettings, format_: Format, device_index: int) -> OnnxOptions:
    """How a model of the second engine runs on one of the devices."""
    return OnnxOptions(
        kind=format_.name,
        quantization=format_.quantization,
        device=settings.device,
        device_index=device_index,
        workers=settings.workers,
        threads=settings.threads,
        batch_size=settings.batch_size,
        ahead=settings.batches_ahead,
        express=settings.express_workers,
    )


def whisper_options(settings: TranscriberSettings, device_index: int) -> WhisperOptions:
    """How the model runs on one of the devices."""
    return WhisperOptions(
        device=settings.device,
        device_index=device_index,
        compute_type=settings.compute_type,
        workers=settings.workers,
        threads=settings.threads,
        batch_size=settings.batch_size,
        ahead=settings.batches_ahead,
        express=settings.express_workers,
        beam_size=settings.beam_size,
        axis=TimeAxis(
            step_s=settings.axis_step_s,
            pause_s=settings.axis_pause_s,
            least_s=settings.axis_least_s,
        ),
    )


def engine(
    settings: TranscriberSettings, hearers: Sequence[Recognizer], still_wanted: StillWanted, watch: Watch
) -> BatchingEngine:
    """The engine as the settings say, over recognizers that were started; see `fitting`."""
    retries = {"retries": courses.VERSION} if hearers[0].capacity.searches else {}
    return BatchingEngine(
        hearers,
        BatchingRules(search=Search(beam_size=settings.beam_size), linger_s=settings.linger_s),
        parameters={"vad": speech_detection(), **rules(settings).parameters, **retries},
        still_wanted=still_wanted,
        watch=watch,
    )


def fitting(settings: TranscriberSettings, capacities: Iterable[Capacity]) -> TranscriberSettings:
    """The settings with windows that are not too long for what hears them: GigaAM takes 25 s at most."""
    longest_s = min(capacity.window_s for capacity in capacities)
    return settings.model_copy(update={"window_s": min(settings.window_s, longest_s)})


@contextmanager
def started_children(
    settings: TranscriberSettings, still_wanted: StillWanted, watch: Watch
) -> Iterator[tuple[ChildFrontEnd, BatchingEngine]]:
    """Front end and engine, loaded and warm; ended with the context."""
    with ExitStack() as opened:
        hearers = [opened.enter_context(closing(recognizer)) for recognizer in recognizers(settings)]
        for recognizer in hearers:
            recognizer.start()
        settings = fitting(settings, (recognizer.capacity for recognizer in hearers))
        hearer = opened.enter_context(closing(engine(settings, hearers, still_wanted, watch)))
        hearer.start()
        features = hearers[0].capacity.features
        listener = opened.enter_context(closing(front_end(settings, features, still_wanted)))
        listener.start()
        yield listener, hearer


#: What makes front end and engine, started, for as long as the context lasts.
Children: TypeAlias = Callable[
    [TranscriberSettings, StillWanted, Watch], AbstractContextManager[tuple[FrontEnd, Engine]]
]


def serve(
    settings: TranscriberSettings, stop: threading.Event, status: StatusFile, *, children: Children = started_children
) -> None:
    """Construct, load the model, wait for the peers, run, drain. `children` are replaced by test builds alone."""
    metrics = status.metrics
    store = MeteredStore(store_at(settings.store_url, settings.store_options), metrics)
    producer = MeteredProducer(KafkaProducer(settings.kafka), metrics)
    places = settings.max_in_flight or IN_FLIGHT_BATCHES * settings.batch_size
    intake = Intake(
        store,
        takeover_after_s=settings.takeover_after_s,
        places=places,
        long_recording_s=settings.long_recording_s,
    )
    with children(settings, intake.still_wanted, BatchingMetrics(metrics)) as (listener, hearer):
        guards = Safeguards.of(
            store,
            producer,
            group=GROUP,
            clock=_now,
            tell=status.write,
            retries=RetryTopic(producer, metrics),
            metrics=metrics,
        )
        wire = wire_at(settings.registry)
        peers = ((producer.verify, "broker"), (wire.verify, "schema registry"))
        waits = (*peers, (store.verify, "store"), (guards.fuse.look, "store"))
        if not all(service.wait_for(verify, stop, status, peer) for verify, peer in waits):
            return
        ports = Ports(store=store, front_end=MeteredFrontEnd(listener, metrics), engine=MeteredEngine(hearer, metrics))
        handling = Handling(intake, ports)
        processor = EventProcessor(
            handling.decide,
            expects=AudioUploaded,
            announce=counting_waits(handling.announce, metrics, _now),
            stage=STAGE,
            store=store,
            producer=producer,
            guards=guards,
            clock=_now,
            wire=wire,
            announce_looks=True,
        )
        consumer = EvenConsumer.connected(
            settings.kafka, group=GROUP, rare_group=rare_group(GROUP), rare={RETRIES}, metrics=metrics
        )
        guards.watch_fuse(stop)
        if not guards.fuse.blown:
            status.write("ready")
        limits = Limits(
            max_in_flight=places,
            drain_timeout_s=settings.drain_timeout_s,
            delays_s={RETRIES: settings.retry_delay_s},
        )
        process = intake.around(processor)
        Runner(consumer, TOPICS, process, limits, status.beat, custody=intake, metrics=metrics).run(stop)
    producer.close()


def main() -> int:
    """Run with the settings of the environment; the exit status."""
    settings = service.load(TranscriberSettings)
    return service.run(STAGE, settings, partial(serve, settings))


if __name__ == "__main__":
    sys.exit(main())
