"""The child's side: take the setup, build the function, serve requests until the parent hangs up or dies.

Run by `pipeline.isolation.process` in a fresh interpreter; never imported by the parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final

from pipeline.errors import RazgovorError
from pipeline.isolation.errors import OUT_OF_MEMORY_EXIT
from pipeline.isolation.messages import Answer, Failure, Fault, Reply, Setup

_PR_SET_PDEATHSIG: Final = 1


def main(socket_fd: int, parent_pid: int) -> None:
    """Serve the parent at the other end of the socket; return when it has closed its end."""
    _ignore_terminal_signals()
    _die_with_parent(socket_fd, parent_pid)
    _one_thread_in_numpy()
    connection = Connection(socket_fd)
    with contextlib.suppress(EOFError, ConnectionError):
        number, setup = connection.recv()
        serve = _prepare(connection, number, setup)
        if serve is not None:
            _serve(connection, serve, setup.concurrency)


def _one_thread_in_numpy() -> None:
    """Children work side by side, one for a core: in each a pool of threads as wide as the machine would be in the others' way.

    Before the setup is read, which may load numpy: its library looks once, when it is loaded.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # noqa: TID251  no setting of ours: a library in this process reads it


def _serve(connection: Connection, serve: Callable[[Any], Any], concurrency: int) -> None:
    sending = threading.Lock()

    def answer(number: int, request: Any) -> None:
        data = _pickled(number, _guarded(partial(serve, request)))
        with sending, contextlib.suppress(ConnectionError):
            connection.send_bytes(data)

    if concurrency == 1:  # on the main thread, where signals for exceeded limits arrive at once
        while True:
            answer(*connection.recv())
    with ThreadPoolExecutor(concurrency, thread_name_prefix="serving") as threads:
        while True:
            threads.submit(answer, *connection.recv())


def _prepare(connection: Connection, number: int, setup: Setup) -> Callable[[Any], Any] | None:
    """Build what serves requests and report how that went; None when it could not be built."""
    functions: list[Callable[[Any], Any]] = []

    def build() -> None:
        setup.limits.apply_before_factory()
        function = setup.factory()
        setup.limits.apply_after_factory()

        def serve(request: Any) -> Any:
            setup.limits.apply_before_request()
            return function(request)

        functions.append(serve)

    connection.send_bytes(_pickled(number, _guarded(build)))
    return functions[0] if functions else None


def _guarded(work: Callable[[], Any]) -> Reply:
    try:
        return Answer(work())
    except RazgovorError as error:
        return Fault(error)
    except MemoryError:
        os._exit(OUT_OF_MEMORY_EXIT)
    except Exception as error:  # noqa: BLE001 - a process boundary: whatever happens here must reach the parent as a value
        return _failure(error)


def _pickled(number: int, reply: Reply) -> bytes:
    """The numbered reply as bytes, proven to be readable again; what cannot travel becomes a failure."""
    try:
        data = pickle.dumps((number, reply))
        if isinstance(reply, Fault):
            pickle.loads(data)  # noqa: S301 - our own bytes of a line ago
    except MemoryError:
        os._exit(OUT_OF_MEMORY_EXIT)
    except Exception as error:  # noqa: BLE001 - pickle raises whatever an object's own methods raise
        return pickle.dumps((number, _failure(error)))
    return data


def _failure(error: BaseException) -> Failure:
    """Where it happened goes to standard error; the exception's text goes nowhere, it may hold personal data."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"child process: {type(error).__name__}\n{frames}")
    return Failure(type(error).__name__)


def _ignore_terminal_signals() -> None:
    """Ctrl-C and a group-wide SIGTERM reach us too, but the parent decides. It started us with both blocked."""
    ours = (signal.SIGINT, signal.SIGTERM)
    for number in ours:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ours)


def _die_with_parent(socket_fd: int, parent_pid: int) -> None:
    """Die when the parent is gone, even in the middle of a request; on Linux even while native code holds the GIL."""
    if sys.platform == "linux":
        # Sent when the thread that started us ends: process.py starts every child from one thread that lives as long
        # as the parent.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # it died before the line above
            os._exit(0)
    threading.Thread(target=_exit_on_hangup, args=(socket_fd,), daemon=True, name="lifeline").start()


def _exit_on_hangup(socket_fd: int) -> None:
    poll = select.poll()
    poll.register(socket_fd, 0)  # no events asked for: hang-ups and errors are always told
    poll.poll()
    os._exit(0)
