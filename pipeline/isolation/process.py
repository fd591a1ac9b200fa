"""The parent's side: one long-lived child process that serves requests, and is replaced when it has died.

Called by ingest's probe and the transcriber's decoder and engine, directly or through `ChildPool`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Generic, Self, TypeVar, cast

from pipeline.isolation.errors import ChildClosed, ChildCrashed, ChildFailed, ChildTimeout
from pipeline.isolation.limits import Limits
from pipeline.isolation.messages import Answer, Fault, Reply, Setup

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

_END_GRACE_S: Final = 5.0
#: How often whoever waits for the child asks whether to wait on.
_LOOK_EVERY_S: Final = 0.2
# Not multiprocessing's spawn: that imports the parent's __main__ again in every child, with all that it imports.
_BOOT: Final = (
    "import json, sys; _, name, socket_fd, parent_pid, path = sys.argv; sys.path[:] = json.loads(path); "
    "from pipeline.isolation.child import main; main(int(socket_fd), int(parent_pid))"
)


def _block_terminal_signals() -> None:
    """Children inherit this, so that Ctrl-C cannot hit one before it ignores it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))


# Linux kills a child (see child.py) when the *thread* that started it ends; this one ends with the process.
_starter: Final = ThreadPoolExecutor(1, thread_name_prefix="child-starter", initializer=_block_terminal_signals)


class ChildProcess(Generic[RequestT, ResponseT]):
    """A function that lives in a child process of its own.

    Args:
        factory: Runs in the child and returns what serves requests, e.g. loads a model. Must pickle: a module's
            function or a functools.partial of one, and not of the module that is run as `__main__`.
        name: Shown in the process list.
        limits: What requests may take.
        start_timeout_s: How long the factory may take.
        outlives_failures: Whether a child that raised something unforeseen serves on; else the next call has a fresh one.
    """

    def __init__(
        self,
        factory: Callable[[], Callable[[RequestT], ResponseT]],
        *,
        name: str,
        limits: Limits,
        start_timeout_s: float,
        outlives_failures: bool = True,
    ) -> None:
        self._setup = Setup(factory, limits)
        self._name = name
        self._start_timeout_s = start_timeout_s
        self._outlives_failures = outlives_failures
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The living child's process id; None when there is none."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Start the child unless it lives, and wait until its factory has returned.

        Raises:
            ChildCrashed: It died before it was ready.
            ChildTimeout: The factory took longer than `start_timeout_s`.
            ChildFailed: The factory raised something unforeseen.
            ChildClosed: After `close`.
            RazgovorError: As the factory raised it.
        """
        with self._lock:
            self._ensure_alive()

    def call(
        self, request: RequestT, *, timeout_s: float, still_wanted: Callable[[], None] = lambda: None
    ) -> ResponseT:
        """Have the child serve a request; safe from any thread, one at a time. Starts a child first if none lives.

        Args:
            request: Pickles, and is small: paths, not samples.
            timeout_s: Wall time of this request alone, without waiting for others and without a start.
            still_wanted: Asked now and then while others are served, and once more before the request is sent; raises to
                give up. What has been sent is served.

        Raises:
            ChildCrashed: It died; the next call starts another.
            ChildTimeout: It took too long and was killed; the next call starts another.
            ChildFailed: The function raised something unforeseen.
            ChildClosed: After `close`, also when that cut the request short.
            RazgovorError: As the function (or the factory, or `still_wanted`) raised it; the child lives on.
        """
        while not self._lock.acquire(timeout=_LOOK_EVERY_S):
            still_wanted()
        try:
            still_wanted()
            connection = self._ensure_alive()
            return cast("ResponseT", self._exchange(connection, request, timeout_s))
        except (ChildCrashed, ChildTimeout):
            if self._closed:
                raise ChildClosed from None
            raise
        finally:
            self._lock.release()

    def kill(self) -> None:
        """End the child at once, also in the middle of another thread's call (which gets ChildCrashed, or ChildClosed)."""
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the child for good. A call under way in another thread ends with ChildClosed. Safe to repeat."""
        self._closed = True
        self.kill()
        with self._lock:
            self._bury()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ensure_alive(self) -> Connection:
        if self._closed:
            raise ChildClosed
        if self._connection is not None and self.pid is not None:
            return self._connection
        self._bury()
        connection = self._spawn()
        if self._closed:  # while we started; `close` now waits for our lock
            self._bury()
            raise ChildClosed
        try:
            self._exchange(connection, self._setup, self._start_timeout_s)
        except BaseException:
            self._bury()
            raise
        return connection

    def _spawn(self) -> Connection:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-c", _BOOT, self._name, str(theirs.fileno()), str(os.getpid())]
            self._process = _starter.submit(_popen, [*command, json.dumps(sys.path)], theirs.fileno()).result()
        self._connection = Connection(ours.detach())
        return self._connection

    def _exchange(self, connection: Connection, message: object, timeout_s: float) -> object:
        """Send, wait, receive. Whatever cuts this short ends the child: its answer must not meet the next request."""
        try:
            connection.send(message)
            reply: Reply | None = connection.recv() if connection.poll(timeout_s) else None
        except (EOFError, ConnectionError) as error:
            raise self._obituary() from error
        except BaseException:
            self._bury()
            raise
        if reply is None:
            self._bury()
            raise ChildTimeout(timeout_s)
        if isinstance(reply, Answer):
            return reply.value
        if isinstance(reply, Fault):
            raise reply.error
        if not self._outlives_failures:
            self._bury()
        raise ChildFailed(reply.type_name)

    def _obituary(self) -> ChildCrashed | ChildTimeout:
        """Why the child hung up."""
        exit_code = self._bury(grace_s=_END_GRACE_S)
        cpu_s = self._setup.limits.cpu_s
        if exit_code == -signal.SIGXCPU and cpu_s is not None:
            return ChildTimeout(cpu_s)
        return ChildCrashed(exit_code)

    def _bury(self, *, grace_s: float = 0.0) -> int:
        """Let the child end by itself for that long, then end it, and forget it.

        Returns:
            Its exit code; 0 if there was none.
        """
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is None:
            return 0
        try:
            return process.wait(grace_s)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _popen(command: list[str], socket_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(socket_fd,))
