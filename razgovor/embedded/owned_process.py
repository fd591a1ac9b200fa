"""A process that is ours: started with a lifeline on its standard input, watched by its status file, ended for sure.

`embedded.postgres` and `stack.supervisor` start all theirs through this. When we die, however, the lifeline closes and
the process drains by itself (see `pipeline.service.stop_event`).
"""

from __future__ import annotations

import json
import os
import signal
import site
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import ProcessFailed

POLL_S: Final = 0.05
KILL_TIMEOUT_S: Final = 10.0
TAIL_LINES: Final = 20
TAIL_BYTES: Final = 16_384
MAX_LOG_BYTES: Final = 20_000_000
SOURCE_ROOT: Final = Path(__file__).resolve().parents[2]


def module_command(module: str, *arguments: str) -> list[str]:
    """Run a module of ours with this interpreter; `-P`: a folder named like it where the user stands is not imported."""
    return [sys.executable, "-P", "-m", module, *arguments]


def own_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment, with the path to our packages when they run from a source tree."""
    environment = dict(os.environ)
    if str(SOURCE_ROOT) not in site.getsitepackages():
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{SOURCE_ROOT}{os.pathsep}{before}" if before else str(SOURCE_ROOT)
    return {**environment, **(extra or {})}


class OwnedProcess:
    """One start of one process. Used by one thread at a time.

    Args:
        name: Its name in errors.
        command: Command line.
        log: Where its output goes, 0600, appended.
        status_file: Where it writes its state (`pipeline.service.StatusFile`).
        environment: Variables over our own.
        inherits: Descriptors that it gets, to hold a lock for as long as it lives.
    """

    def __init__(
        self,
        *,
        name: str,
        command: list[str],
        log: Path,
        status_file: Path,
        environment: Mapping[str, str] | None = None,
        inherits: Sequence[int] = (),
    ) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._log_start_bytes = 0
        self._status_file = status_file
        self._environment = environment
        self._inherits = tuple(inherits)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; files that it makes are private unless it says otherwise."""
        self._status_file.unlink(missing_ok=True)
        if self._log.exists() and self._log.stat().st_size > MAX_LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._log_start_bytes = os.fstat(log).st_size
            self._process = subprocess.Popen(
                self._command,
                env=own_environment(self._environment),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=self._inherits,
                start_new_session=True,  # Ctrl-C in a terminal is ours to pass on, in order
                umask=0o077,
            )
        finally:
            os.close(log)

    @property
    def pid(self) -> int | None:
        """Its process id, None before the start."""
        return None if self._process is None else self._process.pid

    def exit_status(self) -> int | None:
        """None while it runs; minus the signal's number if one killed it."""
        if self._process is None:
            return None
        if self._process.returncode is None and self._has_ended():
            self._end_group()
        return self._process.poll()

    def _has_ended(self) -> bool:
        if self._process is None:
            return True
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody has waited for it already
            return True

    def _end_group(self) -> None:
        """End what it left behind. Its own group, of which it is the leader; not waited for yet, its number is its own."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def facts(self) -> Mapping[str, object]:
        """What its status file says, empty before it wrote one; what an earlier, still draining process writes is not its."""
        try:
            found: Mapping[str, object] = json.loads(self._status_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if found.get("pid") == self.pid else {}

    def last_beat_at(self) -> datetime | None:
        """When it last touched its status file, None before it wrote one."""
        try:
            return datetime.fromtimestamp(self._status_file.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None

    def state(self) -> str:
        """`starting`, `ready`, `waiting`, `draining` as it says itself."""
        return str(self.facts().get("state", "starting"))

    def fact(self, name: str) -> str | None:
        """A fact of its status file as text."""
        value = self.facts().get(name)
        return None if value is None else str(value)

    def fact_int(self, name: str) -> int | None:
        """A fact of its status file that is a whole number."""
        value = self.facts().get(name)
        return value if isinstance(value, int) else None

    def failed(self, why: str) -> ProcessFailed:
        """An error that names it, with the end of what this start wrote to its log."""
        return ProcessFailed(self.name, why, self.tail())

    def tail(self) -> str:
        """The last lines that this start wrote."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(self._log_start_bytes, size - TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join(lines[-TAIL_LINES:])

    def wait_ready(self, timeout_s: float) -> None:
        """Return when it says `ready`; otherwise end it.

        Raises:
            ProcessFailed: It ended, or the time is over.
        """
        deadline = time.monotonic() + timeout_s
        while self.state() != "ready":
            status = self.exit_status()
            if status is not None:
                self._close_lifeline()
                raise self.failed(f"ended with {status} before it was ready")
            if time.monotonic() > deadline:
                failure = self.failed(f"was not ready within {timeout_s:.0f} s")
                self.kill()
                raise failure
            time.sleep(POLL_S)

    def ask_to_stop(self) -> None:
        """SIGTERM and the end of its input."""
        if self._process is None:
            return
        if self.exit_status() is None:
            self._process.send_signal(signal.SIGTERM)
        self._close_lifeline()

    def stop(self, timeout_s: float) -> bool:
        """Ask it to stop and wait; kill it when the time is over. Whether it ended by itself."""
        self.ask_to_stop()
        return self.wait_ended(timeout_s)

    def wait_ended(self, timeout_s: float) -> bool:
        """Wait for the end, kill it when the time is over. Whether it ended by itself."""
        deadline = time.monotonic() + timeout_s
        while self._process is not None and self.exit_status() is None:
            if time.monotonic() >= deadline:
                self.kill()
                return False
            time.sleep(POLL_S)
        return True

    def kill(self) -> None:
        """End it and what is left of its group at once."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._end_group()
            with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: dead as soon as it comes out
                self._process.wait(KILL_TIMEOUT_S)
        self._close_lifeline()

    def _close_lifeline(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
