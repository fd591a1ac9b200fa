"""What every service's `__main__` needs: common settings, its life from start to drain, and its status file.

Called by `services.*.__main__`; knows none of them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings

from pipeline.blobs.settings import StoreSettings
from pipeline.errors import RazgovorError, Transient
from pipeline.stream.settings import KafkaSettings
from pipeline.telemetry import exposition, families, logs
from pipeline.telemetry.metrics import Metrics

EXIT_FATAL: Final = 70  # sysexits.h: EX_SOFTWARE
EXIT_CONFIG: Final = 78  # sysexits.h: EX_CONFIG
SECRETS_FOLDER: Final = Path("/run/secrets")  # where containers are given theirs
_PEER_PAUSE_S: Final = 1.0
#: Whoever looks at the status file counts in seconds.
_BEAT_EVERY_S: Final = 0.5


class ServiceSettings(KafkaSettings, StoreSettings):
    """Settings common to all services; each service subclasses it with its own `env_prefix`."""

    status_file: Path | None = Field(default=None, description="Where the service writes its state; none: nowhere.")
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    drain_timeout_s: float = Field(default=6.0, ge=0, le=600, description="How long SIGTERM waits for work in flight.")
    stop_with_parent: bool = Field(
        default=False, description="Drain when standard input closes: whoever started us died."
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address that /metrics listens on.")
    metrics_port: int | None = Field(
        default=None, ge=0, le=65_535, description="Port of /metrics; 0: any free one; none: there is none."
    )


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


class StatusFile:
    """Tells whoever started the service what it is doing: JSON, replaced whole. Its mtime is the heartbeat.

    Attributes:
        metrics: What the service counts with; shown at the address that stands in the file.
    """

    def __init__(self, path: Path | None, metrics: Metrics | None = None) -> None:
        self._path = path
        self.metrics = metrics or Metrics()
        self._lasting: dict[str, str | int] = {}
        self._beat_due_s = 0.0
        self._lock = threading.Lock()

    def keep(self, **facts: str | int) -> None:
        """Say these from now on, whatever the state."""
        self._lasting |= facts

    def write(self, state: str, **facts: str | int) -> None:
        """Replace the file: `starting`, `waiting`, `ready`, `fused`, `draining`, `stopped` or `failed`, with facts such as `address`."""
        self.metrics.set(families.READY, state == "ready")
        if self._path is None:
            return
        scratch = self._path.with_suffix(".tmp")
        content = {"state": state, "pid": os.getpid(), **self._lasting, **facts}
        with self._lock:  # the thread that looks at the fuse writes too
            scratch.write_text(json.dumps(content), encoding="utf-8")
            scratch.replace(self._path)

    def beat(self) -> None:
        """Say that we still live; called as often as one likes, and said now and then."""
        now_s = time.monotonic()
        if self._path is not None and now_s >= self._beat_due_s:
            self._beat_due_s = now_s + _BEAT_EVERY_S
            self._path.touch()


def stop_event(*, stop_with_parent: bool) -> threading.Event:
    """An event that is set by SIGTERM, SIGINT or, if asked, by the end of standard input."""
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if stop_with_parent:
        threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True, name="lifeline").start()
    return stop


def _wait_for_end_of_input(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    stop.set()


def load(settings_class: type[SettingsT], **said: Any) -> SettingsT:
    """The settings from the environment, `said` before it; what is wrong ends the process, named without its value."""
    # A file named like a variable there takes its place: a secret need not stand in the environment.
    secrets = SECRETS_FOLDER if SECRETS_FOLDER.is_dir() else None
    try:
        return settings_class(_secrets_dir=secrets, **said)
    except ValidationError as error:
        prefix = settings_class.model_config.get("env_prefix", "")
        for fault in error.errors(include_input=False, include_url=False):
            name = prefix + ("_".join(str(part) for part in fault["loc"]).upper() or "*")
            sys.stderr.write(f"{name}: {fault['msg']}\n")
        raise SystemExit(EXIT_CONFIG) from None


def wait_for(verify: Callable[[], None], stop: threading.Event, status: StatusFile, peer: str) -> bool:
    """Ask a peer until it answers.

    Returns:
        False if we were told to stop first.

    Raises:
        Fatal: The peer refuses us.
    """
    while not stop.is_set():
        try:
            verify()
        except Transient as error:
            logs.get(__name__).warning("waiting_for_peer", peer=peer, error=str(error))
            status.write("waiting", peer=peer)
            stop.wait(_PEER_PAUSE_S)
        else:
            return True
    return False


@contextmanager
def _metrics_shown(settings: ServiceSettings, status: StatusFile) -> Iterator[None]:
    if settings.metrics_port is None:
        yield
        return
    with exposition.served(status.metrics, settings.metrics_host, settings.metrics_port) as url:
        status.keep(metrics=url)
        yield


def run(name: str, settings: ServiceSettings, body: Callable[[threading.Event, StatusFile], None]) -> int:
    """Run a service until it is told to stop, and serve its metrics where the settings say so.

    Args:
        name: The service's name in its logs.
        settings: Its settings.
        body: Constructs, verifies peers, works until the event is set, drains.

    Returns:
        The exit status: 0 after a drain, 70 after Fatal or another failure that has a name.
    """
    log = logs.configure(name, settings.log_level)
    status = StatusFile(settings.status_file, Metrics(name))
    try:
        with _metrics_shown(settings, status):
            status.write("starting")
            body(stop_event(stop_with_parent=settings.stop_with_parent), status)
    except RazgovorError as error:  # Fatal, or what a peer or child of ours could not give at the start
        log.error("fatal", error=str(error))  # noqa: TRY400  its text says all there is
        status.write("failed", error=str(error))
        return EXIT_FATAL
    log.info("stopped")
    status.write("stopped")
    return 0
