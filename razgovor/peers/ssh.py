"""OpenSSH's server for SFTP only, on loopback: one user (ours), keys only, one folder."""

from __future__ import annotations

import getpass
import os
import subprocess
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import make_folder
from razgovor.peers.programs import SSH_KEYGEN, SSHD, require
from razgovor.peers.server import Launch, PeerServer

KEYGEN_TIMEOUT_S: Final = 60.0
PRIVILEGE_SEPARATION: Final = Path("/run/sshd")


class SshServer(PeerServer):
    """One SFTP server. Files land under `files`."""

    name = "sshd"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.kept.port("ssh")

    @property
    def user(self) -> str:
        """Who may come: whoever runs it."""
        return getpass.getuser()

    @property
    def private_key(self) -> Path:
        """The user's key."""
        return self.folder / "user-key"

    @property
    def host_key(self) -> Path:
        """The public half of the server's key."""
        return self.folder / "host-key.pub"

    @property
    def files(self) -> Path:
        """Where a session begins."""
        return self.folder / "files"

    def prepare(self) -> Launch:
        """See `PeerServer.prepare`."""
        sshd = require(SSHD)
        make_folder(self.files, 0o700)
        self._make_key(self.folder / "host-key")
        self._make_key(self.private_key)
        if os.geteuid() == 0:  # sshd wants it there when it is root, and Debian makes it only with the service
            PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        settings = self.folder / "sshd_config"
        settings.write_text("\n".join(self._settings()) + "\n", encoding="utf-8")
        return Launch(command=[str(sshd), "-D", "-e", "-f", str(settings)], ready={"port": self.port})

    def _settings(self) -> list[str]:
        return [
            "ListenAddress 127.0.0.1",
            f"Port {self.port}",
            f"HostKey {self.folder / 'host-key'}",
            f"AuthorizedKeysFile {self.private_key}.pub",
            f"PidFile {self.folder / 'sshd.pid'}",
            f"AllowUsers {self.user}",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "StrictModes no",  # the folder may lie under one that others can write to
            "AllowTcpForwarding no",
            "AllowAgentForwarding no",
            "X11Forwarding no",
            "PermitTTY no",
            "Subsystem sftp internal-sftp",
            f"ForceCommand internal-sftp -d {self.files}",
        ]

    @staticmethod
    def _make_key(path: Path) -> None:
        if path.exists():
            return
        command = [str(require(SSH_KEYGEN)), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
        done = subprocess.run(
            command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, timeout=KEYGEN_TIMEOUT_S, check=False
        )
        if done.returncode != 0:
            raise EmbeddedFailed(f"ssh-keygen failed: {done.stderr.decode(errors='replace').strip()}")
