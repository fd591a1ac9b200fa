"""What the API says of a month. Called by `reports`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from services.ingest.quotas import MS_PER_MINUTE
from services.ingest.usage import MS_PER_HOUR, Prices, Usage


class CostDocument(BaseModel):
    """What an hour of audio cost, here and in a cloud, as your operator's prices say; null: not said."""

    model_config = ConfigDict(frozen=True)

    currency: str
    per_audio_hour: float | None = Field(description="By the engine's hours: power and amortisation.")
    cloud_per_audio_hour: float | None
    cloud_source: str | None = Field(description="Whose price that is.")


class UsageDocument(BaseModel):
    """A month of UTC, by the acceptance of calls."""

    model_config = ConfigDict(frozen=True)

    month: str
    calls: int
    audio_minutes: float = Field(description="Billed minutes of audio.")
    failures: dict[str, int] = Field(description="Jobs that failed and were not done again, by reason.")
    engine_hours: float = Field(description="Of completed runs; each batch's time is shared out over its calls.")
    cost: CostDocument


def usage_document(usage: Usage, prices: Prices) -> UsageDocument:
    """A client's month."""
    per_hour, cloud = prices.per_audio_hour(usage), prices.cloud_per_audio_hour
    return UsageDocument(
        month=f"{usage.month:%Y-%m}",
        calls=usage.calls,
        audio_minutes=round(usage.billed_ms / MS_PER_MINUTE, 2),
        failures=dict(usage.failures),
        engine_hours=round(usage.engine_ms / MS_PER_HOUR, 4),
        cost=CostDocument(
            currency=prices.currency,
            per_audio_hour=None if per_hour is None else float(per_hour),
            cloud_per_audio_hour=None if cloud is None else float(cloud),
            cloud_source=prices.cloud_source,
        ),
    )
