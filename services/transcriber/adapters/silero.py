"""Silero VAD on onnxruntime: how likely each frame of a channel is to be speech. Used by `listening` in its child.

The weights come out of the `silero-vad` distribution without importing it (that would need torch). Its sequence file
hears telephone speech that the file shipped with faster-whisper misses.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pipeline.errors import Fatal
from services.transcriber.adapters import pcm
from services.transcriber.domain.timeline import FRAME_SAMPLES, Span

_WEIGHTS: Final = "silero_vad/data/silero_vad_16k_sequence.onnx"
_CONTEXT_SAMPLES: Final = 64
_STATE_SHAPE: Final = (1, 1, 128)


def weights() -> Path:
    """The file that the installed distribution carries.

    Raises:
        Fatal: It is not installed, or without the file.
    """
    try:
        path = Path(str(distribution("silero-vad").locate_file(_WEIGHTS)))
    except PackageNotFoundError as error:
        raise Fatal("the package silero-vad is not installed") from error
    if not path.is_file():
        raise Fatal(f"the installed silero-vad has no {_WEIGHTS}")
    return path


class Silero:
    """The model, loaded. One thread: the front end runs in as many processes as there are cores to spare."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )

    def probabilities(self, channel: Path, frames: Span) -> NDArray[np.float32]:
        """Of speech, shape (frames,), float32, 0 to 1; the model's memory begins anew at the span's start.

        Args:
            channel: Its samples, raw float32 at 16 kHz.
            frames: Which frames, counted in frames.
        """
        hidden = np.zeros(_STATE_SHAPE, dtype=np.float32)
        cell = np.zeros(_STATE_SHAPE, dtype=np.float32)
        context = np.zeros((1, _CONTEXT_SAMPLES), dtype=np.float32)
        parts: list[NDArray[np.float32]] = []
        for block in pcm.blocks(channel, frames):
            tails = block[:, FRAME_SAMPLES - _CONTEXT_SAMPLES :]
            contexts = np.concatenate([context, tails[:-1]])
            context = tails[-1:]
            likely, hidden, cell = self._session.run(
                ["speech_probs", "hn", "cn"],
                {"input": np.concatenate([contexts, block], axis=1), "h": hidden, "c": cell},
            )
            parts.append(np.asarray(likely, dtype=np.float32).reshape(-1))
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
