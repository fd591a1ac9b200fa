"""Where nobody speaks no words come out: not through speech detection, and not without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.prepared import PreparedCall, PreparedChannel
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import assemble
from services.transcriber.domain.windows import Window
from services.transcriber.fakes import window
from services.transcriber.ports import Engine, FrontEnd
from tests.integration.transcriber.nonspeech import KINDS, SECONDS
from tests.integration.transcriber.recordings import sha256, write_wav
from tests.unit.transcriber.events import uploaded


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_heard_where_nobody_speaks(kind: str, front_end: ChildFrontEnd, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "call.wav", KINDS[kind](), np.roll(KINDS[kind](), 4000))

    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        assert call.windows == ()


@pytest.mark.model
@pytest.mark.slow
def test_what_the_model_invents_without_speech_detection_is_kept_out(
    shipped: tuple[FrontEnd, Engine], tmp_path: Path
) -> None:
    _, engine = shipped
    windows = tuple(_windows(tmp_path))
    heard = engine.transcribe(windows, Hearing(language="ru"))
    call = PreparedCall(duration_s=SECONDS, channels=tuple(PreparedChannel() for _ in KINDS), windows=windows)

    transcript = assemble(uploaded(), call, heard, engine.facts, 0)

    assert [turn.text for turn in transcript.turns] == []
    # The model did say something: the filters had to do with it.
    assert len(transcript.suppressed) >= len(KINDS) - 2
    assert {item.reason for item in transcript.suppressed} >= {"sound_caption", "no_speech"}


def _windows(folder: Path) -> Iterator[Window]:
    """All of each sound, as speech detection would never give it."""
    for channel, (kind, sound) in enumerate(KINDS.items()):
        file = folder / f"{kind}.f32"
        np.repeat(sound(), 2).astype(np.float32).tofile(file)
        yield window(channel, (0.0, SECONDS), pcm=file, call="nobody")
