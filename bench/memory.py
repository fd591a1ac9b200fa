"""Peak memory of each service over the demo's samples.

    python bench/memory.py

Resident set of a service with its children, looked at ten times a second; shared pages count in each of them.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from pathlib import Path
from typing import Final

import psutil
from rich.console import Console
from rich.table import Table

from razgovor.cache import cache_folder
from razgovor.demo import samples
from razgovor.stack.stack import Stack
from razgovor.transcription import recordings
from razgovor.transcription.run import carry, plan, temporary_stack
from razgovor.transcription.session import Wanted
from services.transcriber import models

OUT: Final = Path(__file__).parent / "out" / "memory.json"
MEGABYTE: Final = 1 << 20


def resident_bytes(pid: int) -> int:
    """Of a process and all below it; 0 if it is gone."""
    try:
        root = psutil.Process(pid)
        return sum(one.memory_info().rss for one in (root, *root.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def watch(stack: Stack, peaks: dict[str, int], stop: threading.Event) -> None:
    """Keep each service's largest resident set until told to stop."""
    while not stop.wait(0.1):
        for one in stack.service_states():
            if one.pid is not None:
                peaks[one.name] = max(peaks.get(one.name, 0), resident_bytes(one.pid))


def main() -> None:
    """Run the samples, print the table, write bench/out/memory.json."""
    console, cache = Console(), cache_folder(os.environ)
    model = models.resolve("base", cache=cache)
    found = recordings.find([samples.folder()])
    peaks: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name, temporary_stack(model, cache, console, "en") as stack:
        out, stop = Path(name), threading.Event()
        watcher = threading.Thread(target=watch, args=(stack, peaks, stop))
        watcher.start()
        carry(stack, plan(found, Wanted(), out, redo=True), out, console, "en")
        stop.set()
        watcher.join()
    table = Table("service", "peak MiB")
    for service, peak in peaks.items():
        table.add_row(service, str(peak // MEGABYTE))
    console.print(table)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps({"peak_bytes": peaks}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
