"""`python -m razgovor.chaos.service NAME`: the test build of a service. Started by the chaos rig, part of no deployment.

It is the service's own `serve` with its own settings, plus `ChaosSettings`: the step at which it kills itself, a full
disk, a wrong clock, the next release's schemas, and for the transcriber parts that need no model. The entries of production know of none of it.
"""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

from pipeline import crash_points, service
from razgovor.chaos import next_release, wrong_clock
from razgovor.chaos.settings import ChaosSettings


def _transcriber(told: ChaosSettings) -> int:
    from razgovor.chaos.parts import chaos_children  # noqa: PLC0415  other services need none of it
    from services.transcriber import __main__ as transcriber  # noqa: PLC0415
    from services.transcriber.settings import TranscriberSettings  # noqa: PLC0415

    settings = service.load(TranscriberSettings)
    body = partial(transcriber.serve, settings, children=partial(chaos_children, told))
    return service.run("transcriber", settings, body)


def _arm(told: ChaosSettings) -> None:
    if told.crash_at is not None:
        crash_points.arm(told.crash_at)
    crash_file = told.crash_file
    if crash_file is not None:
        signal.signal(signal.SIGUSR1, lambda *_: crash_points.arm(crash_file.read_text(encoding="utf-8")))


def main(name: str) -> int:
    """Run a service's test build with the settings of the environment; the exit status."""
    told = ChaosSettings()
    if told.clock_offset_s:
        wrong_clock.mislead(told.clock_offset_s, told.clock_jumps_s)
    _arm(told)
    if told.release == "next":
        next_release.become()
    if told.file_limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (told.file_limit_bytes, told.file_limit_bytes))
    if name == "transcriber":
        return _transcriber(told)
    of_service: Callable[[], int] = import_module(f"services.{name}.__main__").main
    return of_service()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
