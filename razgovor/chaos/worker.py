"""One process of a service under test: started, armed, killed, frozen, started again. Moved on by `crew` alone."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from razgovor.embedded.owned_process import OwnedProcess, module_command

STOP_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A process that ended.

    Attributes:
        worker: Its name.
        status: Its exit status; minus the signal's number if one killed it.
        at_s: When it was seen, by the clock of the machine.
        asked: Whether the rig had asked it to stop.
    """

    worker: str
    status: int
    at_s: float
    asked: bool


class Worker:
    """A place for one process of a service after another.

    Args:
        service: `ingest`, `transcriber`, `exporter` or `ledger`.
        number: Which of them.
        folder: Where logs and state files go.
        environment: Its settings.
    """

    def __init__(self, service: str, number: int, folder: Path, environment: Mapping[str, str]) -> None:
        self.service = service
        self.name = f"{service}-{number}"
        self.environment = dict(environment)
        #: Variables for one start each, the next one first: how a worker is armed for its next lives.
        self.lives: deque[Mapping[str, str]] = deque()
        self.starts = 0
        self._folder = folder
        self._process: OwnedProcess | None = None
        self._worn: Mapping[str, str] = {}
        self._asked = False

    def start(self) -> None:
        """Start a process, with the next life's variables if there are any."""
        self._worn = self.lives.popleft() if self.lives else {}
        self._asked = False
        process = OwnedProcess(
            name=self.name,
            command=module_command("razgovor.chaos.service", self.service),
            log=self.log,
            status_file=self._folder / f"{self.name}.json",
            environment={
                **self.environment,
                f"{self.service.upper()}_STATUS_FILE": str(self._folder / f"{self.name}.json"),
                "RAZGOVOR_CRASH_FILE": str(self.crash_file),
                **self._worn,
            },
        )
        process.start()
        self.starts += 1
        self._process = process

    @property
    def log(self) -> Path:
        """What it says."""
        return self._folder / f"{self.name}.log"

    @property
    def crash_file(self) -> Path:
        """Where a running process is told its crash point."""
        return self._folder / f"{self.name}.crash-at"

    @property
    def crash_at(self) -> str | None:
        """The step at which this process is to kill itself."""
        return self._worn.get("RAZGOVOR_CRASH_AT")

    @property
    def pid(self) -> int | None:
        """Its process, None while there is none."""
        return None if self._process is None else self._process.pid

    @property
    def is_ready(self) -> bool:
        """Whether it works."""
        return self._process is not None and self._process.exit_status() is None and self._process.state() == "ready"

    def fact(self, name: str) -> str | None:
        """A fact of its status file."""
        return None if self._process is None else self._process.fact(name)

    def ended(self) -> Death | None:
        """Its end, told once, if it has come."""
        if self._process is None or (status := self._process.exit_status()) is None:
            return None
        self._process.kill()  # dead already: closes its lifeline
        self._process = None
        return Death(worker=self.name, status=status, at_s=time.time(), asked=self._asked)

    def signal(self, number: int) -> None:
        """Send it a signal; not to its children."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def ask_to_stop(self) -> None:
        """SIGTERM: it drains; nothing else."""
        self._asked = True
        self.signal(signal.SIGTERM)

    def end(self) -> None:
        """End it for good: in order, by force if that takes too long."""
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self._process.wait_ended(STOP_TIMEOUT_S)
            self._process.kill()
            self._process = None
