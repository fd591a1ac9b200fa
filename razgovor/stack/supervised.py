"""One service under supervision: its process, its state, when it starts again. Moved on by `supervisor`, one thread only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from razgovor.embedded.errors import ProcessFailed
from razgovor.embedded.owned_process import OwnedProcess
from razgovor.stack.service_spec import Backoff, Facts, FactsByName, ServiceSpec, ServiceState

#: A consumer whose fuse has blown has come up well: it waits for an operator, and a restart would change nothing.
UP: Final = frozenset({"ready", "fused"})
ALIVE: Final = UP | {"waiting"}
#: So many starts in a row keep what an earlier one said of itself (its port); then it starts as if for the first time.
KEEP_FACTS_FAILURES: Final = 2


class Supervised:
    """A service's life. All times given are seconds of one monotonic clock; `today` is for showing only."""

    def __init__(self, spec: ServiceSpec, logs: Path, backoff: Backoff, inherits: Sequence[int]) -> None:
        self.spec = spec
        self.restarts = 0
        self.facts: Facts = {}
        self._backoff = backoff
        self._logs = logs
        self._inherits = inherits
        self._process: OwnedProcess | None = None
        self._environment: Mapping[str, str] = {}
        self._failures = 0
        self._start_at_s = 0.0
        self._started_at_s = 0.0
        self._ready_at_s: float | None = None
        self._drain_until_s: float | None = None
        self._state = "pending"

    @property
    def is_ready(self) -> bool:
        """Whether it says so, or that its fuse has blown, and lives."""
        return self._state in UP

    def start(self, facts: FactsByName, now_s: float) -> ProcessFailed | None:
        """Start it; the failure, if this machine has no room for another process."""
        self._environment = self.spec.environment(facts)
        again = self.spec.again(self.facts) if self.facts and self._failures <= KEEP_FACTS_FAILURES else {}
        self._process = OwnedProcess(
            name=self.spec.name,
            command=list(self.spec.command),
            log=self._logs / f"{self.spec.name}.log",
            status_file=self.spec.status_file,
            environment={**self._environment, **again},
            inherits=self._inherits,
        )
        self._started_at_s, self._ready_at_s, self._drain_until_s = now_s, None, None
        self._state = "starting"
        try:
            self._process.start()
        except OSError as error:
            return self._ended(f"could not be started: {error.strerror}", now_s)
        return None

    def look(self, now_s: float) -> ProcessFailed | None:
        """See how it is; the failure, if it ended unasked or was not ready in time."""
        if self._process is None:
            return None
        status = self._process.exit_status()
        if status is not None:
            return self._ended(f"ended with {status}", now_s)
        self._state = "draining" if self._drain_until_s is not None else self._process.state()
        if self._drain_until_s is not None and now_s > self._drain_until_s:
            self._process.kill()
            return self._ended("did not drain in time", now_s)
        if self.is_ready:
            self.facts = self._process.facts()
            self._ready_at_s = now_s if self._ready_at_s is None else self._ready_at_s
            if now_s - self._ready_at_s > self._backoff.stable_s:
                self._failures = 0
        elif self._is_late(now_s):
            self._process.kill()
            return self._ended(f"was not ready within {self.spec.start_timeout_s:.0f} s", now_s)
        return None

    def _is_late(self, now_s: float) -> bool:
        silent = self._ready_at_s is None and self._state not in ALIVE and self._drain_until_s is None
        return silent and now_s - self._started_at_s > self.spec.start_timeout_s

    def _ended(self, why: str, now_s: float) -> ProcessFailed | None:
        if self._process is None:
            return None
        failure = self._process.failed(why)
        self._process.kill()  # dead already; closes its lifeline
        self._process = None
        self._state = "restarting"
        if self._drain_until_s is not None:  # we asked for it
            self._start_at_s = now_s
            return None
        self.restarts += 1
        self._failures += 1
        self._start_at_s = now_s + self._backoff.pause_s(self._failures)
        return failure

    def is_due(self, now_s: float) -> bool:
        """Whether it has no process and its pause is over."""
        return self._process is None and now_s >= self._start_at_s

    def renew_if_outdated(self, facts: FactsByName, now_s: float) -> None:
        """Drain it, to start anew, if those that it needs say something else than when it started."""
        if self._process is None or self._drain_until_s is not None:
            return
        if self.spec.environment(facts) != self._environment:
            self._drain_until_s = now_s + self.spec.stop_timeout_s
            self._process.ask_to_stop()

    def ask_to_stop(self) -> None:
        """SIGTERM; it will not start again."""
        if self._process is not None:
            self._state = "draining"
            self._process.ask_to_stop()

    def wait_stopped(self, timeout_s: float) -> None:
        """Wait for its end, kill it when the time is over."""
        if self._process is not None:
            self._process.wait_ended(timeout_s)
            self._process.kill()
            self._process = None
        self._state = "stopped"

    def shown(self, before: ServiceState | None, today: datetime) -> ServiceState:
        """Its state for others; `since` stays while the state does."""
        same = before is not None and before.state == self._state
        return ServiceState(
            name=self.spec.name,
            state=self._state,
            pid=None if self._process is None else self._process.pid,
            restarts=self.restarts,
            since=before.since if before is not None and same else today,
            last_beat_at=None if self._process is None else self._process.last_beat_at(),
            metrics=None if self._process is None or not self.is_ready else self._metrics(),
        )

    def _metrics(self) -> str | None:
        url = self.facts.get("metrics")
        return None if url is None else str(url)
