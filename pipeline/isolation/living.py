"""One child process that has been started, and the requests that it has in hand. Used by `process`, which replaces it.

Requests carry numbers, and a thread takes the answers in whatever order they come. When the child dies, all that it has
in hand ends with it.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Final

from pipeline.isolation.errors import ChildCrashed, ChildFailed, ChildTimeout
from pipeline.isolation.messages import Answer, Fault, Reply, Setup

_END_GRACE_S: Final = 5.0
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


class LivingChild:
    """A child from its start to its end.

    Args:
        name: Shown in the process list.
        setup: What it builds. It has not built it yet: ask it with `setup` first.
    """

    def __init__(self, name: str, setup: Setup) -> None:
        self._cpu_s = setup.limits.cpu_s
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._numbers = itertools.count()
        self._in_hand: dict[int, Future[Reply]] = {}
        self._idle = threading.Condition(self._lock)
        self._death: ChildCrashed | ChildTimeout | None = None
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-c", _BOOT, name, str(theirs.fileno()), str(os.getpid())]
            self._process = _starter.submit(_popen, [*command, json.dumps(sys.path)], theirs.fileno()).result()
        self._connection = Connection(ours.detach())
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"{name}-answers")
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """Its process id; None when it has died."""
        return None if self._process.poll() is not None else self._process.pid

    def ask(self, message: object, timeout_s: float) -> object:
        """Send a message and wait for its answer. What cuts this short ends the child, and so all that it has in hand.

        Raises:
            ChildCrashed: It died.
            ChildTimeout: It took too long, of wall time or of processor time.
            ChildFailed: Its function raised something unforeseen.
            RazgovorError: As its function raised it.
        """
        number, answer = next(self._numbers), Future[Reply]()
        with self._lock:
            if self._death is not None:
                raise self._death
            self._in_hand[number] = answer
        try:
            self._send(number, message)
            reply = answer.result(timeout_s)
        except TimeoutError as error:
            self.end()
            raise ChildTimeout(timeout_s) from error
        except ChildCrashed:
            raise
        except BaseException:
            self.end()
            raise
        if isinstance(reply, Answer):
            return reply.value
        if isinstance(reply, Fault):
            raise reply.error
        raise ChildFailed(reply.type_name)

    def _send(self, number: int, message: object) -> None:
        try:
            with self._sending:
                self._connection.send((number, message))
        except (ConnectionError, OSError):
            return  # it has hung up: the reader says why

    def _read(self) -> None:
        try:
            while True:
                number, reply = self._connection.recv()
                with self._lock:
                    answer = self._in_hand.pop(number, None)
                    self._idle.notify_all()
                if answer is not None:
                    answer.set_result(reply)
        except (EOFError, OSError):
            self._die()

    def _die(self) -> None:
        """Tell all who wait why it hung up."""
        exit_code = self._await_exit()
        death: ChildCrashed | ChildTimeout = ChildCrashed(exit_code)
        if exit_code == -signal.SIGXCPU and self._cpu_s is not None:
            death = ChildTimeout(self._cpu_s)
        with self._lock:
            self._death = death
            ended = list(self._in_hand.values())
            self._in_hand.clear()
            self._idle.notify_all()
        for answer in ended:
            answer.set_exception(death)
        with self._sending:
            self._connection.close()

    def _await_exit(self) -> int:
        """Let it end by itself for a moment; its exit code."""
        try:
            return self._process.wait(_END_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def await_idle(self) -> None:
        """Wait until it has nothing in hand."""
        with self._lock:
            self._idle.wait_for(lambda: not self._in_hand)

    def kill(self) -> None:
        """End it at once; those who wait for an answer get ChildCrashed."""
        self._process.kill()

    def end(self) -> None:
        """The same, and wait until it has gone."""
        self.kill()
        self._reader.join()


def _popen(command: list[str], socket_fd: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(socket_fd,))
