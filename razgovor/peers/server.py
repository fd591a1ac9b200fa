"""One real server in one folder: started on a leash, waited for, stopped, killed, paused. What all peers have in common.

A subclass prepares its files and says what to run (`Launch`). Ports and secrets are drawn once and kept in the folder: a
restart, orderly or after kill -9, comes back at the same address.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from razgovor.embedded import folder_lock
from razgovor.embedded.account import Credentials
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.owned_process import OwnedProcess
from razgovor.embedded.postgres_place import make_folder
from razgovor.embedded.private_file import write_private
from razgovor.peers import leash
from razgovor.peers.kept import Kept

START_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 30.0
#: On top of the server's own time to stop, for its leash.
LEASH_TIMEOUT_S: Final = 5.0
LOCK_TIMEOUT_S: Final = 20.0
NOBODY_ELSE: Final = Credentials()


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to run, and how to tell that it is ready.

    Attributes:
        command: Its command line.
        ready: `{"line": text}` in its log, `{"port": n, "path": "/health"}` answers 200, or `{"port": n}` listens.
        environment: Variables over ours; may hold secrets.
        run_as: Another account, as subprocess takes it.
        stop_signal: What asks it to end.
        stop_timeout_s: It is killed after this.
    """

    command: Sequence[str]
    ready: Mapping[str, str | int]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    run_as: Credentials = field(default_factory=Credentials)
    stop_signal: int = signal.SIGTERM
    stop_timeout_s: float = STOP_TIMEOUT_S


class PeerServer(ABC):
    """One server. Also a context manager; one thread at a time.

    Args:
        folder: Its own; made if absent, with private files. What lies in it stays over a stop.
    """

    name: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        make_folder(self.folder, self.folder_mode)
        self.kept = Kept(self.folder / "kept.json")
        self._process: OwnedProcess | None = None
        self._lock: int | None = None

    @abstractmethod
    def prepare(self) -> Launch:
        """Make what it needs to start, over new or existing files.

        Raises:
            PeerMissing: This machine lacks something; the text says how to get it.
            EmbeddedFailed: It can't.
        """

    def start(self) -> None:
        """Start, and return when it is ready.

        Raises:
            PeerMissing: This machine lacks something; the text says how to get it.
            HomeBusy: Another one runs in this folder.
            ProcessFailed: It ended or was not ready in time; the text ends with its log.
        """
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        """Start and do not wait: see `start`."""
        if self.is_running:
            return
        make_folder(self.folder, self.folder_mode)
        self._let_go()
        self._lock = folder_lock.take(
            self.folder / "server.lock",
            timeout_s=LOCK_TIMEOUT_S,
            otherwise=f"another {self.name} runs in {self.folder}",
        )
        try:
            self._process = self._launch(self.prepare(), self._lock)
        except BaseException:
            self._let_go()
            raise

    def wait_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Return when it is ready; ended otherwise.

        Raises:
            ProcessFailed: It ended or was not ready in time; the text ends with its log.
        """
        try:
            self._running.wait_ready(timeout_s)
            self.made_ready()
        except BaseException:  # also Ctrl-C: nothing may stay behind
            self.kill()
            raise

    def made_ready(self) -> None:  # noqa: B027  # most have nothing to do
        """What is to be done once it answers, at every start."""

    def _launch(self, launch: Launch, lock: int) -> OwnedProcess:
        log = self.folder / f"{self.name}.log"
        log.touch(mode=0o600)
        plan_file = self.folder / "plan.json"
        plan = {
            "command": list(launch.command),
            "cwd": "/",
            "environment": dict(launch.environment),
            "ready": dict(launch.ready),
            "run_as": dict(launch.run_as),
            "stop_signal": int(launch.stop_signal),
            "stop_timeout_s": launch.stop_timeout_s,
            "inherits": [lock],
            "log": str(log),
            "facts": {},
        }
        write_private(plan_file, json.dumps(plan))
        status_file = self.folder / "status.json"
        process = OwnedProcess(
            name=self.name,
            command=[sys.executable, "-I", "-S", leash.__file__, str(plan_file), "--status-file", str(status_file)],
            log=log,
            status_file=status_file,
            inherits=(lock,),
        )
        process.start()
        return process

    @property
    def folder_mode(self) -> int:
        """The mode of a folder made here."""
        return 0o700

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / f"{self.name}.log"

    @property
    def is_running(self) -> bool:
        """Whether it was started and lives."""
        return self._process is not None and self._process.exit_status() is None

    @property
    def pid(self) -> int:
        """The server's own process, to be killed or paused by tests.

        Raises:
            EmbeddedFailed: It is not ready.
        """
        found = self._running.fact_int("server_pid")
        if found is None:
            raise EmbeddedFailed(f"{self.name} is not ready")
        return found

    def stop(self) -> None:
        """End it in order; a second time does nothing. Its folder stays."""
        if self._process is not None:
            self._process.stop(STOP_TIMEOUT_S + LEASH_TIMEOUT_S)
        self._let_go()

    def kill(self) -> None:
        """Kill -9, as a power cut; `start` brings it back over its files."""
        if self._process is not None:
            self._process.kill()
        self._let_go()

    def pause(self) -> None:
        """SIGSTOP: it keeps its connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def wipe(self) -> None:
        """Stopped or not: kill it and throw its data away; ports and secrets stay, so a start is a new server at the old address."""
        self.kill()
        for data in self.data_folders():
            shutil.rmtree(data, ignore_errors=True)

    def remove(self) -> None:
        """Kill it and throw everything away, ports and secrets too."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def data_folders(self) -> Sequence[Path]:
        """Where its data lie."""
        return (self.folder / "data",)

    @property
    def _running(self) -> OwnedProcess:
        if self._process is None:
            raise EmbeddedFailed(f"{self.name} was not started")
        return self._process

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.kill()  # dead already, or to be: closes its lifeline, too
            self._process = None
        if self._lock is not None:
            with suppress(OSError):
                os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
