"""Keeps a stack running: starts in order, starts again what dies, ends everything. Used by `demo`, `transcribe`, `up`.

A service that dies is started alone. The broker and the database come back under another address, so with one of them
the services are started again too; what was accepted stands in PostgreSQL and is announced again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from services.ingest.keys_admin import issue_key

from razgovor.embedded.errors import EmbeddedFailed, ProcessFailed
from razgovor.embedded.owned_process import OwnedProcess
from razgovor.embedded.postgres_access import DatabaseUrls, database_urls
from razgovor.stack import processes
from razgovor.stack.layout import StackFolder
from razgovor.stack.processes import PEERS, SERVICES, Options

START_TIMEOUT_S: Final = 180.0
#: Longer than a service's own drain.
STOP_TIMEOUT_S: Final = 20.0
_WATCH_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A process as an operator sees it."""

    name: str
    state: str
    pid: int | None
    restarts: int


class Stack:
    """The one-machine stack in a folder; also a context manager. Its folder holds everything, and outlives it."""

    def __init__(self, root: Path, options: Options) -> None:
        self.folder = StackFolder(root.absolute())
        self._options = options
        self._running: dict[str, OwnedProcess] = {}
        self._restarts = dict.fromkeys((*PEERS, *SERVICES), 0)
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="stack", daemon=True)
        self._held = ExitStack()

    def start(self) -> None:
        """Start everything, and return when all of it is ready.

        Raises:
            EmbeddedFailed: Something does not start; the text holds the end of its log.
        """
        self.folder.make()
        self._held.enter_context(self.folder.locked())
        try:
            self._start_peers()
            self._start_services()
        except BaseException:
            self.stop()
            raise
        self._watcher.start()

    def stop(self) -> None:
        """End everything in order; a second time does nothing."""
        self._stopping.set()
        if self._watcher.is_alive():
            self._watcher.join()
        self._end([*reversed(SERVICES), *PEERS])
        self._held.close()

    @property
    def ingest_url(self) -> str:
        """Where the REST interface answers."""
        address = self._running[processes.INGEST].fact("address")
        if address is None:
            raise EmbeddedFailed("ingest does not run")
        return address

    @property
    def database_urls(self) -> DatabaseUrls:
        """The database, by role."""
        return database_urls(self.folder.database)

    def create_key(self, client_id: str) -> str:
        """A new API key of a client, who is made if there is none."""
        return issue_key(self.database_urls.ingest, client_id)

    def service_states(self) -> list[ServiceState]:
        """Every process, in the order of starting."""
        return [
            ServiceState(name, self._state(name), running.pid, self._restarts[name])
            for name in (*PEERS, *SERVICES)
            if (running := self._running.get(name)) is not None
        ]

    def _state(self, name: str) -> str:
        return "down" if self._running[name].exit_status() is not None else self._running[name].state()

    def _start_peers(self) -> None:
        self._start([processes.peer(name, self.folder) for name in PEERS if not self._lives(name)])

    def _start_services(self) -> None:
        # The ledger before the others: its migrations make the views that ingest reads.
        for group in (SERVICES[:1], SERVICES[1:]):
            self._start([self._service(name) for name in group if not self._lives(name)])

    def _service(self, name: str) -> OwnedProcess:
        address = self._running[processes.BROKER].fact("address")
        if address is None:
            raise EmbeddedFailed("the broker does not run")
        return processes.service(name, self.folder, self._options, address, self.database_urls)

    def _start(self, wanted: Sequence[OwnedProcess]) -> None:
        for process in wanted:
            self._running[process.name] = process
            process.start()
        for process in wanted:
            process.wait_ready(START_TIMEOUT_S)

    def _lives(self, name: str) -> bool:
        process = self._running.get(name)
        return process is not None and process.exit_status() is None

    def _end(self, names: Sequence[str]) -> None:
        ours = [self._running[name] for name in names if name in self._running]
        services = [process for process in ours if process.name not in PEERS]
        for group in (services, [process for process in ours if process.name in PEERS]):
            for process in group:
                process.ask_to_stop()
            deadline = time.monotonic() + STOP_TIMEOUT_S
            for process in group:
                process.wait_ended(deadline - time.monotonic())

    def _watch(self) -> None:
        pause_s = _WATCH_S
        while not self._stopping.wait(pause_s):
            dead = [name for name in self._running if not self._lives(name)]
            if not dead:
                pause_s = _WATCH_S
                continue
            for name in dead:
                self._restarts[name] += 1
            try:
                self._revive(dead)
                pause_s = _WATCH_S
            except (EmbeddedFailed, ProcessFailed):
                # Its log says why; an operator sees the state and the count of restarts.
                pause_s = min(max(1.0, pause_s * 2), _LONGEST_PAUSE_S)

    def _revive(self, dead: Sequence[str]) -> None:
        if any(name in PEERS for name in dead):
            self._end(SERVICES)
            self._start_peers()
        self._start_services()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
