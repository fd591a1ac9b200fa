"""The auditor's settings: environment variables AUDITOR_*. Read by `razgovor.audit.access`."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.blobs.settings import StoreSettings
from pipeline.stream.settings import KafkaSettings

PREFIX = "AUDITOR_"
_CONFIG = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)


class AuditorDatabaseSettings(BaseSettings):
    """The database, as the role `razgovor_auditor`."""

    model_config = _CONFIG

    database_url: SecretStr = Field(description="PostgreSQL, as a role that reads.")


class AuditorStoreSettings(StoreSettings):
    """The store, as a user that reads."""

    model_config = _CONFIG


class AuditorKafkaSettings(KafkaSettings):
    """The brokers, as a user that reads all topics and sees the groups."""

    model_config = _CONFIG
