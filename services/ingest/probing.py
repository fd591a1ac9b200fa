"""Reads headers of recordings in children that may crash or hang. Constructed by `__main__` and by `watching.running`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.audio import Probe, prober
from pipeline.isolation import ChildPool, Limits
from services.ingest.settings import DoorSettings

_START_TIMEOUT_S = 60.0


@contextmanager
def probing(settings: DoorSettings) -> Iterator[Callable[[Path], Probe]]:
    """What tells a file's header, for as long as the context lasts; each within the settings' memory and time."""
    limits = Limits(memory_bytes=settings.probe_memory_bytes, cpu_s=int(settings.probe_timeout_s) + 1, open_files=64)
    with ChildPool[Path, Probe](
        settings.probe_children, prober, name="ingest-probe", limits=limits, start_timeout_s=_START_TIMEOUT_S
    ) as pool:
        yield lambda path: pool.call(path, timeout_s=settings.probe_timeout_s)
