"""The board's settings, from `BOARD_*` in the environment. Read by `__main__` and `razgovor board`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pipeline.stream.settings import KafkaSettings


class BoardSettings(KafkaSettings):
    """What the board can be told."""

    model_config = SettingsConfigDict(env_prefix="BOARD_", frozen=True, extra="ignore", env_ignore_empty=True)

    window_s: float = Field(default=3600.0, ge=60, le=86_400, description="What `lately` means.")
    show_every_s: float = Field(default=2.0, ge=0.1, le=600, description="It shows what it counts this often.")
