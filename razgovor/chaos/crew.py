"""All workers of a system under test. Whoever ends is started again after a moment, as an orchestrator would do."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from razgovor.chaos.worker import Death, Worker
from razgovor.embedded.errors import EmbeddedFailed
from razgovor.embedded.waiting import until

LOOK_EVERY_S: Final = 0.05
RESTART_AFTER_S: Final = 0.3
READY_TIMEOUT_S: Final = 120.0


class Crew:
    """The workers; also a context manager. Every method may be called from any thread.

    Args:
        workers: All of them.
    """

    def __init__(self, workers: Iterable[Worker]) -> None:
        self._workers = {worker.name: worker for worker in workers}
        self._lock = threading.RLock()
        self._due: dict[str, float] = {}
        self._resting: set[str] = set()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self.deaths: list[Death] = []
        """Every end of a process, in order."""

    def workers(self, service: str | None = None) -> list[Worker]:
        """Those of a service, or all."""
        return [worker for worker in self._workers.values() if service in {None, worker.service}]

    def start(self) -> None:
        """Start all and return when all are ready."""
        with self._lock:
            for worker in self._workers.values():
                worker.start()
        self._thread = threading.Thread(target=self._watch, name="crew", daemon=True)
        self._thread.start()
        self.wait_ready()

    def wait_ready(self, workers: Sequence[Worker] | None = None, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when these (None: all) are ready.

        Raises:
            EmbeddedFailed: They are not in time; the text names them.
        """
        wanted = self.workers() if workers is None else workers
        deadline_s = time.monotonic() + timeout_s
        while late := self._late(wanted):
            if time.monotonic() > deadline_s:
                raise EmbeddedFailed(f"not ready within {timeout_s:.0f} s: {', '.join(late)}")
            time.sleep(LOOK_EVERY_S)

    def _late(self, wanted: Sequence[Worker]) -> list[str]:
        with self._lock:
            return [worker.name for worker in wanted if not worker.is_ready]

    def kill(self, worker: Worker) -> None:
        """Kill -9."""
        with self._lock:
            worker.signal(signal.SIGKILL)

    def freeze(self, worker: Worker) -> None:
        """SIGSTOP."""
        with self._lock:
            worker.signal(signal.SIGSTOP)

    def thaw(self, worker: Worker) -> None:
        """SIGCONT."""
        with self._lock:
            worker.signal(signal.SIGCONT)

    def arm(self, worker: Worker, crash_at: str, *lives: Mapping[str, str]) -> None:
        """Have a running process kill itself at a step; its next lives get these variables, one after another."""
        with self._lock:
            worker.lives.clear()
            worker.lives.extend(lives)
            worker.crash_file.write_text(crash_at, encoding="utf-8")
            worker.signal(signal.SIGUSR1)

    def disarm(self, worker: Worker) -> None:
        """Its next lives are plain ones."""
        with self._lock:
            worker.lives.clear()

    def renew(self, worker: Worker, *lives: Mapping[str, str]) -> None:
        """Drain it and start it anew; its next lives get these variables, one after another."""
        with self._lock:
            worker.lives.clear()
            worker.lives.extend(lives)
            worker.ask_to_stop()

    def terminated(self, worker: Worker) -> float:
        """Drain it; the seconds until it had ended. It starts again."""
        begun_s, pid = time.monotonic(), worker.pid
        with self._lock:
            worker.ask_to_stop()
        until(lambda: worker.pid != pid, READY_TIMEOUT_S, f"{worker.name} does not end")
        return time.monotonic() - begun_s

    def rest(self, *workers: Worker) -> None:
        """Drain these and leave them down until `wake`; returns when they have ended."""
        with self._lock:
            self._resting.update(worker.name for worker in workers)
            for worker in workers:
                worker.ask_to_stop()
        until(lambda: all(worker.pid is None for worker in workers), READY_TIMEOUT_S, "workers do not end")

    def wake(self, *workers: Worker) -> None:
        """Start those again that rest."""
        with self._lock:
            for worker in workers:
                self._resting.discard(worker.name)
                self._due[worker.name] = 0.0

    def wake_all(self) -> None:
        """Start whoever rests."""
        self.wake(*(worker for worker in self._workers.values() if worker.name in self._resting))

    def stop(self) -> None:
        """End all."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for worker in self._workers.values():
            worker.ask_to_stop()
        for worker in self._workers.values():
            worker.end()

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            with self._lock:
                for worker in self._workers.values():
                    self._look_at(worker)

    def _look_at(self, worker: Worker) -> None:
        death = worker.ended()
        if death is not None:
            self.deaths.append(death)
            if worker.name not in self._resting:
                self._due[worker.name] = time.monotonic() + RESTART_AFTER_S
        due_s = self._due.get(worker.name)
        if due_s is not None and time.monotonic() >= due_s:
            del self._due[worker.name]
            worker.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
