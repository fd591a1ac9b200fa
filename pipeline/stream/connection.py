"""How Kafka and its schema registry are reached, as values. Built by `settings.KafkaSettings`; `kafka`, `admin`
and `registry` read them.

Knows no vendor: what a security protocol or a mechanism is called is Kafka's own vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import SecretStr

SecurityProtocol: TypeAlias = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism: TypeAlias = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
GroupProtocol: TypeAlias = Literal["classic", "consumer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConnection:
    """What every client needs to reach the brokers. The addresses alone are enough for a plaintext listener.

    Attributes:
        bootstrap_servers: `host:port`, comma separated.
        security_protocol: TLS (`SSL`), SASL, both or neither.
        sasl_mechanism: How user name and password are proven, where the protocol has SASL.
        username: The service's user.
        password: Its password.
        ca_file: PEM of the authority that signed the brokers' certificates; none: the system's authorities.
        certificate_file: PEM of our own certificate, where brokers ask for one.
        key_file: PEM of its key.
        group_protocol: `classic` (cooperative-sticky), or `consumer` (KIP-848) where the brokers have it.
        session_timeout_ms: A consumer that is silent for so long has left its group; with `consumer` the brokers decide.
        fetch_wait_ms: How long a broker may hold a fetch that finds nothing. A real one answers as soon as there is
            something; the mock broker answers only after it.

    Raises:
        ValueError: The parts contradict each other; the text names them, never their values.
    """

    bootstrap_servers: str
    security_protocol: SecurityProtocol = "PLAINTEXT"
    sasl_mechanism: SaslMechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    group_protocol: GroupProtocol = "classic"
    session_timeout_ms: int = 6000
    fetch_wait_ms: int = 100

    def __post_init__(self) -> None:
        """Refuse what librdkafka would ignore: a password that is never sent, a certificate that is never shown."""
        if not self.bootstrap_servers.strip():
            raise ValueError("bootstrap_servers is empty")
        if self.sasl and (not self.username or self.password is None):
            raise ValueError(
                f"kafka_security_protocol {self.security_protocol} needs kafka_username and kafka_password"
            )
        if not self.sasl and (self.username or self.password):
            raise ValueError(
                "kafka_username and kafka_password need kafka_security_protocol SASL_SSL or SASL_PLAINTEXT"
            )
        if not self.tls and (self.ca_file or self.certificate_file or self.key_file):
            raise ValueError("certificate files need kafka_security_protocol SSL or SASL_SSL")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("kafka_certificate_file and kafka_key_file go together")

    @property
    def sasl(self) -> bool:
        """Whether user name and password are sent."""
        return self.security_protocol.startswith("SASL_")

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol.endswith("SSL")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryConnection:
    """Where the schema registry answers.

    Attributes:
        url: Base address of its Confluent API.
        username: For HTTP basic authentication.
        password: Its password.
        ca_file: PEM of the authority that signed its certificate; none: the system's authorities.

    Raises:
        ValueError: The parts contradict each other.
    """

    url: str
    username: str | None = None
    password: SecretStr | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what is no address, and half of a login."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("schema_registry_url is no http:// or https:// address")
        if (self.username is None) != (self.password is None):
            raise ValueError("schema_registry_username and schema_registry_password go together")
