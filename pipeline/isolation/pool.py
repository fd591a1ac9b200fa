"""Several children that do the same. Called by ingest (probes) and the transcriber (its front end)."""

from __future__ import annotations

import queue
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Generic, Self

from pipeline.isolation.limits import Limits
from pipeline.isolation.process import ChildProcess, RequestT, ResponseT

#: How often whoever waits for a child asks whether to wait on.
_LOOK_EVERY_S: Final = 0.2


class ChildPool(Generic[RequestT, ResponseT]):
    """`size` children behind the one `call`; each is started by its first request, or all by `start`.

    Args:
        size: How many requests are served at once.
        factory: As in ChildProcess.
        name: Shown in the process list, with the child's number.
        limits: What each child's requests may take.
        start_timeout_s: How long the factory may take.
    """

    def __init__(
        self,
        size: int,
        factory: Callable[[], Callable[[RequestT], ResponseT]],
        *,
        name: str,
        limits: Limits,
        start_timeout_s: float,
    ) -> None:
        if size < 1:
            raise ValueError(f"a pool of {size} children serves nobody")
        self._children = tuple(
            ChildProcess(factory, name=f"{name}-{number}", limits=limits, start_timeout_s=start_timeout_s)
            for number in range(size)
        )
        # The last one back goes out first: a quiet pool keeps few children warm.
        self._idle: queue.LifoQueue[ChildProcess[RequestT, ResponseT]] = queue.LifoQueue()
        for child in reversed(self._children):
            self._idle.put(child)

    @property
    def pids(self) -> tuple[int, ...]:
        """The process ids of the children that live."""
        return tuple(pid for child in self._children if (pid := child.pid) is not None)

    def start(self) -> None:
        """Start every child, all at once: each takes a second or so; raises as ChildProcess.start."""
        with ThreadPoolExecutor(len(self._children), thread_name_prefix="pool-start") as threads:
            for started in [threads.submit(child.start) for child in self._children]:
                started.result()

    def call(
        self, request: RequestT, *, timeout_s: float, still_wanted: Callable[[], None] = lambda: None
    ) -> ResponseT:
        """Have a free child serve the request; waits for one, which `timeout_s` does not count. As ChildProcess.call."""
        child = self._await_idle(still_wanted)
        try:
            return child.call(request, timeout_s=timeout_s, still_wanted=still_wanted)
        finally:
            self._idle.put(child)

    def _await_idle(self, still_wanted: Callable[[], None]) -> ChildProcess[RequestT, ResponseT]:
        while True:
            try:
                return self._idle.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                still_wanted()

    def close(self) -> None:
        """End all children for good; calls under way end with ChildClosed."""
        for child in self._children:
            child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
