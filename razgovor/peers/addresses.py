"""Where the peers of a set are: `peers.json` in its folder, 0600, written by the keeper when all of them answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from razgovor.embedded import folder_lock
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.private_file import write_private

ADDRESSES: Final = "peers.json"
KEEPER_LOCK: Final = "keeper.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaPeer:
    """A Kafka without passwords."""

    bootstrap_servers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPeer:
    """A schema registry without passwords."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Peer:
    """An S3 server, and the keys of the user who may do all."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPeer:
    """A PostgreSQL with the product's roles and schemas in the database `razgovor`."""

    admin_url: str = field(repr=False)
    ingest_url: str = field(repr=False)
    ledger_url: str = field(repr=False)
    auditor_url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpPeer:
    """An SFTP server; key files, not their contents."""

    host: str
    port: int
    user: str
    private_key: str
    host_key: str
    files: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAddresses:
    """What runs in a set; None: not part of it."""

    kafka: KafkaPeer | None = None
    registry: RegistryPeer | None = None
    s3: S3Peer | None = None
    postgres: PostgresPeer | None = None
    sftp: SftpPeer | None = None

    def write(self, folder: Path) -> None:
        """Write `peers.json`, whole."""
        write_private(folder / ADDRESSES, json.dumps(asdict(self), indent=1))


def peers_in(folder: Path) -> PeerAddresses:
    """The peers that run in a folder now.

    Raises:
        EmbeddedFailed: None run there.
    """
    try:
        found: dict[str, Any] = json.loads((folder / ADDRESSES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EmbeddedFailed(f"no peers run in {folder}: make peers") from None
    if not folder_lock.is_held(folder / KEEPER_LOCK):
        raise EmbeddedFailed(f"the peers in {folder} have ended: make peers")
    kinds = {"kafka": KafkaPeer, "registry": RegistryPeer, "s3": S3Peer, "postgres": PostgresPeer, "sftp": SftpPeer}
    return PeerAddresses(**{name: None if found[name] is None else kind(**found[name]) for name, kind in kinds.items()})
