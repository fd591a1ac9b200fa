"""Ingest's settings, from `INGEST_*` in the environment. Read by `__main__`."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.blobs.options import Credentials, StoreOptions
from pipeline.blobs.settings import StoreSettings
from pipeline.outbound.settings import OutboundSettings
from pipeline.service import ServiceSettings
from services.ingest import relay
from services.ingest.usage import Prices

#: Few enough for the mock broker's log, enough for a hundred slots.
UNKNOWN_SLOTS_MAX_ANNOUNCED: Final = 2000


class DoorSettings(BaseSettings):
    """What whoever takes recordings in can be told, be it over REST or by watching."""

    database_url: SecretStr = Field(description="PostgreSQL, as the role that owns the schema `ingest`.")
    database_timeout_s: float = Field(default=5.0, gt=0, le=60, description="Wait for a free connection at most.")
    max_audio_bytes: int = Field(default=2**30, ge=1024, description="A larger recording is refused.")
    languages: frozenset[str] = Field(default=frozenset({"ru"}), description="Languages taken, as a JSON list.")
    probe_children: int = Field(default=2, ge=1, le=32, description="Processes that read headers side by side.")
    probe_timeout_s: float = Field(default=10.0, gt=0, le=120, description="Reading one header takes at most this.")
    probe_memory_bytes: int = Field(default=2**29, ge=2**26, description="Reading one header takes at most this.")
    watch_file: Path | None = Field(
        default=None, description="What is watched for recordings, as TOML (docs/watching.md); none: nothing is."
    )


class IngestSettings(DoorSettings, ServiceSettings, OutboundSettings):
    """What ingest can be told."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=0, le=65_535, description="Port to listen on; 0: any free one.")
    database_connections: int = Field(default=10, ge=2, le=200, description="Connections kept at most.")
    upload_idle_s: float = Field(default=30.0, gt=0, le=600, description="An upload that rests longer is given up.")
    upload_timeout_s: float = Field(
        default=3600.0, gt=0, le=43_200, description="An upload that takes longer is given up."
    )
    upload_min_bytes_per_s: int = Field(
        default=1000,
        ge=0,
        le=1_000_000,
        description="An upload that comes more slowly on the whole is given up; 0: never.",
    )
    max_batch_files: int = Field(default=100, ge=1, le=1000, description="Recordings in one request at most.")
    max_batch_bytes: int = Field(default=2**32, ge=1024, description="Bytes of all of them together at most.")
    report_timeout_s: float = Field(default=1800.0, gt=0, le=43_200, description="A report takes at most this.")
    report_memory_bytes: int = Field(default=2**30, ge=2**27, description="A report takes at most this.")
    outline_timeout_s: float = Field(
        default=120.0, gt=0, le=3600, description="Drawing one recording's waveform takes at most this."
    )
    webhook_poll_s: float = Field(
        default=1.0, gt=0, le=60, description="Ends of jobs are looked for at least this often."
    )
    slots: int | None = Field(
        default=None, ge=1, description="Calls that all engines together work on at once; bounds what is announced."
    )
    max_announced: int | None = Field(
        default=None,
        ge=1,
        description="Announced jobs that are not terminal, at most; none: 20 for each slot, and 2,000 if these are unknown.",
    )
    source_url: str | None = Field(
        default=None,
        description="Where recordings lie that clients name: s3://?endpoint=https://host:port&region=name, or"
        " file:///absolute/folder with a folder a bucket; none: they may name none.",
    )
    source_access_key: str | None = Field(default=None, description="Ingest's user there; none: the store's.")
    source_secret_key: SecretStr | None = Field(default=None, description="Its secret.")
    source_ca_file: Path | None = Field(default=None, description="PEM of its authority; none: the store's.")
    url_uploads: bool = Field(default=True, description="Fetch recordings that clients name by https://.")
    fetch_timeout_s: float = Field(
        default=300.0, gt=0, le=3600, description="Fetching one of these takes at most this."
    )
    call_events: bool = Field(
        default=False, description="Take calls of upstream systems, from call.recorded. Needs source_url."
    )
    calls_in_flight: int = Field(default=4, ge=1, le=100, description="Recordings of theirs copied side by side.")
    relay_poll_s: float = Field(default=1.0, gt=0, le=60, description="The relay looks at least this often.")
    relay_review_s: float = Field(default=5.0, gt=0, le=600, description="The relay checks the log this often.")
    reannounce_after_s: float = Field(
        default=600.0, gt=0, description="Announce again what the group has passed and is unfinished after this."
    )

    @model_validator(mode="after")
    def _sources_hold_together(self) -> Self:
        if self.call_events and self.source_url is None:
            raise ValueError("call_events needs source_url")
        if (self.source_access_key is None) != (self.source_secret_key is None):
            raise ValueError("source_access_key and source_secret_key go together")
        return self

    @property
    def source_options(self) -> StoreOptions:
        """How the store of sources is reached: as our own, but for what is said otherwise."""
        options = replace(self.store_options, ca_file=self.source_ca_file or self.store_ca_file)
        if self.source_access_key is None or self.source_secret_key is None:
            return options
        own = Credentials(self.source_access_key, self.source_secret_key.get_secret_value())
        return replace(options, credentials=own)

    @property
    def announced_max(self) -> int:
        """Announced jobs that are not terminal, at most."""
        if self.max_announced is not None:
            return self.max_announced
        return UNKNOWN_SLOTS_MAX_ANNOUNCED if self.slots is None else self.slots * relay.JOBS_PER_SLOT


#: What OpenAI's page of whisper-1 said when this was written. Nothing looks it up again: it is the operator's to check.
_CLOUD_USD: Final = Decimal("0.36")
_CLOUD_SOURCE: Final = (
    "OpenAI whisper-1, 0.006 USD a minute, to be checked: https://developers.openai.com/api/docs/models/whisper-1"
)


class ReachSettings(OutboundSettings):
    """Where ingest may send to, for whoever sets an address without being ingest."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="ignore", env_ignore_empty=True)


class CostSettings(BaseSettings):
    """What an hour costs, here and in a cloud. Read by `__main__` and `razgovor usage`."""

    model_config = SettingsConfigDict(env_prefix="INGEST_COST_", frozen=True, extra="ignore", env_ignore_empty=True)

    watts: float | None = Field(
        default=None, ge=0, le=100_000, description="What an engine and its share of the machine draw while it works."
    )
    per_kwh: Decimal | None = Field(default=None, ge=0, description="A kilowatt-hour of electricity.")
    amortisation_per_hour: Decimal | None = Field(
        default=None, ge=0, description="An hour of the machine's life, for each engine."
    )
    currency: str = Field(default="USD", pattern="^[A-Z]{3}$", description="Of all these amounts.")
    cloud_per_audio_hour: Decimal | None = Field(
        default=None,
        ge=0,
        description="What a cloud takes for an hour of audio; none: 0.36, to be checked, where the currency is USD, else none.",
    )
    cloud_source: str | None = Field(
        default=None, max_length=200, description="Whose price that is, and where it stands."
    )

    @property
    def prices(self) -> Prices:
        """As values."""
        own = self.cloud_per_audio_hour
        known = own is None and self.currency == "USD"
        return Prices(
            watts=self.watts,
            per_kwh=self.per_kwh,
            amortisation_per_hour=self.amortisation_per_hour,
            currency=self.currency,
            cloud_per_audio_hour=_CLOUD_USD if known else own,
            cloud_source=_CLOUD_SOURCE if known else self.cloud_source,
        )


class WatchSettings(DoorSettings, StoreSettings):
    """What `razgovor watch run` needs of ingest's settings: no Kafka, no address to listen on."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="ignore", env_ignore_empty=True)

    log_level: str = Field(default="WARNING", description="DEBUG, INFO, WARNING or ERROR.")


class GlossarySettings(StoreSettings):
    """What the glossary's commands need of ingest's settings: the store."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True, extra="ignore", env_ignore_empty=True)
