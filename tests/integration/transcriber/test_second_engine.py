"""Calls through all of the transcriber with the second engine, on tiny models of true shape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.contracts.events import TranscriptReady
from pipeline.contracts.transcript import Transcript
from pipeline.testing.waiting import eventually
from razgovor.local_transcriber import local_transcriber, settings
from services.transcriber import models
from services.transcriber.testing.tiny_onnx import WORDS, build
from tests.integration.transcriber.recordings import SAMPLES, noise, silence, write_wav
from tests.integration.transcriber.worker import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CALL = SAMPLES / "bank.wav"
ROOM = {"TRANSCRIBER_DECODE_MEMORY_BYTES": str(2 << 30), "TRANSCRIBER_ENGINE_MEMORY_BYTES": str(1 << 30)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.close()


def judge(transcript: Transcript) -> None:
    """The model's words and no others, in time, on both channels."""
    assert {turn.channel for turn in transcript.turns} == {0, 1}
    words = [word for turn in transcript.turns for word in turn.words]
    assert len(words) > 20
    said = {word.text.strip(",").lower() for word in words}  # the last of a window may be cut off
    assert all(any(known.startswith(one) for known in WORDS) for one in said)
    assert len(said & set(WORDS)) > 5
    for channel in (0, 1):
        starts_s = [word.start_s for turn in transcript.turns if turn.channel == channel for word in turn.words]
        assert all(earlier <= later for earlier, later in pairwise(starts_s))
    assert all(0 < word.confidence <= 1 for word in words)
    assert all(word.start_s <= word.end_s <= transcript.duration_s for word in words)


def test_a_call_goes_through_a_worker_and_another_language_is_refused(world: World, tmp_path: Path) -> None:
    folder = build(tmp_path / "gigaam", "gigaam-v3-ctc")
    cache = str(tmp_path / "cache")
    model = models.resolve(str(folder), cache=Path(cache), may_fetch=False)
    world.service(
        TRANSCRIBER_ENGINE="onnx-asr",
        TRANSCRIBER_MODEL=str(folder),
        TRANSCRIBER_MODEL_CACHE_DIR=cache,
        **ROOM,
    ).await_ready()
    world.upload_bytes("russian", CALL.read_bytes())
    world.upload_bytes("english", CALL.read_bytes(), language="en")
    eventually(lambda: world.ready() == {"russian"} and "english" in world.failed(), deadline_s=120)

    assert world.failed() == {"english": "unsupported_language"}
    [ready] = [event for event in world.events() if isinstance(event, TranscriptReady)]
    assert ready.engine.startswith("onnx-asr ")
    assert (ready.model, ready.model_sha256) == ("gigaam", model.sha256)
    transcript = Transcript.from_bytes(world.store.read(ready.transcript.key))
    assert transcript.provenance.parameters["kind"] == "gigaam-v3-ctc"
    judge(transcript)


@pytest.mark.parametrize("kind", ["t-one-ctc", "vosk", "gigaam-v3-e2e-rnnt"])
def test_files_are_heard_by_each_family(tmp_path: Path, kind: str) -> None:
    quiet = write_wav(tmp_path / "quiet.wav", silence(5.0), noise(5.0))
    chosen = settings(model=str(build(tmp_path / kind, kind)), model_cache_dir=tmp_path / "cache", scratch_dir=tmp_path)
    with local_transcriber(chosen) as transcriber:
        heard = {each.path.name: each for each in transcriber.hear([CALL, quiet])}

    call, nobody = heard[CALL.name].transcript, heard[quiet.name].transcript
    assert call is not None
    judge(call)
    assert nobody is not None
    assert nobody.turns == ()


def test_a_loop_is_kept_out_by_the_filters_and_heard_once(tmp_path: Path) -> None:
    folder = build(tmp_path / "babbler", "gigaam-v3-ctc", words=("да",))
    chosen = settings(model=str(folder), model_cache_dir=tmp_path / "cache", scratch_dir=tmp_path)
    with local_transcriber(chosen) as transcriber:
        [heard] = transcriber.hear([CALL])

    assert heard.transcript is not None
    assert {item.reason for item in heard.transcript.suppressed} >= {"repetition"}
