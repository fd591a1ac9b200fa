"""The settings of whoever talks to Kafka and the schema registry. Read by `pipeline.service` and the product's commands."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.stream.connection import (
    GroupProtocol,
    KafkaConnection,
    RegistryConnection,
    SaslMechanism,
    SecurityProtocol,
)


class KafkaSettings(BaseSettings):
    """How Kafka and the registry are reached; subclassed with an `env_prefix`."""

    # An empty variable is an unset one: a compose file passes `${X:-}` through.
    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    bootstrap_servers: str = Field(description="Kafka's bootstrap addresses, host:port, comma separated.")
    kafka_security_protocol: SecurityProtocol = Field(default="PLAINTEXT", description="SASL_SSL in production.")
    kafka_sasl_mechanism: SaslMechanism = Field(default="SCRAM-SHA-512", description="How the password is proven.")
    kafka_username: str | None = Field(default=None, description="This service's user at the brokers.")
    kafka_password: SecretStr | None = Field(default=None, description="Its password.")
    kafka_ca_file: Path | None = Field(default=None, description="PEM of the brokers' authority; none: the system's.")
    kafka_certificate_file: Path | None = Field(default=None, description="PEM of our certificate, for mutual TLS.")
    kafka_key_file: Path | None = Field(default=None, description="PEM of its key.")
    kafka_group_protocol: GroupProtocol = Field(
        default="classic", description="classic (cooperative-sticky), or consumer (KIP-848) where the brokers have it."
    )
    kafka_fetch_wait_ms: int = Field(
        default=100, ge=1, le=5000, description="How long a broker may hold a fetch that finds nothing."
    )
    kafka_session_timeout_ms: int = Field(
        default=6000, ge=1000, le=300_000, description="A consumer that is silent for so long has left its group."
    )
    schema_registry_url: str | None = Field(
        default=None, description="The registry's Confluent API; none: single-object framing, no registry."
    )
    schema_registry_username: str | None = Field(default=None, description="For HTTP basic authentication.")
    schema_registry_password: SecretStr | None = Field(default=None, description="Its password.")
    schema_registry_ca_file: Path | None = Field(default=None, description="PEM of its authority; none: the system's.")

    @model_validator(mode="after")
    def _connections_hold_together(self) -> Self:
        _ = self.kafka, self.registry
        return self

    @property
    def kafka(self) -> KafkaConnection:
        """How the brokers are reached."""
        return KafkaConnection(
            bootstrap_servers=self.bootstrap_servers,
            security_protocol=self.kafka_security_protocol,
            sasl_mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password,
            ca_file=self.kafka_ca_file,
            certificate_file=self.kafka_certificate_file,
            key_file=self.kafka_key_file,
            group_protocol=self.kafka_group_protocol,
            session_timeout_ms=self.kafka_session_timeout_ms,
            fetch_wait_ms=self.kafka_fetch_wait_ms,
        )

    @property
    def registry(self) -> RegistryConnection | None:
        """How the schema registry is reached; None: there is none."""
        if self.schema_registry_url is None:
            return None
        return RegistryConnection(
            url=self.schema_registry_url,
            username=self.schema_registry_username,
            password=self.schema_registry_password,
            ca_file=self.schema_registry_ca_file,
        )
