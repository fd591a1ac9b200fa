from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.blobs.memory import MemoryStore
from pipeline.contracts import events, layout
from pipeline.contracts.events import Artefact, Completion, ObjectRef, TranscriptReady
from pipeline.contracts.transcript import Transcript, sha256_hex
from pipeline.errors import CallFault, RetriableFault, Transient
from pipeline.formats import FORMATS
from pipeline.outcome import Outcome, PutObject
from pipeline.testing import samples
from services.exporter.handler import handle, skipped_formats
from tests.unit.pipeline.formats import calls


def _stored(transcript: Transcript | bytes, **fields: Any) -> tuple[TranscriptReady, MemoryStore]:
    """A store with transcript and call.json, and the event that announces them."""
    data = transcript if isinstance(transcript, bytes) else transcript.to_bytes()
    sha256 = sha256_hex(data)
    ref = ObjectRef(key=layout.transcript_key("job-1", 1, sha256), sha256=sha256, size_bytes=len(data))
    store = MemoryStore()
    store.put(ref.key, data, media_type="application/json")
    store.put(layout.call_info_key("job-1"), calls.INFO.to_bytes(), media_type="application/json")
    return samples.transcript_ready(**{"transcript": ref, **fields}), store


def _expected(event: TranscriptReady, made: dict[str, bytes]) -> events.JobStatus:
    completion = Completion(
        language=event.language,
        channel_mode=event.channel_mode,
        channels=event.channels,
        duration_ms=event.duration_ms,
        speech_ms=event.speech_ms,
        words=event.words,
        confidence=event.confidence,
        partial=event.partial,
        warnings=event.warnings,
        engine=event.engine,
        model=event.model,
        model_sha256=event.model_sha256,
        transcript=event.transcript,
        artefacts=tuple(
            Artefact(
                format=name,
                key=layout.artefact_key("job-1", 1, event.transcript.sha256, name),
                sha256=sha256_hex(data),
                size_bytes=len(data),
            )
            for name, data in made.items()
        ),
        timings=event.timings,
    )
    return events.status(event, "completed", "exporter", completion=completion)


def _apply(outcome: Outcome[PutObject], store: MemoryStore) -> None:
    for effect in outcome.effects:
        store.put(effect.key, effect.data, media_type=effect.media_type)


def test_a_transcript_becomes_its_files_and_one_completed() -> None:
    call = calls.conversation()
    event, store = _stored(call, partial=True, warnings=("truncated_audio",), confidence=None)
    before = dict(store.objects)
    made = {name: FORMATS[name].render(call, calls.INFO, "ru") for name in event.formats}
    assert handle(event, store) == Outcome(
        effects=tuple(
            PutObject(layout.artefact_key("job-1", 1, event.transcript.sha256, name), data, FORMATS[name].media_type)
            for name, data in made.items()
        ),
        events=(_expected(event, made),),
    )
    assert store.objects == before


def test_every_format_can_be_asked_for() -> None:
    event, store = _stored(calls.conversation(), formats=tuple(FORMATS))
    outcome = handle(event, store)
    assert [effect.key.rpartition("/")[2] for effect in outcome.effects] == [
        "call.txt",
        "call.vtt",
        "call.srt",
        "call.json",
        "call.xlsx",
    ]
    _apply(outcome, store)
    canonical = store.read(layout.artefact_key("job-1", 1, event.transcript.sha256, "json"))
    assert canonical == store.read(event.transcript.key)


def test_an_event_that_comes_again_makes_nothing_and_says_the_same() -> None:
    event, store = _stored(calls.conversation())
    first = handle(event, store)
    _apply(first, store)
    assert handle(event, store) == Outcome(events=first.events)


def test_after_a_crash_between_two_files_the_missing_one_is_made() -> None:
    event, store = _stored(calls.conversation())
    first = handle(event, store)
    lost = first.effects[1]
    _apply(first, store)
    store.delete(lost.key)
    assert handle(event, store) == Outcome(effects=(lost,), events=first.events)


def test_a_file_of_another_release_stays_and_is_the_one_announced() -> None:
    event, store = _stored(calls.conversation(), formats=("txt",))
    key = layout.artefact_key("job-1", 1, event.transcript.sha256, "txt")
    store.put(key, b"as it was", media_type="text/plain")
    assert handle(event, store) == Outcome(events=(_expected(event, {"txt": b"as it was"}),))


def test_the_locale_of_the_event_is_the_language_of_the_files() -> None:
    event, store = _stored(calls.conversation(), formats=("txt",), locale="en")
    [effect] = handle(event, store).effects
    assert effect.data.startswith(b"Call transcript\n")


def test_a_transcript_that_is_not_there_is_looked_for_again() -> None:
    event, store = _stored(calls.conversation())
    store.delete(event.transcript.key)
    with pytest.raises(RetriableFault) as caught:
        handle(event, store)
    assert caught.value.reason == "transcript_missing"


@pytest.mark.parametrize("change", ["bytes", "job", "run", "schema", "not JSON", "NaN", "Infinity"])
def test_a_transcript_that_is_not_the_announced_one_or_unreadable_fails_the_job(change: str) -> None:
    call = calls.conversation()
    raw = json.loads(call.to_bytes())
    data = {
        "bytes": call.to_bytes(),
        "job": call.model_copy(update={"job_id": "job-2"}).to_bytes(),
        "run": call.model_copy(update={"run": 2}).to_bytes(),
        "schema": json.dumps({**raw, "schema": "razgovor.transcript/2"}).encode(),
        "not JSON": b"{",
        "NaN": json.dumps({**raw, "duration_s": float("nan")}).encode(),
        "Infinity": json.dumps({**raw, "turns": [{**raw["turns"][0], "end_s": float("inf")}]}).encode(),
    }[change]
    event, store = _stored(data)
    if change == "bytes":
        store.put(event.transcript.key, data + b" ", media_type="application/json")
    with pytest.raises(CallFault) as caught:
        handle(event, store)
    assert caught.value.reason == "transcript_invalid"
    assert isinstance(caught.value, RetriableFault) == (change == "bytes")


@pytest.mark.parametrize("info", [None, b"", b'{"operator": 5}', b'{"of_tomorrow": "x"}'])
def test_without_readable_call_info_the_files_are_made_without_it(info: bytes | None) -> None:
    call = calls.conversation()
    event, store = _stored(call, formats=("txt",))
    key = layout.call_info_key("job-1")
    if info is None:
        store.delete(key)
    else:
        store.put(key, info, media_type="application/json")
    made = {"txt": FORMATS["txt"].render(call, None, "ru")}
    assert handle(event, store).events == (_expected(event, made),)


def test_an_event_that_names_no_call_info_is_exported_without_it() -> None:
    call = calls.conversation()
    event, store = _stored(call, formats=("txt",), call_info_key=None)
    assert handle(event, store).events == (_expected(event, {"txt": FORMATS["txt"].render(call, None, "ru")}),)


def test_a_format_of_a_newer_release_is_skipped_and_one_asked_for_twice_made_once() -> None:
    call = calls.conversation()
    event, store = _stored(call, formats=("docx", "txt", "../../etc/x", "txt"))
    outcome = handle(event, store)
    assert outcome.events == (_expected(event, {"txt": FORMATS["txt"].render(call, calls.INFO, "ru")}),)
    assert len(outcome.effects) == 1
    assert skipped_formats(event) == ("docx", "../../etc/x")


def test_a_job_that_wants_no_files_completes_with_its_transcript() -> None:
    event, store = _stored(calls.transcript(), formats=())
    assert handle(event, store) == Outcome(events=(_expected(event, {}),))


class _Away(MemoryStore):
    def read(self, key: str) -> bytes:
        raise Transient(f"{key} cannot be read now")


def test_a_store_that_does_not_answer_is_no_fault_of_the_call() -> None:
    event, _store = _stored(calls.conversation())
    with pytest.raises(Transient):
        handle(event, _Away())


def test_no_event_carries_what_was_said_or_who_said_it() -> None:
    event, store = _stored(calls.conversation(), formats=tuple(FORMATS))
    said = "".join(message.model_dump_json() for message in handle(event, store).events)
    assert not any(secret in said for secret in ("Иванова", "900 000", "Марина", ".wav"))
