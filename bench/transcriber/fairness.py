"""Short calls beside a file of hours, on two slots: how long until the engine begins with each of them.

    python -m bench.transcriber.fairness

A call of 3 h is taken on; then short ones come, one after the other, at a steady rate. Measured is, for each short call,
the time from its arrival to the moment when the engine begins with its first window: decoding, listening for speech and
waiting for a slot together. The 99th percentile must be 2 s or less. The long call is given up at the end.
Writes bench/out/transcriber-fairness.json.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.transcriber.memory import long_file
from bench.transcriber.watching import BatchSeen, Book, watched_children
from razgovor.cache import cache_folder
from razgovor.demo import samples
from razgovor.evaluation.measures import percentile
from razgovor.local_transcriber import LocalTranscriber, local_transcriber, settings
from razgovor.transcription.tables import console as terminal
from services.transcriber import models

_OUT: Final = Path(__file__).parents[1] / "out" / "transcriber-fairness.json"
_LIMIT_S: Final = 2.0
_SHORT: Final = tuple(f"people/golos_{number:02}.wav" for number in range(5))
_PARALLEL: Final = 64


def starts_s(arrivals: dict[str, float], batches: Sequence[BatchSeen]) -> list[float]:
    """From each call's arrival to the first batch that holds a window of it."""
    first: dict[str, float] = {}
    for batch in batches:
        for call in batch.calls:
            first[call] = min(first.get(call, batch.begun_s), batch.begun_s)
    return [first[call] - arrived_s for call, arrived_s in arrivals.items() if call in first]


def send(transcriber: LocalTranscriber, calls: int, every_s: float, bar: Progress) -> dict[str, float]:
    """Short calls at a steady rate; when each arrived, by name."""
    arrivals: dict[str, float] = {}
    task = bar.add_task("short calls", total=calls)
    paths = itertools.cycle(samples.folder() / name for name in _SHORT)

    def one(path: Path) -> None:
        arrived_s = time.monotonic()
        for heard in transcriber.hear([path]):
            if heard.reason is not None:
                raise SystemExit(f"{path.name}: {heard.reason}")
            arrivals[f"{heard.call}/1"] = arrived_s
        bar.advance(task)

    begun_s = time.monotonic()
    with ThreadPoolExecutor(_PARALLEL) as pool:
        futures = []
        for number in range(calls):
            time.sleep(max(0.0, begun_s + number * every_s - time.monotonic()))
            futures.append(pool.submit(one, next(paths)))
        for future in futures:
            future.result()
    return arrivals


def main(
    *,
    calls: Annotated[int, typer.Option(help="Short ones.", min=1)] = 200,
    every_s: Annotated[float, typer.Option(help="One comes every so many seconds.", min=0.01)] = 1.0,
    hours: Annotated[float, typer.Option(help="Length of the long call.", min=0.1)] = 3.0,
    model: Annotated[str, typer.Option(help="A model of the catalogue, or a folder.")] = "base",
    express: Annotated[int, typer.Option(help="Workers for small calls beside the two.", min=0)] = 1,
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = _OUT,
) -> None:
    """Measure, print, write."""
    console, book = terminal(), Book()
    weights = models.resolve(model, cache=cache_folder(os.environ)).folder
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with TemporaryDirectory(prefix="razgovor-fairness-") as name, Progress(*columns, console=console) as bar:
        chosen = settings(model=str(weights), workers=2, threads=1, express_workers=express)
        path = long_file(Path(name), hours)
        with local_transcriber(chosen, children=watched_children(book)) as transcriber:
            long = threading.Thread(target=lambda: list(transcriber.hear([path])))
            long.start()
            arrivals = send(transcriber, calls, every_s, bar)
            still_there = long.is_alive()
        long.join()
    waits_s = starts_s(arrivals, book.take())
    found = {
        "short_calls": calls,
        "every_s": every_s,
        "long_hours": hours,
        "long_still_running": still_there,
        "start_s": {str(percent): percentile(waits_s, percent) for percent in (50, 90, 99, 100)},
        "limit_s": _LIMIT_S,
        "express_workers": express,
    }
    table = Table("short calls", "p50", "p90", "p99", "longest", "the long one ran on", box=None, pad_edge=False)
    table.add_row(
        f"{len(waits_s)}", *(f"{percentile(waits_s, one):.2f} s" for one in (50, 90, 99, 100)), str(still_there)
    )
    console.print(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
