"""The database server of one home: made once, started, made ready, stopped. Used by the keeper (`postgres`).

Two locks lie beside the files. `keeper.lock` is the keeper's; `server.lock` is inherited by the server and held as long
as one of its processes lives. So a server left alone by a killed keeper is told from a stale postmaster.pid for sure.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from razgovor.embedded import folder_lock
from razgovor.embedded import postgres_programs as programs
from razgovor.embedded.account import Account
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.postgres_access import ADMIN, passwords
from razgovor.embedded.postgres_place import MAJOR, SOCKET_NAME, Wheel

PR_SET_PDEATHSIG: Final = 1
READY_TIMEOUT_S: Final = 120.0  # recovery after a crash reads the whole log
STOP_TIMEOUT_S: Final = 20.0
LOCK_TIMEOUT_S: Final = 30.0
POLL_S: Final = 0.05
SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",  # the socket is the only way in
    "unix_socket_permissions": "0700",
    "cluster_name": "razgovor",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "256MB",
    "jit": "off",
    "fsync": "on",
    "log_min_error_statement": "panic",  # a statement may hold what names people
    "log_error_verbosity": "terse",  # so may the detail of a broken constraint
}


class PostgresServer:
    """One server over `place/data`, reached through a socket in `socket_folder`."""

    def __init__(
        self,
        *,
        home: Path,
        place: Path,
        socket_folder: Path,
        wheel: Wheel,
        account: Account,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self._home = home
        self._data = place / "data"
        self._place = place
        self._socket_folder = socket_folder
        self._wheel = wheel
        self._account = account
        self._lock_timeout_s = lock_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._locks: list[int] = []

    def start(self, stop: threading.Event) -> None:
        """Start, over new or existing files, and return when roles and schemas are there or `stop` is set.

        Raises:
            EmbeddedFailed: It can't; the text says why.
        """
        self._lock("keeper.lock", "another razgovor runs on this database")
        self._end_orphan()
        self._make_files()
        server_lock = self._lock("server.lock", "processes of an older server do not end")
        self._forget_the_dead()
        self._spawn(server_lock)
        if self._wait_ready(stop):
            programs.bootstrap(self._wheel, self._socket_folder, passwords(self._home))

    @property
    def pid(self) -> int:
        """The server's first process."""
        if self._process is None:
            raise EmbeddedFailed("the server was not started")
        return self._process.pid

    def ended(self) -> bool:
        """Whether the server is gone."""
        return self._process is None or self._process.poll() is not None

    def stop(self) -> None:
        """Stop: fast, then at once, then by force."""
        if self._process is not None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
                if self._process.poll() is None:
                    self._process.send_signal(how)
                try:
                    self._process.wait(STOP_TIMEOUT_S)
                    break
                except subprocess.TimeoutExpired:
                    continue
        for lock in self._locks:
            os.close(lock)
        self._locks.clear()

    def _lock(self, name: str, otherwise: str) -> int:
        lock = folder_lock.take(self._place / name, timeout_s=self._lock_timeout_s, otherwise=otherwise)
        self._locks.append(lock)
        return lock

    def _end_orphan(self) -> None:
        """A server whose keeper was killed gets its end by the kernel on Linux; elsewhere, and in doubt, by us."""
        if folder_lock.is_held(self._place / "server.lock") and (self._data / "postmaster.pid").exists():
            programs.stop_orphan(self._wheel, self._data, self._account)

    def _forget_the_dead(self) -> None:
        """Remove the pid files of a killed server. PostgreSQL would go by their number, which may live again as
        somebody else or, where nothing reaps orphans, as a zombie; we hold `server.lock` and know better.
        """
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
            (self._socket_folder / name).unlink(missing_ok=True)

    def _make_files(self) -> None:
        if not self._data.exists():
            unfinished = self._data.with_name("data.new")  # left by whoever was killed while making it
            shutil.rmtree(unfinished, ignore_errors=True)
            password = passwords(self._home)[ADMIN]
            programs.initialise(self._wheel, unfinished, password, self._socket_folder, self._account)
            unfinished.replace(self._data)
            return
        if self._data.stat().st_uid != self._account.uid:
            raise EmbeddedFailed(f"{self._data} belongs to another account: run razgovor as the one that made it")
        version = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        if version != MAJOR:
            raise EmbeddedFailed(f"{self._data} was made by PostgreSQL {version}, this is {MAJOR}: pg_upgrade it first")

    def _spawn(self, server_lock: int) -> None:
        command = [str(self._wheel.program("postgres")), "-D", str(self._data)]
        for name, value in {**SETTINGS, "unix_socket_directories": str(self._socket_folder)}.items():
            command += ["-c", f"{name}={value}"]
        self._process = subprocess.Popen(
            command,
            cwd="/",
            env=programs.environment(),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            pass_fds=(server_lock,),
            start_new_session=True,
            preexec_fn=_end_with_parent(),  # noqa: PLW1509  # no other thread of the keeper holds a lock: it waits in read(2)
            **self._account.credentials(),
        )

    def _wait_ready(self, stop: threading.Event) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not stop.is_set():
            if self.ended():
                raise EmbeddedFailed("PostgreSQL ended while starting; its log says why")
            if programs.is_ready(self._wheel, self._socket_folder):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedFailed(f"PostgreSQL was not ready within {READY_TIMEOUT_S:.0f} s")
            stop.wait(POLL_S)
        return False


class _end_with_parent:  # noqa: N801  # a function prepared before the fork
    """Asks the kernel, in the child, to stop the server when its keeper is gone, also by kill -9. Linux only."""

    def __init__(self) -> None:
        self._prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
        self._parent = os.getpid()

    def __call__(self) -> None:
        if self._prctl is not None:
            self._prctl(PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
            if os.getppid() != self._parent:
                os._exit(1)
