"""A Kafka of our own with TLS, SCRAM users and an authorizer, its topics and rights as the product's files say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # re-exported, and not said so
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from pipeline.stream.admin import KafkaAdmin
from pipeline.stream.connection import KafkaConnection
from pipeline.stream.topology import Acl
from razgovor.peers import KafkaServer
from razgovor.peers.certificates import Certificates, KeyPair
from razgovor.peers.kafka_options import KafkaOptions
from razgovor.topics.acl_file import read_acls
from razgovor.topics.keeper import Keeper

ACLS = Path(__file__).parents[4] / "compose" / "kafka" / "acls.yaml"
USERS = ("ingest", "transcriber", "exporter", "ledger", "operator")
PARTITIONS = 4


def password(user: str) -> str:
    return f"{user}-password"


@dataclass(frozen=True)
class SecuredKafka:
    server: KafkaServer
    certificates: Certificates

    @property
    def open(self) -> KafkaConnection:
        """By the plaintext listener, where everybody may do everything."""
        return KafkaConnection(bootstrap_servers=self.server.bootstrap_servers)

    def as_user(self, user: str, said: str | None = None) -> KafkaConnection:
        """By SASL over TLS, with the user's password or with what is said."""
        return KafkaConnection(
            bootstrap_servers=self.server.sasl_servers,
            security_protocol="SASL_SSL",
            username=user,
            password=SecretStr(password(user) if said is None else said),
            ca_file=self.certificates.authority,
        )

    def with_certificate(self, own: KeyPair) -> KafkaConnection:
        """By TLS, as the user that a certificate names."""
        return KafkaConnection(
            bootstrap_servers=self.server.tls_servers,
            security_protocol="SSL",
            ca_file=self.certificates.authority,
            certificate_file=own.certificate,
            key_file=own.key,
        )

    def restart(self) -> None:
        """Kill -9 and start: every client has to come back."""
        self.server.kill()
        self.server.start()

    def trusting(self, authority: Path) -> KafkaConnection:
        return replace(self.as_user("exporter"), ca_file=authority)

    def keeper(self, connection: KafkaConnection | None = None) -> Keeper:
        return Keeper(KafkaAdmin(connection or self.open), acls=read_acls(ACLS), partitions=PARTITIONS)


@contextmanager
def secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    certificates = Certificates(folder / "certificates")
    users = {user: password(user) for user in ("admin", "stranger", "changing", *USERS)}
    options = KafkaOptions(users=users, certificates=certificates, client_certificates=True)
    with KafkaServer(folder / "kafka", options) as server:
        kafka = SecuredKafka(server, certificates)
        assert kafka.keeper().apply() == []
        yield kafka


def environment(connection: KafkaConnection, prefix: str) -> dict[str, str]:
    """The settings that make this connection."""
    said = {
        "BOOTSTRAP_SERVERS": connection.bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": connection.security_protocol,
        "KAFKA_USERNAME": connection.username or "",
        "KAFKA_PASSWORD": connection.password.get_secret_value() if connection.password else "",
        "KAFKA_CA_FILE": str(connection.ca_file or ""),
    }
    return {f"{prefix}_{name}": value for name, value in said.items()}


def take_away(kafka: SecuredKafka, rights: list[Acl]) -> None:
    filters = [
        AclBindingFilter(
            ResourceType.TOPIC,
            acl.name,
            ResourcePatternType.LITERAL,
            f"User:{acl.user}",
            "*",
            AclOperation[acl.operation.upper()],
            AclPermissionType.ALLOW,
        )
        for acl in rights
    ]
    admin = AdminClient({"bootstrap.servers": kafka.server.bootstrap_servers})
    for future in admin.delete_acls(filters).values():
        assert future.result(30)
