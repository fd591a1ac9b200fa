"""The exporter's settings: environment variables EXPORTER_*. Read by `__main__` alone."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from pipeline.service import ServiceSettings


class ExporterSettings(ServiceSettings):
    """What an operator may set, with bounds."""

    model_config = SettingsConfigDict(env_prefix="EXPORTER_", frozen=True, extra="ignore")

    max_in_flight: int = Field(
        default=16, ge=1, le=1000, description="Transcripts taken from the broker and not yet exported."
    )
