"""Starts services in the order of their needs, keeps them running, ends them in reverse. Knows none of them by name.

`stack.Stack` gives it the specs. Every process is ended by its number or its group, never by a name; all of them drain
by themselves when this process dies (see `owned_process`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from razgovor.stack.service_spec import Backoff, FactsByName, ServiceSpec, ServiceState
from razgovor.stack.supervised import Supervised

TICK_S: Final = 0.1
#: What was killed may leave a moment later.
DEFAULT_BACKOFF: Final = Backoff()


class Supervisor:
    """A set of services, all running or all ended.

    Args:
        specs: Each after those that it needs.
        logs: Folder of the logs.
        inherits: Descriptors that every process holds while it lives.
    """

    def __init__(
        self,
        specs: Sequence[ServiceSpec],
        logs: Path,
        *,
        backoff: Backoff = DEFAULT_BACKOFF,
        inherits: Sequence[int] = (),
    ) -> None:
        known: set[str] = set()
        for spec in specs:
            if missing := set(spec.needs) - known:
                raise ValueError(f"{spec.name} stands before what it needs: {sorted(missing)}")
            known.add(spec.name)
        self._services = {spec.name: Supervised(spec, logs, backoff, inherits) for spec in specs}
        self._shown: dict[str, ServiceState] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._show()

    def start(self) -> None:
        """Start all, each as soon as what it needs is ready; return when all are ready.

        Raises:
            ProcessFailed: One ended or was not ready in time; all are ended again.
        """
        try:
            while not all(service.is_ready for service in self._services.values()):
                self._start_due(first=True)
                time.sleep(TICK_S / 2)
                self._look(first=True)
                self._show()
        except BaseException:  # also Ctrl-C: nothing may stay behind
            self._end_all()
            raise
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def states(self) -> list[ServiceState]:
        """How each service is, in order of start. Any thread may ask."""
        return list(self._shown.values())

    def facts(self, name: str) -> dict[str, object]:
        """What a service last said of itself when it was ready."""
        return dict(self._services[name].facts)

    def stop(self) -> None:
        """End all: first those that nobody needs. A second time does nothing."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._end_all()

    def _watch(self) -> None:
        while not self._stop.wait(TICK_S):
            self._look(first=False)
            self._renew()
            self._start_due(first=False)
            self._show()

    def _look(self, *, first: bool) -> None:
        now_s = time.monotonic()
        for service in self._services.values():
            failure = service.look(now_s)
            if first and failure is not None:
                raise failure

    def _start_due(self, *, first: bool) -> None:
        now_s = time.monotonic()
        for service in self._services.values():
            facts = self._needed(service)
            if facts is not None and service.is_due(now_s):
                failure = service.start(facts, now_s)
                if first and failure is not None:
                    raise failure

    def _renew(self) -> None:
        now_s = time.monotonic()
        for service in self._services.values():
            facts = self._needed(service)
            if facts is not None:
                service.renew_if_outdated(facts, now_s)

    def _needed(self, service: Supervised) -> FactsByName | None:
        """Facts of what a service needs, None unless all of it is ready."""
        needed = {name: self._services[name] for name in service.spec.needs}
        if not all(other.is_ready for other in needed.values()):
            return None
        return {name: other.facts for name, other in needed.items()}

    def _end_all(self) -> None:
        remaining = dict(self._services)
        while remaining:
            needed = {name for service in remaining.values() for name in service.spec.needs}
            leaves = [service for name, service in remaining.items() if name not in needed]
            for service in leaves:
                service.ask_to_stop()
            self._show()
            deadline_s = time.monotonic() + max(service.spec.stop_timeout_s for service in leaves)
            for service in leaves:
                service.wait_stopped(deadline_s - time.monotonic())
                del remaining[service.spec.name]
        self._show()

    def _show(self) -> None:
        today = datetime.now(UTC)
        self._shown = {name: service.shown(self._shown.get(name), today) for name, service in self._services.items()}
