"""Holds a server that knows nothing of us: `python -I -S leash.py PLAN --status-file FILE`, started by `peers.server`.

The plan (JSON, 0600: it may hold secrets) names command, environment and how to tell that it is ready. The leash writes the
status file of our own processes; it ends the server, in order, on SIGTERM or when its standard input closes. When the leash
itself is killed the kernel ends the server. Standard library only: it starts in a moment and stays small.
"""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

PR_SET_PDEATHSIG: Final = 1
LOOK_S: Final = 0.05
BEAT_S: Final = 1.0
PROBE_TIMEOUT_S: Final = 2.0
HTTP_OK: Final = 200


class Leash:
    """One server's life."""

    def __init__(self, plan: dict[str, Any], status_file: Path) -> None:
        self._plan = plan
        self._status_file = status_file
        self._stopping = False
        self._ready = False
        self._log = Path(plan["log"])
        self._log_read_bytes = self._log.stat().st_size
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """Start the server, hold it until the end; its exit status."""
        self._write("starting")
        signal.signal(signal.SIGTERM, lambda *_: self._ask_to_stop())
        signal.signal(signal.SIGINT, lambda *_: self._ask_to_stop())
        process = self._process = self._spawn()
        beaten_s = 0.0
        while process.poll() is None:
            if self._input_ended():
                self._ask_to_stop()
            if self._stopping:
                return self._end(process)
            if not self._ready and self._probe():
                self._ready = True
                self._write("ready", server_pid=process.pid, **self._plan["facts"])
            if self._ready and time.monotonic() - beaten_s > BEAT_S:
                self._status_file.touch()
                beaten_s = time.monotonic()
        return exit_status(process)

    def _spawn(self) -> subprocess.Popen[bytes]:
        parent = os.getpid()
        prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

        def end_with_the_leash() -> None:
            if prctl is not None:
                prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
                if os.getppid() != parent:
                    os._exit(1)

        return subprocess.Popen(
            self._plan["command"],
            cwd=self._plan["cwd"],
            env={**os.environ, **self._plan["environment"]},
            stdin=subprocess.DEVNULL,
            pass_fds=self._plan["inherits"],
            preexec_fn=end_with_the_leash,  # noqa: PLW1509  # there is one thread
            **self._plan["run_as"],
        )

    def _input_ended(self) -> bool:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK_S)
        return bool(readable) and not os.read(sys.stdin.fileno(), 1024)

    def _probe(self) -> bool:
        ready: dict[str, Any] = self._plan["ready"]
        if "line" in ready:
            return self._said(ready["line"].encode())
        if "path" in ready:
            return answers(ready["port"], ready["path"])
        return listens(ready["port"])

    def _said(self, line: bytes) -> bool:
        with self._log.open("rb") as file:
            file.seek(self._log_read_bytes)
            return line in file.read()

    def _ask_to_stop(self) -> None:
        self._stopping = True

    def _end(self, process: subprocess.Popen[bytes]) -> int:
        self._write("draining", server_pid=process.pid)
        process.send_signal(self._plan["stop_signal"])
        process.send_signal(signal.SIGCONT)  # one that a test has stopped could not follow
        try:
            process.wait(self._plan["stop_timeout_s"])
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._write("stopped")
        return 0

    def _write(self, state: str, **facts: object) -> None:
        scratch = self._status_file.with_suffix(".tmp")
        scratch.write_text(json.dumps({"state": state, "pid": os.getpid(), **facts}), encoding="utf-8")
        scratch.replace(self._status_file)


def exit_status(process: subprocess.Popen[bytes]) -> int:
    """As a shell says it: 128 and the signal's number if one killed it. Never 0: nobody asked it to end."""
    status: int = process.returncode
    return 128 - status if status < 0 else status or 1


def listens(port: int) -> bool:
    """Whether somebody takes connections."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PROBE_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str) -> bool:
    """Whether an HTTP server says 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTP_OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    _, plan_file, _, status_name = sys.argv
    sys.exit(Leash(json.loads(Path(plan_file).read_text(encoding="utf-8")), Path(status_name)).run())
