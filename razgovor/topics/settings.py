"""The settings of whoever keeps the topics: environment variables RAZGOVOR_*. Read by `razgovor.commands.topics`."""

from __future__ import annotations

from pydantic_settings import SettingsConfigDict

from pipeline.stream.settings import KafkaSettings


class TopicSettings(KafkaSettings):
    """How an administrator reaches Kafka and the registry."""

    model_config = SettingsConfigDict(env_prefix="RAZGOVOR_", frozen=True, extra="ignore")
