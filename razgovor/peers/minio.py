"""MinIO, an S3 server, on loopback. Its project is archived; the version is pinned for good (docs/decisions/0017)."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path
from typing import Final

from razgovor.embedded.postgres_place import make_folder
from razgovor.peers.artefacts import minio_binary
from razgovor.peers.server import Launch, PeerServer

REGION: Final = "us-east-1"
ROOT: Final = "razgovor-root"


class MinioServer(PeerServer):
    """One server over one folder, with a key for server-side encryption.

    Args:
        folder: Its own.
        data: Where objects lie, another disk's say; None: in the folder.
    """

    name = "minio"

    def __init__(self, folder: Path, *, data: Path | None = None) -> None:
        super().__init__(folder)
        self._data = data or self.folder / "data"

    @property
    def endpoint(self) -> str:
        """Its address, `http://host:port`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.kept.port("s3")

    @property
    def region(self) -> str:
        """What it calls its place."""
        return REGION

    @property
    def access_key(self) -> str:
        """Of the user who may do all."""
        return ROOT

    @property
    def secret_key(self) -> str:
        """Of the user who may do all."""
        return self.kept.secret("secret_key")

    def data_folders(self) -> tuple[Path, ...]:
        """See `PeerServer.data_folders`."""
        return (self._data,)

    def prepare(self) -> Launch:
        """See `PeerServer.prepare`."""
        make_folder(self._data, 0o700)
        key = self.kept.text("encryption_key", lambda: base64.b64encode(secrets.token_bytes(32)).decode("ascii"))
        return Launch(
            command=[
                str(minio_binary()),
                "server",
                "--quiet",
                "--address",
                f"127.0.0.1:{self.port}",
                "--certs-dir",
                str(self.folder / "certs"),
                str(self._data),
            ],
            ready={"port": self.port, "path": "/minio/health/ready"},
            environment={
                "MINIO_ROOT_USER": ROOT,
                "MINIO_ROOT_PASSWORD": self.secret_key,
                "MINIO_KMS_SECRET_KEY": f"razgovor:{key}",
                "MINIO_REGION": REGION,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
            },
        )
