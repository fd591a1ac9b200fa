"""Under which account PostgreSQL runs: it refuses to be root, so root lends it an unprivileged one.

`postgres_place` and `postgres_keeper` ask here. Nothing here changes a mode or an owner.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

from razgovor.embedded.errors import EmbeddedFailed

UNPRIVILEGED: Final = "nobody"
CHECK_TIMEOUT_S: Final = 30.0


class Credentials(TypedDict, total=False):
    """Arguments of subprocess that make a child run as somebody else; empty when it runs as we do."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """The account that owns the database's files. `borrowed`: it is not our own."""

    uid: int
    gid: int
    borrowed: bool

    def credentials(self) -> Credentials:
        """Arguments for subprocess."""
        if not self.borrowed:
            return Credentials()
        return Credentials(user=self.uid, group=self.gid, extra_groups=[])

    def may_enter(self, folder: Path) -> bool:
        """Whether the account can walk into a folder, found out by walking: modes alone do not tell of ACLs."""
        if not self.borrowed:
            return os.access(folder, os.X_OK)
        return self.runs("/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder))

    def runs(self, *command: str) -> bool:
        """Whether a short command succeeds under this account."""
        try:
            done = subprocess.run(  # a list, no shell in between
                command,
                cwd="/",
                env={"PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=CHECK_TIMEOUT_S,
                check=False,
                **self.credentials(),
            )
        except (PermissionError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0


def server_account() -> Account:
    """Our own account, or `nobody` when we are root.

    Raises:
        EmbeddedFailed: We are root where no unprivileged account can be taken.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), borrowed=False)
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise EmbeddedFailed(
            f"PostgreSQL does not run as root and there is no account {UNPRIVILEGED!r}: start razgovor as another user"
        ) from None
    account = Account(entry.pw_uid, entry.pw_gid, borrowed=True)
    if not account.runs("/bin/sh", "-c", ":"):
        raise EmbeddedFailed(
            f"PostgreSQL does not run as root and we may not become {UNPRIVILEGED!r}: start razgovor as another user"
        )
    return account
