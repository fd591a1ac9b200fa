"""`make bench-gpu`: what this machine's GPU carries. Prints tables, writes bench/out/gpu.json.

Runs wherever CTranslate2 finds a GPU. No weights are needed: turbo and large-v3 of true shape are made on the spot.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import ctranslate2
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.gpu.calibration import TOKENS, WINDOWS_PER_CALL_HOUR, Load, Point, curve
from bench.gpu.card import watched
from services.transcriber.testing.random_whisper import SHAPES, build, made_up_words

OUT: Final = Path(__file__).parents[1] / "out" / "gpu.json"
BEAM: Final = 5
#: One worker over all batches, then more workers where it may pay, then a greedy search.
LOADS: Final = (
    *(Load(batch=batch, workers=1, beam=BEAM) for batch in (1, 4, 16, 32, 64, 128)),
    *(Load(batch=batch, workers=workers, beam=BEAM) for workers in (2, 4) for batch in (16, 32, 64)),
    *(Load(batch=batch, workers=2, beam=1) for batch in (16, 64)),
)


def calibrate(names: list[str], device: str, compute_types: list[str], scratch: Path, console: Console) -> list[Point]:
    """The curves of all models."""
    points: list[Point] = []
    with Progress(console=console) as progress:
        bar = progress.add_task("calibration", total=len(names) * len(compute_types) * len(LOADS))
        for name in names:
            begin_s = time.perf_counter()
            folder = build(scratch / name, SHAPES[name], made_up_words(TOKENS))
            console.print(f"{name}: random weights made in {time.perf_counter() - begin_s:.0f} s")
            for compute_type in compute_types:
                for point in curve(folder, name, device, compute_type, LOADS):
                    points.append(point)
                    progress.advance(bar)
    return points


def show(points: list[Point], console: Console) -> None:
    """The curve as a table."""
    table = Table(
        "model", "type", "beam", "workers", "batch", "windows/s", "call-s/s", "encode", "search", "align", box=None
    )
    for point in points:
        load = point.load
        figures = (
            (point.error, "", "", "", "")
            if point.error
            else (
                f"{point.windows_per_s:.1f}",
                f"{point.call_s_per_s:.0f}",
                *(f"{value:.0f} ms" for value in (point.encode_ms, point.generate_ms, point.align_ms)),
            )
        )
        table.add_row(point.model, point.compute_type, str(load.beam), str(load.workers), str(load.batch), *figures)
    console.print(table)
    console.print(
        f"Windows of 30 s, {TOKENS} tokens said in each; call-s/s: {WINDOWS_PER_CALL_HOUR} windows an hour of stereo call."
    )


def main(
    *,
    models: Annotated[str, typer.Option(help="Shapes, comma separated.")] = "large-v3-turbo,large-v3,base",
    device: Annotated[str, typer.Option(help="cuda; cpu only tries this program out.")] = "cuda",
    compute_types: Annotated[str, typer.Option(help="CTranslate2's, comma separated.")] = "float16",
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = OUT,
) -> None:
    """Measure, print, write."""
    console = Console(width=150)
    if device == "cuda" and not ctranslate2.get_cuda_device_count():
        console.print("no GPU here: CTranslate2 finds no CUDA device")
        raise typer.Exit(1)
    with TemporaryDirectory(prefix="razgovor-gpu-") as scratch, watched() as card:
        points = calibrate(models.split(","), device, compute_types.split(","), Path(scratch), console)
    show(points, console)
    if card.samples:
        console.print(f"card: {card.watts:.0f} W in the mean, {card.memory_mib:.0f} MiB at the most")
    out.parent.mkdir(parents=True, exist_ok=True)
    figures = [asdict(point) | {"call_s_per_s": point.call_s_per_s} for point in points]
    out.write_text(json.dumps({"calibration": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
