"""The peers of a set by name: what each needs of the machine, how it is got, made, and addressed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from razgovor.peers.addresses import KafkaPeer, PeerAddresses, PostgresPeer, RegistryPeer, S3Peer, SftpPeer
from razgovor.peers.artefacts import Progress, kafka_jars, minio_binary, minio_built, registry_folder
from razgovor.peers.kafka import KafkaServer
from razgovor.peers.minio import MinioServer
from razgovor.peers.postgres import PostgresServer
from razgovor.peers.programs import GO, JAVA, MAVEN, SSH_KEYGEN, SSHD, Need
from razgovor.peers.registry import RegistryServer
from razgovor.peers.server import PeerServer
from razgovor.peers.ssh import SshServer


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerKind:
    """One peer of a set.

    Attributes:
        make: The server over a folder.
        needs: Programs of the machine without which it can't be got or run now.
        get: Fetch or build it into the cache.
    """

    make: Callable[[Path], PeerServer]
    needs: Callable[[], tuple[Need, ...]]
    get: Callable[[Progress], object]


def _nothing(_progress: Progress) -> None:
    """For a peer that the machine or a wheel brings."""


PEERS: Final[Mapping[str, PeerKind]] = {
    "kafka": PeerKind(make=KafkaServer, needs=lambda: (JAVA, MAVEN), get=kafka_jars),
    "registry": PeerKind(make=RegistryServer, needs=lambda: (JAVA, MAVEN), get=registry_folder),
    "s3": PeerKind(make=MinioServer, needs=lambda: () if minio_built() else (GO,), get=minio_binary),
    "postgres": PeerKind(make=PostgresServer, needs=lambda: (), get=_nothing),
    "sftp": PeerKind(make=SshServer, needs=lambda: (SSHD, SSH_KEYGEN), get=_nothing),
}


def addresses_of(servers: Mapping[str, PeerServer]) -> PeerAddresses:
    """Where running servers are, by name."""
    return PeerAddresses(
        kafka=_kafka(cast("KafkaServer", servers["kafka"])) if "kafka" in servers else None,
        registry=RegistryPeer(url=cast("RegistryServer", servers["registry"]).url) if "registry" in servers else None,
        s3=_s3(cast("MinioServer", servers["s3"])) if "s3" in servers else None,
        postgres=_postgres(cast("PostgresServer", servers["postgres"])) if "postgres" in servers else None,
        sftp=_sftp(cast("SshServer", servers["sftp"])) if "sftp" in servers else None,
    )


def _kafka(server: KafkaServer) -> KafkaPeer:
    return KafkaPeer(bootstrap_servers=server.bootstrap_servers)


def _s3(server: MinioServer) -> S3Peer:
    return S3Peer(
        endpoint=server.endpoint, access_key=server.access_key, secret_key=server.secret_key, region=server.region
    )


def _postgres(server: PostgresServer) -> PostgresPeer:
    urls = server.urls()
    return PostgresPeer(admin_url=urls.admin, ingest_url=urls.ingest, ledger_url=urls.ledger, auditor_url=urls.auditor)


def _sftp(server: SshServer) -> SftpPeer:
    return SftpPeer(
        host="127.0.0.1",
        port=server.port,
        user=server.user,
        private_key=str(server.private_key),
        host_key=str(server.host_key),
        files=str(server.files),
    )
