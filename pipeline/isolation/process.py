"""The parent's side: a child process that serves requests, and is replaced when it has died.

Called by ingest's probe and the transcriber's decoder and engine, directly or through `ChildPool`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Generic, Self, TypeVar, cast

from pipeline.isolation.errors import ChildClosed, ChildCrashed, ChildFailed, ChildTimeout
from pipeline.isolation.limits import Limits
from pipeline.isolation.living import LivingChild
from pipeline.isolation.messages import Setup

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")

#: How often whoever waits for the child asks whether to wait on.
_LOOK_EVERY_S: Final = 0.2


class ChildProcess(Generic[RequestT, ResponseT]):
    """A function that lives in a child process of its own.

    Args:
        factory: Runs in the child and returns what serves requests, e.g. loads a model. Must pickle: a module's
            function or a functools.partial of one, and not of the module that is run as `__main__`.
        name: Shown in the process list.
        limits: What requests may take; `cpu_s` only where they are served one at a time.
        start_timeout_s: How long the factory may take.
        outlives_failures: Whether a child that raised something unforeseen serves on; else it ends what it has in hand,
            and the next call has a fresh one.
        concurrency: Requests in hand at once, each served in a thread of its own. A crash ends them all.
    """

    def __init__(
        self,
        factory: Callable[[], Callable[[RequestT], ResponseT]],
        *,
        name: str,
        limits: Limits,
        start_timeout_s: float,
        outlives_failures: bool = True,
        concurrency: int = 1,
    ) -> None:
        if concurrency > 1 and limits.cpu_s is not None:
            raise ValueError("processor seconds can be counted only where requests are served one at a time")
        self._setup = Setup(factory, limits, concurrency)
        self._name = name
        self._start_timeout_s = start_timeout_s
        self._outlives_failures = outlives_failures
        self._turns = threading.Semaphore(concurrency)
        self._starting = threading.Lock()
        self._child: LivingChild | None = None
        self._retired: LivingChild | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The living child's process id; None when there is none."""
        child = self._child
        return None if child is None else child.pid

    def start(self) -> None:
        """Start the child unless it lives, and wait until its factory has returned.

        Raises:
            ChildCrashed: It died before it was ready.
            ChildTimeout: The factory took longer than `start_timeout_s`.
            ChildFailed: The factory raised something unforeseen.
            ChildClosed: After `close`.
            RazgovorError: As the factory raised it.
        """
        self._living()

    def call(
        self, request: RequestT, *, timeout_s: float, still_wanted: Callable[[], None] = lambda: None
    ) -> ResponseT:
        """Have the child serve a request; safe from any thread. Starts a child first if none lives.

        Args:
            request: Pickles, and is small: paths, not samples.
            timeout_s: Wall time of this request alone, without waiting for others and without a start.
            still_wanted: Asked now and then while others are served, and once more before the request is sent; raises to
                give up. What has been sent is served.

        Raises:
            ChildCrashed: It died, whoever's request it died over; the next call starts another.
            ChildTimeout: It took too long and was killed; the next call starts another.
            ChildFailed: The function raised something unforeseen.
            ChildClosed: After `close`, also when that cut the request short.
            RazgovorError: As the function (or the factory, or `still_wanted`) raised it; the child lives on.
        """
        while not self._turns.acquire(timeout=_LOOK_EVERY_S):
            still_wanted()
        try:
            still_wanted()
            child = self._living()
            return cast("ResponseT", self._asked(child, request, timeout_s))
        except (ChildCrashed, ChildTimeout):
            if self._closed:
                raise ChildClosed from None
            raise
        finally:
            self._turns.release()

    def _asked(self, child: LivingChild, request: RequestT, timeout_s: float) -> object:
        try:
            return child.ask(request, timeout_s)
        except ChildFailed:
            if not self._outlives_failures:
                self._retired = child
            raise

    def retire(self) -> None:
        """Have the next call meet a fresh child; this one ends what it has in hand first."""
        self._retired = self._child

    def kill(self) -> None:
        """End the child at once, also in the middle of other threads' calls (which get ChildCrashed, or ChildClosed)."""
        child = self._child
        if child is not None:
            child.kill()

    def close(self) -> None:
        """End the child for good. Calls under way in other threads end with ChildClosed. Safe to repeat."""
        self._closed = True
        self.kill()
        with self._starting:
            self._bury()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _living(self) -> LivingChild:
        """The child, ready; a fresh one where it has died or is to be replaced."""
        with self._starting:
            if self._closed:
                raise ChildClosed
            child = self._child
            if child is not None and child is self._retired:
                child.await_idle()
            elif child is not None and child.pid is not None:
                return child
            self._bury()
            return self._started()

    def _started(self) -> LivingChild:
        child = self._child = LivingChild(self._name, self._setup)
        if self._closed:  # while we started; `close` now waits for our lock
            self._bury()
            raise ChildClosed
        try:
            child.ask(self._setup, self._start_timeout_s)
        except BaseException:
            self._bury()
            raise
        return child

    def _bury(self) -> None:
        child, self._child, self._retired = self._child, None, None
        if child is not None:
            child.end()
