from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import layout, states
from pipeline.contracts.events import ObjectRef, TranscriptReady, envelope, failure, status
from pipeline.contracts.transcript import sha256_hex
from pipeline.errors import CallFault, Fatal, RazgovorError, RetriableFault, Transient, WorkerCrashed
from pipeline.outcome import Outcome, PutObject
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.result import assemble
from services.transcriber.fakes import TWO_SPEAKERS, FakeEngine, FakeFrontEnd
from services.transcriber.handler import find_transcript, handle, started
from services.transcriber.ports import EngineCrashed, Ports
from tests.unit.transcriber.events import ACCEPTED_AT, AUDIO, uploaded

RUSSIAN = Hearing(language="ru")

RECEIVED_AT = ACCEPTED_AT + timedelta(seconds=2)
EVENT = uploaded()


def ports(front_end: FakeFrontEnd | None = None, engine: FakeEngine | None = None, audio: bytes = AUDIO) -> Ports:
    store = MemoryStore()
    store.put(EVENT.audio.key, audio, media_type="audio/wav")
    return Ports(store, front_end or FakeFrontEnd(), engine or FakeEngine())


def expected() -> Outcome[PutObject]:
    heard = FakeEngine().transcribe(TWO_SPEAKERS.windows, RUSSIAN)
    transcript = assemble(EVENT, TWO_SPEAKERS, heard, FakeEngine.facts, 2000)
    data = transcript.to_bytes()
    key = layout.transcript_key("job-1", 1, sha256_hex(data))
    ready = TranscriptReady(
        **envelope(EVENT, "transcript.ready"),
        audio_sha256=EVENT.audio.sha256,
        transcript=ObjectRef(key=key, sha256=sha256_hex(data), size_bytes=len(data)),
        call_info_key="jobs/job-1/call.json",
        locale="ru",
        formats=("txt", "vtt"),
        language="ru",
        channel_mode="stereo",
        channels=2,
        duration_ms=10_000,
        speech_ms=4_000,
        words=8,
        confidence=transcript.confidence,
        engine="fake 1",
        model="numbers",
        model_sha256="0" * 64,
        turns=2,
        timings=transcript.timings,
    )
    return Outcome(effects=(PutObject(key, data, "application/json"),), events=(ready,))


def test_a_call_becomes_a_transcript_and_its_announcement() -> None:
    assert handle(EVENT, RECEIVED_AT, ports()) == expected()


def found(store: MemoryStore) -> TranscriptReady | None:
    prefix = layout.run_prefix("job-1", 1)
    return find_transcript(EVENT, store, [blob.key.removeprefix(prefix) for blob in store.list(prefix)])


def test_the_announcement_of_a_transcript_that_lies_there_is_the_same() -> None:
    store = MemoryStore()
    [put] = expected().effects
    store.put(put.key, put.data, media_type=put.media_type)

    assert (found(store),) == expected().events


def test_artefacts_markers_and_damaged_transcripts_are_none() -> None:
    store = MemoryStore()
    [put] = expected().effects
    store.put(put.key, put.data[:-1], media_type=put.media_type)
    store.put(layout.artefact_key("job-1", 1, "aa", "txt"), b"text", media_type="text/plain")
    store.put(layout.start_key("job-1", 1, 1), b"", media_type="text/plain")

    assert found(store) is None


def test_the_start_is_told() -> None:
    assert started(EVENT) == status(EVENT, states.TRANSCRIBING, "transcriber")


def test_a_recording_that_is_not_there_is_looked_for_again_before_the_job_fails() -> None:
    there = ports()
    there.store.delete(EVENT.audio.key)

    with pytest.raises(RetriableFault) as caught:
        handle(EVENT, RECEIVED_AT, there)
    assert caught.value.reason == "audio_missing"


def test_other_bytes_than_the_accepted_ones_are_read_again_before_the_job_fails() -> None:
    with pytest.raises(RetriableFault) as caught:
        handle(EVENT, RECEIVED_AT, ports(audio=b"another"))
    assert caught.value.reason == "audio_mismatch"


def test_a_fault_of_the_call_fails_the_job_with_its_figures() -> None:
    fault = CallFault("too_long", limit_s=14_400.0)

    assert handle(EVENT, RECEIVED_AT, ports(front_end=FakeFrontEnd(error=fault))) == Outcome(
        events=(failure(EVENT, "transcriber", "too_long", {"limit_s": "14400.0"}),)
    )


def test_a_fault_of_the_engine_fails_the_job() -> None:
    assert handle(EVENT, RECEIVED_AT, ports(engine=FakeEngine(error=CallFault("engine_failed")))) == Outcome(
        events=(failure(EVENT, "transcriber", "engine_failed"),)
    )


@pytest.mark.parametrize("error", [Transient("away"), Fatal("no model"), EngineCrashed("died"), WorkerCrashed()])
def test_what_is_more_than_the_calls_fault_is_the_processors_business(error: RazgovorError) -> None:
    with pytest.raises(type(error)):
        handle(EVENT, RECEIVED_AT, ports(engine=FakeEngine(error=error)))


def test_a_worker_whose_clock_is_behind_waited_not_at_all() -> None:
    [put] = handle(EVENT, ACCEPTED_AT - timedelta(hours=1), ports()).effects

    assert b'"queue_wait_ms":0' in put.data
