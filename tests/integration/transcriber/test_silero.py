from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.vad import SileroVADModel

from services.transcriber.adapters import pcm
from services.transcriber.adapters.front_end import ChildFrontEnd
from services.transcriber.adapters.silero import Silero, weights
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.timeline import FRAME_SAMPLES, Span
from tests.integration.transcriber.recordings import SAMPLES, sha256


@pytest.fixture
def channel(front_end: ChildFrontEnd) -> Iterator[Path]:
    """The operator's side of a call."""
    recording = SAMPLES / "bank.wav"
    with front_end.prepare(recording, Recording(call="j/1", sha256=sha256(recording))) as call:
        yield call.windows[0].pcm


def test_blocks_give_what_the_whole_gives(channel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silero = Silero(weights())
    monkeypatch.setattr(pcm, "BLOCK_FRAMES", 2000)
    whole = silero.probabilities(channel, Span(0, 2000))
    monkeypatch.setattr(pcm, "BLOCK_FRAMES", 37)

    in_blocks = silero.probabilities(channel, Span(0, 2000))

    assert len(whole) == 2000
    assert np.allclose(whole, in_blocks, atol=1e-5)


def test_our_frames_are_faster_whispers(channel: Path) -> None:
    samples = np.fromfile(channel, dtype=np.float32)[: 1500 * FRAME_SAMPLES]

    ours = Silero(weights()).probabilities(channel, Span(0, 1500))
    theirs = SileroVADModel(str(weights()))(samples)

    assert np.allclose(ours, np.ravel(theirs), atol=1e-3)


def test_a_voice_is_told_from_its_pauses(channel: Path) -> None:
    likely = Silero(weights()).probabilities(channel, Span(0, 2300))

    assert 0.3 < (likely >= 0.5).mean() < 0.7


def test_no_frames_have_no_probabilities(channel: Path) -> None:
    assert Silero(weights()).probabilities(channel, Span(5, 5)).size == 0
