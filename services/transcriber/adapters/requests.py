"""What the parent asks its children for. Known to both sides, so that neither side need know the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.domain.hearing import Hearing
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts
from services.transcriber.domain.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the child is asked for.

    Attributes:
        audio: The recording's bytes.
        folder: Where the channels' files go.
        recording: What is known of it.
    """

    audio: Path
    folder: Path
    recording: Recording


@dataclass(frozen=True, slots=True)
class CallWindows:
    """What the engine's child is asked for."""

    windows: tuple[Window, ...]
    hearing: Hearing


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


def whisper_facts(
    files: ModelFiles, options: WhisperOptions, parameters: Mapping[str, str | float] | None = None
) -> EngineFacts:
    """What goes into the provenance: the engine's, with `parameters` of others beside its own."""
    return EngineFacts(
        engine=f"faster-whisper {version('faster-whisper')} / ctranslate2 {version('ctranslate2')}",
        model=files.name,
        model_sha256=files.sha256,
        parameters={
            "compute_type": options.compute_type,
            "beam_size": options.beam_size,
            "batch_size": options.batch_size,
            **(parameters or {}),
        },
    )
