"""How a Kafka of ours is set up, and the server.properties that follow. Pure; `peers.kafka` runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from razgovor.peers.certificates import Certificates

PLAIN: Final = "PLAIN"
SASL: Final = "SASL"
TLS: Final = "TLS"
PROXIED: Final = "PROXIED"
CONTROLLER: Final = "CONTROLLER"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """What a test or a stack can ask of its Kafka. There is always a plaintext listener; with `users` whoever comes by it may do all.

    Attributes:
        users: Passwords of SCRAM-SHA-512 users by name. With any there is a SASL listener and an authorizer: who has no ACL may nothing.
        super_users: Those of them who may do everything.
        certificates: With them there is a TLS listener, and the SASL listener speaks TLS too.
        client_certificates: The TLS listener wants a certificate of the client, whose name is then the user's.
        proxied_port: A further plaintext listener that tells clients to come back to this port of loopback: a proxy's.
        heap_mb: Java's heap.
        properties: Further properties of the server, over ours.
    """

    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    super_users: tuple[str, ...] = ("admin",)
    certificates: Certificates | None = None
    client_certificates: bool = False
    proxied_port: int | None = None
    heap_mb: int = 256
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def listeners(self) -> dict[str, str]:
        """Security protocols by the name of the listener."""
        found = {PLAIN: "PLAINTEXT", CONTROLLER: "PLAINTEXT"}
        if self.users:
            found[SASL] = "SASL_PLAINTEXT" if self.certificates is None else "SASL_SSL"
        if self.certificates is not None:
            found[TLS] = "SSL"
        if self.proxied_port is not None:
            found[PROXIED] = "PLAINTEXT"
        return found


def server_properties(options: KafkaOptions, ports: Mapping[str, int], data: Path) -> dict[str, str]:
    """The properties of a server.

    Args:
        options: What was asked for.
        ports: A port for each of `options.listeners`.
        data: Where its log lies.
    """
    advertised = {name: port for name, port in ports.items() if name != CONTROLLER}
    if options.proxied_port is not None:
        advertised[PROXIED] = options.proxied_port
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{ports[CONTROLLER]}",
        "controller.listener.names": CONTROLLER,
        "inter.broker.listener.name": PLAIN,
        "listeners": _addresses(ports),
        "advertised.listeners": _addresses(advertised),
        "listener.security.protocol.map": ",".join(f"{name}:{how}" for name, how in options.listeners.items()),
        "log.dirs": str(data),
        "auto.create.topics.enable": "false",
        **ALONE,
        **SMALL,
        **QUICK,
        **(_authority(options) if options.users else {}),
        **(_certificates(options, options.certificates) if options.certificates is not None else {}),
        **options.properties,
    }


#: One node has no second copy to wait for.
ALONE: Final = {
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
}
#: Fits into a small heap; few internal partitions open sooner.
SMALL: Final = {
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.cleaner.threads": "1",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "4",
    "num.network.threads": "2",
    "num.io.threads": "4",
}
#: The controller gives up a silent broker after 2 s (instead of 9 s), so that one killed is back sooner.
QUICK: Final = {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500"}


def _addresses(ports: Mapping[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())


def _authority(options: KafkaOptions) -> dict[str, str]:
    """Who comes by the plaintext listener (the controller, and a test's own administration) is ANONYMOUS."""
    jaas = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        f"listener.name.{SASL.lower()}.scram-sha-512.sasl.jaas.config": jaas,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": ";".join(f"User:{name}" for name in (*options.super_users, "ANONYMOUS")),
    }


def _certificates(options: KafkaOptions, certificates: Certificates) -> dict[str, str]:
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server_bundle),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
        f"listener.name.{TLS.lower()}.ssl.client.auth": "required" if options.client_certificates else "none",
    }
