"""Where the stack keeps what: one folder of the user's, private folders of ours in it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from razgovor.embedded import postgres_place as places
from razgovor.embedded.account import server_account


@dataclass(frozen=True, slots=True)
class StackFolder:
    """Names in a stack's folder."""

    root: Path

    @property
    def store(self) -> Path:
        """Recordings and transcripts, 0700."""
        return self.root / "store"

    @property
    def run(self) -> Path:
        """State files and locks, 0700."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """`<service>.log`, 0700."""
        return self.root / "logs"

    @property
    def scratch(self) -> Path:
        """What services decode into; emptied at each start, 0700."""
        return self.root / "scratch"

    @property
    def postgres(self) -> Path:
        """Home of the embedded database."""
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        """Home of the stack's own Kafka, where it has one."""
        return self.root / "kafka"

    def status_file(self, service: str) -> Path:
        """Where a service writes its state."""
        return self.run / f"{service}.json"

    def make(self) -> None:
        """Make what is missing. The root lets others pass (not list) only where the database is somebody else's: as root."""
        places.make_folder(self.root, places.home_mode(server_account()))
        for folder in (self.store, self.run, self.logs, self.scratch):
            places.make_folder(folder, places.PRIVATE)

    def empty_scratch(self) -> None:
        """Remove what killed services left. Only while none of them lives."""
        for left in self.scratch.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()

    def remove(self) -> None:
        """Throw everything away, also a database that lies elsewhere."""
        places.remove_database(self.postgres)
        shutil.rmtree(self.root, ignore_errors=True)
