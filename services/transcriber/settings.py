"""The transcriber's settings: environment variables TRANSCRIBER_*. Read by `__main__` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from pipeline.service import ServiceSettings
from services.transcriber.domain.hearing import CUT_AXIS, Search
from services.transcriber.domain.preparation import Rules

_RULES: Final = Rules()


class TranscriberSettings(ServiceSettings):
    """What an operator may set, with bounds."""

    model_config = SettingsConfigDict(env_prefix="TRANSCRIBER_", frozen=True, extra="ignore")

    retry_delay_s: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="A call that failed while all else worked is tried again after this.",
    )
    max_in_flight: int | None = Field(
        default=None, ge=1, le=1024, description="Calls under way at once; none: four times the batch size."
    )
    front_ends: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Processes that decode and listen for speech; none: one a core, at least 2, at most 8.",
    )
    long_recording_s: float = Field(
        default=600.0, gt=0, le=86_400, description="Recordings that seem longer never occupy all of these processes."
    )
    takeover_after_s: float = Field(
        default=15.0,
        gt=0,
        le=600,
        description="A call that another worker began is left alone so long without a sign of life.",
    )
    engine: Literal["whisper", "onnx-asr"] | None = Field(
        default=None, description="What the model must be made for; none: whichever engine it is made for."
    )
    model: str = Field(
        default="base", min_length=1, description="A model of the catalogue, or a folder that holds one."
    )
    model_cache_dir: Path | None = Field(default=None, description="Where fetched models lie; none: the user's cache.")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description="What the model runs on.")
    compute_type: str = Field(default="int8", description="CTranslate2's: int8 on a CPU, float16 on a GPU.")
    workers: int = Field(default=2, ge=1, le=64, description="Batches that the engine works on at once.")
    threads: int = Field(default=1, ge=1, le=256, description="Threads of each of them.")
    batch_size: int = Field(default=4, ge=1, le=128, description="Windows in a batch.")
    devices: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(0,),
        min_length=1,
        max_length=64,
        description="GPUs by number, such as `0,1`, a process each; on a CPU one.",
    )
    batches_ahead: int = Field(
        default=0, ge=0, le=4, description="Batches that wait in each process: with 1 a GPU never waits for the next."
    )
    express_workers: int = Field(
        default=1,
        ge=0,
        le=4,
        description="Workers beyond these for calls with less than a tenth of the speech of all that these have in hand.",
    )
    linger_s: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="So long a window waits for others to fill its batch, while there is other work.",
    )
    axis_step_s: float = Field(
        default=CUT_AXIS.step_s,
        ge=1,
        le=30,
        description="Windows are padded to multiples of so much time, not all to 30 s.",
    )
    axis_pause_s: float = Field(
        default=CUT_AXIS.pause_s, ge=0, le=5, description="At least so much of that is silence."
    )
    axis_least_s: float = Field(
        default=CUT_AXIS.least_s, ge=1, le=30, description="The shortest that the model looks at."
    )
    beam_size: int = Field(
        default=Search().beam_size, ge=1, le=10, description="Hypotheses the search keeps; 1 is fast and less exact."
    )

    window_s: float = Field(
        default=_RULES.packing.window_s, ge=8, le=29, description="At most so much speech in a window."
    )
    vad_threshold: float = Field(
        default=_RULES.speech.threshold, gt=0, lt=1, description="Speech probability at which a voice begins."
    )
    vad_min_silence_s: float = Field(
        default=_RULES.speech.min_silence_s, ge=0.1, le=2, description="A shorter pause does not cut speech."
    )
    vad_pad_s: float = Field(default=_RULES.speech.pad_s, ge=0, le=1, description="Pause kept on both sides of speech.")

    max_duration_s: float = Field(default=14_400.0, gt=0, le=86_400, description="Longer recordings are refused.")
    max_channels: int = Field(default=8, ge=1, le=32, description="Recordings with more channels are refused.")
    decode_timeout_s: float = Field(default=600.0, gt=0, description="Decoding and listening for speech, per call.")
    decode_memory_bytes: int = Field(
        default=2 * 1024**3, ge=256 * 1024**2, description="Memory a call may take of the front end."
    )
    engine_start_timeout_s: float = Field(default=300.0, gt=0, description="Loading the model.")
    engine_base_timeout_s: float = Field(default=120.0, gt=0, description="The engine's time for any call.")
    engine_timeout_per_speech_s: float = Field(
        default=20.0, gt=0, description="On top of it, seconds for each second of speech."
    )
    engine_memory_bytes: int | None = Field(
        default=None, ge=256 * 1024**2, description="Memory the engine may take on top of the model; none: no limit."
    )

    @field_validator("devices", mode="before")
    @classmethod
    def _separate(cls, value: object) -> object:
        """The environment gives `0,1`."""
        return [part.strip() for part in value.split(",")] if isinstance(value, str) else value
