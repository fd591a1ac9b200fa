"""What the card says of itself while something runs: how busy, how many watts, how much memory. Used by all of `bench.gpu`."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

_QUERY: Final = (
    "--query-gpu=utilization.gpu,power.draw,memory.used",
    "--format=csv,noheader,nounits",
    "--loop-ms=500",
)


@dataclass(slots=True)
class Watched:
    """What nvidia-smi saw while something ran: busy share (0 to 1) and watts, in the mean; memory at its most, MiB."""

    samples: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def busy(self) -> float:
        """Share of the time in which a kernel ran."""
        return sum(sample[0] for sample in self.samples) / max(1, len(self.samples)) / 100

    @property
    def watts(self) -> float:
        """Drawn by the card."""
        return sum(sample[1] for sample in self.samples) / max(1, len(self.samples))

    @property
    def memory_mib(self) -> float:
        """At the most."""
        return max((sample[2] for sample in self.samples), default=0.0)


@contextmanager
def watched() -> Iterator[Watched]:
    """Look at the card twice a second; where there are several, at the first."""
    seen = Watched()
    program = shutil.which("nvidia-smi")
    if program is None:
        yield seen
        return
    # One process that goes on: a new one for every look would take a tenth of a core.
    with subprocess.Popen([program, *_QUERY, "--id=0"], stdout=subprocess.PIPE, text=True) as looking:
        lines = looking.stdout

        def read() -> None:
            for line in lines or ():
                if "[" not in line:  # "[N/A]": this card does not say
                    busy, watts, memory = (float(part) for part in line.split(","))
                    seen.samples.append((busy, watts, memory))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            looking.terminate()
            thread.join()
