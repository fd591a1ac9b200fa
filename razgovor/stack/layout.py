"""Where the one-machine stack keeps what, below one folder. Folders are 0700, files 0600."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_place import home_mode, make_folder


@dataclass(frozen=True, slots=True)
class StackFolder:
    """The places of a stack.

    Attributes:
        root: The folder itself; its parents are never changed.
    """

    root: Path

    @property
    def store(self) -> Path:
        """Recordings, transcripts, artefacts."""
        return self.root / "store"

    @property
    def database(self) -> Path:
        """PostgreSQL's home."""
        return self.root / "postgres"

    @property
    def scratch(self) -> Path:
        """Decoded channels of calls under way."""
        return self.root / "scratch"

    def status_file(self, name: str) -> Path:
        """What a process says of itself."""
        return self.root / "run" / f"{name}.json"

    def log(self, name: str) -> Path:
        """What a process logs."""
        return self.root / "logs" / f"{name}.log"

    def make(self) -> None:
        """Make what is missing."""
        # As root the database runs as another account, which must be able to pass through the root folder.
        make_folder(self.root, home_mode(server_account()))
        for folder in (self.store, self.scratch, self.root / "run", self.root / "logs"):
            make_folder(folder, 0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one stack.

        Raises:
            EmbeddedFailed: Another stack runs in it.
        """
        descriptor = os.open(self.root / "run" / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise EmbeddedFailed(f"another stack runs in {self.root}") from error
        finally:
            os.close(descriptor)
