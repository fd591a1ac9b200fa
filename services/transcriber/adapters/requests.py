"""What the parent asks its children for. Known to both sides, so that neither side need know the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from pipeline.errors import Fatal
from services.transcriber.adapters.model_files import ModelFiles
from services.transcriber.domain.hearing import CUT_AXIS, Features, TimeAxis
from services.transcriber.domain.recording import Recording
from services.transcriber.domain.result import EngineFacts

#: What models of onnx-asr look at: every axis holds a pause after the longest passage.
ONNX_AXIS: Final = TimeAxis(step_s=4.0, pause_s=0.25, least_s=4.0, whole_s=32.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the child is asked for.

    Attributes:
        audio: The recording's bytes.
        folder: Where the channels' files go.
        recording: What is known of it.
        features: What the engine listens to: a spectrum is computed with the windows.
    """

    audio: Path
    folder: Path
    recording: Recording
    features: Features = Features.SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOptions:
    """How any model runs on a device.

    Attributes:
        device: `cpu` or `cuda`.
        device_index: Which of the GPUs.
        workers: Batches at once.
        threads: Of each worker; one each is fastest on a CPU.
        batch_size: Passages in a batch.
        ahead: Batches that wait in the child, so that the device never waits for the parent.
        express: Workers beyond these, for small calls while the others hold long ones.
    """

    device: str = "cpu"
    device_index: int = 0
    workers: int = 2
    threads: int = 1
    batch_size: int = 4
    ahead: int = 0
    express: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WhisperOptions(DeviceOptions):
    """How Whisper runs.

    Attributes:
        compute_type: CTranslate2's: `int8` on a CPU, `float16` or `int8_float16` on a GPU.
        beam_size: Hypotheses kept by the search.
        axis: How much time the model looks at.
    """

    compute_type: str = "int8"
    beam_size: int = 5
    axis: TimeAxis = CUT_AXIS


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxOptions(DeviceOptions):
    """How a model of onnx-asr runs.

    Attributes:
        kind: What onnx-asr calls it: `gigaam-v3-ctc`, `t-one-ctc`, `vosk` ...
        quantization: Which of the weights, if not those of full precision: `int8`.
    """

    kind: str
    quantization: str | None = None


def whisper_facts(files: ModelFiles, options: WhisperOptions) -> EngineFacts:
    """What goes into the provenance: of the options those that may change words."""
    return EngineFacts(
        engine=f"faster-whisper {version('faster-whisper')} / ctranslate2 {version('ctranslate2')}",
        model=files.name,
        model_sha256=files.sha256,
        parameters={
            "device": options.device,
            "compute_type": options.compute_type,
            "beam_size": options.beam_size,
            **options.axis.parameters,
        },
    )


def onnx_facts(files: ModelFiles, options: OnnxOptions, *, installed: Callable[[str], str] = version) -> EngineFacts:
    """What goes into the provenance: of the options those that may change words.

    Raises:
        Fatal: The engine is not installed; the message says how to.
    """
    try:
        engine = f"onnx-asr {installed('onnx-asr')}"
    except PackageNotFoundError as error:
        raise Fatal(
            f"the model {files.name} needs the engine onnx-asr, which is not installed: "
            "`pip install --no-deps --require-hashes -r requirements/onnx.txt`, or `pip install 'razgovor[onnx]'`"
        ) from error
    return EngineFacts(
        engine=f"{engine} / onnxruntime {_runtime_version(installed)}",
        model=files.name,
        model_sha256=files.sha256,
        parameters={
            "device": options.device,
            "kind": options.kind,
            "quantization": options.quantization or "none",
            **ONNX_AXIS.parameters,
        },
    )


def speech_detection() -> str:
    """Name and version of what tells speech from other sound: its weights decide where windows begin and end."""
    return f"silero-vad {version('silero-vad')}"


def _runtime_version(installed: Callable[[str], str]) -> str:
    """Of whichever package brings it: both put the same module."""
    try:
        return installed("onnxruntime-gpu")
    except PackageNotFoundError:
        return installed("onnxruntime")
