"""What the test build can be told on top of a service's own settings: `RAZGOVOR_*`. Read by `chaos.service` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ChaosSettings(BaseSettings):
    """How this process is to break. No setting of a service knows of these."""

    model_config = SettingsConfigDict(env_prefix="RAZGOVOR_", frozen=True, extra="ignore")

    crash_at: str | None = Field(default=None, description="`<step>:<n>`: kill -9 ourselves at the n-th reach.")
    crash_file: Path | None = Field(
        default=None, description="On SIGUSR1 what stands here takes the place of `crash_at`, in the running process."
    )
    release: Literal["this", "next"] = Field(default="this", description="Whose schemas are written.")
    clock_offset_s: float = Field(default=0.0, description="How far this process' clock is off.")
    clock_jumps_s: float = Field(default=0.0, ge=0, description="It jumps there and back this often; 0: it stays off.")
    engine_s: float = Field(default=0.2, ge=0, le=600, description="How long the fake engine takes for a call.")
    engine_log: Path | None = Field(default=None, description="The fake engine adds lines here: see `engine_log`.")
    file_limit_bytes: int | None = Field(default=None, ge=0, description="No file may grow larger: a full disk.")
