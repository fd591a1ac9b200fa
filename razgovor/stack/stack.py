"""The one-machine stack: broker, database, ingest, transcriber, exporter, ledger, each a process of ours.

`razgovor demo`, `transcribe` and `up` start one; they meet it over REST, as any client does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from razgovor.embedded import folder_lock, postgres_elsewhere
from razgovor.embedded import postgres_place as places
from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import DatabaseUrls, database_urls
from razgovor.stack.layout import StackFolder
from razgovor.stack.service_spec import ServiceState
from razgovor.stack.specs import BROKER, INGEST, StackOptions, address_of, stack_specs
from razgovor.stack.supervisor import Supervisor

EARLIER_RUN_TIMEOUT_S: Final = 60.0


class Stack:
    """One stack in one folder. Also a context manager; two in two folders run side by side.

    Args:
        folder: Made if absent; a start over what an earlier one left goes on where that stopped.
        model: What the transcriber loads: a name of the catalogue, or a folder. None: what its own settings say.
        model_name: What that model is called in transcripts.
        model_cache: Where fetched models lie.
        temporary: Remove the folder and the database, wherever it lies, after the stop.
        options: Addresses of other peers, port, further variables.
    """

    def __init__(
        self,
        folder: Path,
        *,
        model: str | None = None,
        model_name: str | None = None,
        model_cache: Path | None = None,
        temporary: bool = False,
        options: StackOptions | None = None,
    ) -> None:
        self.folder = StackFolder(folder.absolute())
        self._options = _with_model(options or StackOptions(), model, model_name, model_cache)
        self._temporary = temporary
        self._supervisor: Supervisor | None = None
        self._locks: list[int] = []

    def start(self) -> None:
        """Start everything and return when all of it is ready.

        Raises:
            HomeBusy: Another stack works in this folder.
            ProcessFailed: A service did not start; the text ends with its log. Nothing is left running.
        """
        self.folder.make()
        try:
            self._lock("stack.lock", 0, "another razgovor runs in this folder")
            inherited = self._lock(
                "services.lock", EARLIER_RUN_TIMEOUT_S, "services of an earlier run in this folder do not end"
            )
            self.folder.empty_scratch()
            self._note_database()
            specs = stack_specs(self.folder, self._options)
            self._supervisor = Supervisor(specs, self.folder.logs, inherits=(inherited,))
            self._supervisor.start()
        except BaseException:  # also Ctrl-C: nothing may stay behind
            self.stop()
            raise

    def stop(self) -> None:
        """End everything, in order. A second time does nothing."""
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None
            if self._temporary:
                self.folder.remove()
        for lock in self._locks:
            os.close(lock)
        self._locks.clear()

    @property
    def ingest_url(self) -> str:
        """Where ingest listens: http://host:port."""
        return f"http://{address_of(self._running.facts(INGEST))}"

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's address."""
        return self._options.bootstrap_servers or address_of(self._running.facts(BROKER))

    @property
    def database_urls(self) -> DatabaseUrls:
        """The database's addresses, by role."""
        return self._options.database_urls or database_urls(self.folder.postgres)

    def service_states(self) -> list[ServiceState]:
        """How each service is, in order of start; empty when nothing was started."""
        return [] if self._supervisor is None else self._supervisor.states()

    def pid(self, service: str) -> int | None:
        """The process of a service, None while it has none."""
        return next((state.pid for state in self.service_states() if state.name == service), None)

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise EmbeddedFailed("the stack was not started")
        return self._supervisor

    def _note_database(self) -> None:
        """The other commands find the database by the folder, wherever it is."""
        if self._options.database_urls is None:
            postgres_elsewhere.forget(self.folder.postgres)
        else:
            places.make_folder(self.folder.postgres, places.home_mode(server_account()))
            postgres_elsewhere.note(self.folder.postgres, self._options.database_urls)

    def _lock(self, name: str, timeout_s: float, otherwise: str) -> int:
        lock = folder_lock.take(self.folder.run / name, timeout_s=timeout_s, otherwise=otherwise)
        self._locks.append(lock)
        return lock

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def _with_model(
    options: StackOptions, model: str | None, model_name: str | None, model_cache: Path | None
) -> StackOptions:
    chosen: Mapping[str, str | None] = {
        "TRANSCRIBER_MODEL": model,
        "TRANSCRIBER_MODEL_NAME": model_name,
        "TRANSCRIBER_MODEL_CACHE_DIR": None if model_cache is None else str(model_cache),
    }
    environment = {**options.environment, **{name: value for name, value in chosen.items() if value is not None}}
    return replace(options, environment=environment)
