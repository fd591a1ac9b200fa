"""What the parent asks its children for. Known to both sides, so that neither side need know the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from services.transcriber.domain.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the child is asked for.

    Attributes:
        audio: The recording.
        folder: Where the channels' files go.
        call: Goes into the windows.
        sha256: What the recording's bytes must hash to.
    """

    audio: Path
    folder: Path
    call: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Hearing:
    """What the child is asked for."""

    windows: tuple[Window, ...]
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperOptions:
    """How the model runs.

    Attributes:
        device: `cpu` or `cuda`.
        compute_type: CTranslate2's: `int8` on a CPU, `float16` or `int8_float16` on a GPU.
        workers: Batches at once.
        threads: Of each worker; one each is fastest on a CPU.
        batch_size: Windows in a batch.
        beam_size: Hypotheses kept by the search.
    """

    device: str = "cpu"
    compute_type: str = "int8"
    workers: int = 2
    threads: int = 1
    batch_size: int = 4
    beam_size: int = 5
