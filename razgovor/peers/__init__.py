"""Real servers on loopback, without Docker: Kafka, a schema registry, PostgreSQL, MinIO, sshd. For tests and trials.

Each is a context manager over one folder of its own; `razgovor peers start` runs a set of them that outlives the shell.
Knows how to make them run, speaks to none of them: no vendor's client is imported here.
"""

from razgovor.peers.addresses import KafkaPeer, PeerAddresses, PostgresPeer, RegistryPeer, S3Peer, SftpPeer
from razgovor.peers.errors import PeerMissing
from razgovor.peers.kafka import KafkaServer
from razgovor.peers.kafka_options import KafkaOptions
from razgovor.peers.minio import MinioServer
from razgovor.peers.postgres import PostgresServer
from razgovor.peers.registry import RegistryServer
from razgovor.peers.ssh import SshServer

__all__ = [
    "KafkaOptions",
    "KafkaPeer",
    "KafkaServer",
    "MinioServer",
    "PeerAddresses",
    "PeerMissing",
    "PostgresPeer",
    "PostgresServer",
    "RegistryPeer",
    "RegistryServer",
    "S3Peer",
    "SftpPeer",
    "SshServer",
]
