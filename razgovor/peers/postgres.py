"""PostgreSQL over TCP on loopback: Debian's server where it is installed, the wheel's otherwise.

The embedded one (`razgovor.embedded.postgres`) is reached by a socket only and belongs to a stack; this one is a peer that tests
put proxies in front of and kill.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from razgovor.embedded import postgres_place as places
from razgovor.embedded import postgres_programs as programs
from razgovor.embedded.account import server_account
from razgovor.embedded.postgres_access import ADMIN, DATABASE, ROLES, DatabaseUrls, passwords
from razgovor.embedded.postgres_server import READY_TIMEOUT_S, SETTINGS
from razgovor.embedded.waiting import until
from razgovor.peers.programs import debian_postgres
from razgovor.peers.server import Launch, PeerServer


@dataclass(frozen=True, slots=True)
class InstalledPostgres(places.Wheel):
    """A PostgreSQL of the machine's own packages: `root` is its folder of programs."""

    def program(self, name: str) -> Path:
        """`postgres`, `initdb`, `psql`, `pg_dump` ..."""
        return self.root / name


class PostgresServer(PeerServer):
    """One server with the roles, the database and the schemas of the product.

    Args:
        folder: Its own. As root the files lie elsewhere when the database's account can't reach it.
        fallback_root: Where then.
        settings: Further settings of the server, over ours.
        wheel: Take the wheel's server even where Debian's is installed.
    """

    name = "postgres"

    def __init__(
        self,
        folder: Path,
        *,
        fallback_root: Path = places.FALLBACK_ROOT,
        settings: Mapping[str, str] | None = None,
        wheel: bool = False,
    ) -> None:
        self._account: Final = server_account()
        super().__init__(folder)
        self._fallback_root = fallback_root
        self._settings = dict(settings or {})
        found = None if wheel else debian_postgres()
        self._wheel = places.installed_wheel() if found is None else InstalledPostgres(found, found.parent.name)

    @property
    def folder_mode(self) -> int:
        """Others may pass through only where the database is somebody else's."""
        return places.home_mode(self._account)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.kept.port("postgres")

    @property
    def programs(self) -> places.Wheel:
        """Its programs: `psql`, `pg_dump`, `pg_restore` of its own version."""
        return self._wheel

    def urls(self, database: str = DATABASE, *, port: int | None = None) -> DatabaseUrls:
        """Addresses of a database by role; by another port when a proxy stands in front."""
        words = passwords(self.folder)
        admin, ingest, ledger, auditor = (
            f"postgresql://{role}:{words[role]}@127.0.0.1:{port or self.port}/{database}" for role in ROLES
        )
        return DatabaseUrls(admin=admin, ingest=ingest, ledger=ledger, auditor=auditor)

    def create_database(self, name: str) -> DatabaseUrls:
        """A further database with the same roles and schemas.

        Args:
            name: Letters, digits and underscores.
        """
        programs.bootstrap(self._wheel, self._sockets, passwords(self.folder), name, port=self.port)
        return self.urls(name)

    @property
    def _place(self) -> Path:
        return places.database_place(self.folder, self._account, self._fallback_root)

    @property
    def _sockets(self) -> Path:
        return places.socket_folder(self.folder, self._account)

    def data_folders(self) -> tuple[Path, ...]:
        """See `PeerServer.data_folders`."""
        return (self._place / "data",)

    def prepare(self) -> Launch:
        """See `PeerServer.prepare`."""
        data = self._place / "data"
        if not isinstance(self._wheel, InstalledPostgres):
            self._wheel = places.reachable_wheel(self._wheel, self._place, self._account)
        sockets = self._sockets
        if not (data / "PG_VERSION").exists():
            programs.initialise(self._wheel, data, passwords(self.folder)[ADMIN], sockets, self._account)
        # Whoever holds our lock knows that no server lives; PostgreSQL would go by a number that may live again.
        (data / "postmaster.pid").unlink(missing_ok=True)
        for left in sockets.glob(".s.PGSQL.*"):
            left.unlink()
        settings = {
            **SETTINGS,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(sockets),
            **self._settings,
        }
        command = [str(self._wheel.program("postgres")), "-D", str(data)]
        return Launch(
            command=[*command, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))],
            ready={"port": self.port},
            environment=programs.environment(),
            run_as=self._account.credentials(),
            stop_signal=signal.SIGINT,
        )

    def made_ready(self) -> None:
        """Roles, database, schemas."""
        until(
            lambda: programs.is_ready(self._wheel, self._sockets, port=self.port),
            READY_TIMEOUT_S,
            "PostgreSQL did not answer",
        )
        programs.bootstrap(self._wheel, self._sockets, passwords(self.folder), port=self.port)

    def crash(self) -> None:
        """Stop as `pg_ctl -m immediate` does: without a checkpoint, so that the next start recovers."""
        os.kill(self.pid, signal.SIGQUIT)

    def stop(self) -> None:
        """See `PeerServer.stop`."""
        super().stop()
        places.remove_socket_folder(self.folder)

    def remove(self) -> None:
        """See `PeerServer.remove`; the files may lie elsewhere."""
        self.kill()
        places.remove_database(self.folder)
