"""Peak memory of each service over the demo's samples, or over one long recording.

    python bench/memory.py
    python bench/memory.py --hours 3

The long recording is mostly digital silence, with a call now and then: it tries what grows with a file, not the engine.
Resident sets of the services and of their children, looked at ten times a second; shared pages count in each of them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
import psutil
import soundfile
from rich.console import Console
from rich.table import Table

from razgovor.cache import cache_folder
from razgovor.demo import samples
from razgovor.stack.stack import Stack
from razgovor.transcription import recordings
from razgovor.transcription.run import carry, plan, temporary_stack
from razgovor.transcription.session import Wanted
from services.transcriber import models

OUT: Final = Path(__file__).parent / "out"
MEGABYTE: Final = 1 << 20


def resident_bytes(pid: int, service: str) -> dict[str, int]:
    """Of a service and all below it; what `pipeline.isolation` gave a name stands by itself."""
    found: Counter[str] = Counter()
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for one in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found[_name(one) or service] += one.memory_info().rss
    return found


def _name(process: psutil.Process) -> str | None:
    """What a child was called by its parent; see `pipeline.isolation.process`."""
    match process.cmdline():
        case [_, "-P", "-c", boot, name, *_] if "pipeline.isolation.child" in boot:
            return name
        case _:
            return None


def watch(stack: Stack, peaks: dict[str, int], stop: threading.Event) -> None:
    """Keep the largest resident set of each until told to stop."""
    while not stop.wait(0.1):
        for one in stack.service_states():
            if one.pid is not None:
                for name, size_bytes in resident_bytes(one.pid, one.name).items():
                    peaks[name] = max(peaks.get(name, 0), size_bytes)


def long_recording(folder: Path, hours: int) -> Path:
    """Stereo, 8 kHz, 16 bit: every half hour begins with a call of the demo's, and rests."""
    call, rate_hz = soundfile.read(samples.folder() / "bank.wav", dtype="int16")
    half_hour = np.zeros((1800 * rate_hz, 2), dtype=np.int16)
    half_hour[: len(call)] = call
    path = folder / f"{hours}h.wav"
    with soundfile.SoundFile(path, "w", rate_hz, 2, "PCM_16") as file:
        for _ in range(2 * hours):
            file.write(half_hour)
    return path


def main() -> None:
    """Run the recordings, print the table, write bench/out/memory.json or memory-{hours}h.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=int, default=0, help="Length of one long recording in the samples' place.")
    hours = parser.parse_args().hours
    with tempfile.TemporaryDirectory() as name:
        source = long_recording(Path(name), hours) if hours else samples.folder()
        run(source, OUT / (f"memory-{hours}h.json" if hours else "memory.json"))


def run(source: Path, report: Path) -> None:
    """Transcribe a recording or a folder of them, and say what that took."""
    console, cache = Console(), cache_folder(os.environ)
    model = models.resolve("base", cache=cache)
    found = recordings.find([source])
    peaks: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name, temporary_stack(model, cache, console, "en") as stack:
        out, stop = Path(name), threading.Event()
        watcher = threading.Thread(target=watch, args=(stack, peaks, stop))
        watcher.start()
        carry(stack, plan(found, Wanted(), out, redo=True), out, console, "en")
        stop.set()
        watcher.join()
    table = Table("process", "peak MiB")
    for process, peak in sorted(peaks.items()):
        table.add_row(process, str(peak // MEGABYTE))
    console.print(table)
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps({"peak_bytes": peaks}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
