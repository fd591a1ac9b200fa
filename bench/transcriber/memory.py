"""What the transcriber keeps in memory: over a thousand calls (it must be flat), and for a file of hours.

    python -m bench.transcriber.memory                       # 1,000 calls and 3 h, on a model of a megabyte
    python -m bench.transcriber.memory --model base          # the same on real weights

Proportional set size of the process with its children, so that shared pages count once. The model does not matter to the
question, so the default is a tiny one that hears nothing; decoder, speech detection, packing, batching are the real ones.
Writes bench/out/transcriber-memory.json.
"""

from __future__ import annotations

import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import psutil
import soundfile
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.transcriber.processes import part_of
from razgovor.cache import cache_folder
from razgovor.demo import samples
from razgovor.local_transcriber import LocalTranscriber, local_transcriber, settings
from razgovor.transcription.tables import console as terminal
from services.transcriber import models
from services.transcriber.testing.tiny_whisper import build

_OUT: Final = Path(__file__).parents[1] / "out" / "transcriber-memory.json"
_MEGABYTE: Final = 1 << 20
_LOOK_EVERY_S: Final = 0.25
#: Calls after which everything has been allocated once.
_WARM: Final = 100
_STEPS: Final = 10
#: Five commands of some seconds, then a call of a minute, and so on.
_ROUND: Final = (*(f"people/golos_{number:02}.wav" for number in range(5)), "clinic.wav")


def in_use() -> dict[str, int]:
    """Bytes of this process and all below it, by what they are."""
    parts = {"engine": 0, "front_end": 0, "rest": 0}
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            parts[part_of(process)] += process.memory_full_info().pss
    return parts


@contextmanager
def peaks() -> Iterator[dict[str, int]]:
    """The largest that each part, and all together, were while the context lasted."""
    largest: dict[str, int] = {}
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(_LOOK_EVERY_S):
            parts = in_use()
            for name, size in {**parts, "all": sum(parts.values())}.items():
                largest[name] = max(largest.get(name, 0), size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield largest
    finally:
        stop.set()
        watcher.join()


def over_calls(transcriber: LocalTranscriber, calls: int, advance: Callable[[], None]) -> list[tuple[int, int]]:
    """Bytes in use after so many calls."""
    folder = samples.folder()
    found: list[tuple[int, int]] = []
    paths = itertools.islice(itertools.cycle(folder / name for name in _ROUND), calls)
    for done, heard in enumerate(transcriber.hear(paths), start=1):
        if heard.reason is not None:
            raise SystemExit(f"{heard.path.name}: {heard.reason}")
        advance()
        if done == _WARM or (done > _WARM and done % max(1, calls // _STEPS) == 0):
            found.append((done, sum(in_use().values())))
    return found


def long_file(folder: Path, hours: float) -> Path:
    """A stereo call of hours in A-law, as a PBX writes it: one sample call again and again."""
    source = samples.folder() / "bank.wav"
    frames, rate_hz = soundfile.read(source, dtype="int16", always_2d=True)
    path = folder / "long.wav"
    with soundfile.SoundFile(path, "w", rate_hz, frames.shape[1], subtype="ALAW", format="WAV") as file:
        for _ in range(max(1, round(hours * 3600 * rate_hz / len(frames)))):
            file.write(frames)
    return path


def show(found: dict[str, object], after: Sequence[tuple[int, int]], peak: dict[str, int], console: Console) -> None:
    """Two tables."""
    table = Table("calls done", "MiB in use", box=None, pad_edge=False)
    for calls, size in after:
        table.add_row(f"{calls:,}", f"{size / _MEGABYTE:.0f}")
    console.print(table)
    if peak:
        parts = Table("peak for the long file, MiB", *peak, box=None, pad_edge=False)
        parts.add_row(f"{found['long_hours']} h", *(f"{size / _MEGABYTE:.0f}" for size in peak.values()))
        console.print(parts)


def main(
    *,
    calls: Annotated[int, typer.Option(help="So many, one after the other, several in flight.", min=0)] = 1000,
    hours: Annotated[float, typer.Option(help="Length of the long file; 0: none.", min=0)] = 3.0,
    model: Annotated[str | None, typer.Option(help="None: a tiny one that hears nothing.")] = None,
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = _OUT,
) -> None:
    """Measure, print, write."""
    console = terminal()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with TemporaryDirectory(prefix="razgovor-memory-") as name, Progress(*columns, console=console) as bar:
        folder = Path(name)
        if model is None:
            weights = build(folder / "tiny")
        else:
            weights = models.resolve(model, cache=cache_folder(os.environ)).folder
        chosen = settings(model=str(weights))
        with local_transcriber(chosen) as transcriber:
            task = bar.add_task("calls", total=calls)
            after = over_calls(transcriber, calls, lambda: bar.advance(task))
        peak: dict[str, int] = {}
        if hours:
            task = bar.add_task(f"a call of {hours:g} h", total=1)
            path = long_file(folder, hours)
            with local_transcriber(chosen) as transcriber, peaks() as peak:
                [heard] = transcriber.hear([path])
            if heard.reason is not None:
                raise SystemExit(f"the long file: {heard.reason}")
            bar.advance(task)
    found: dict[str, object] = {
        "model": model or "tiny",
        "after_calls_bytes": dict(after),
        "grown_bytes": after[-1][1] - after[0][1] if after else 0,
        "long_hours": hours,
        "long_peak_bytes": peak,
    }
    show(found, after, peak, console)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
