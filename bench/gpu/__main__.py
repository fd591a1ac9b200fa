"""`make bench-gpu`: what this machine's GPU carries. Prints tables, writes bench/out/gpu.json.

Runs wherever CTranslate2 finds a GPU. No weights are needed: turbo and large-v3 of true shape are made on the spot.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import ctranslate2
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.gpu.calibration import TOKENS, WHOLE_FRAMES, WINDOWS_PER_CALL_HOUR, Load, Point, curve
from bench.gpu.card import watched
from services.transcriber.testing.random_whisper import SHAPES, build, made_up_words

OUT: Final = Path(__file__).parents[1] / "out" / "gpu.json"
BEAM: Final = 5
#: One worker over all batches, then more workers where it may pay, then shorter windows, then a greedy search.
LOADS: Final = (
    *(Load(batch=batch, workers=1, beam=BEAM) for batch in (1, 4, 16, 32, 64, 128)),
    *(Load(batch=batch, workers=workers, beam=BEAM) for workers in (2, 4) for batch in (16, 32, 64)),
    *(Load(batch=32, workers=2, beam=BEAM, frames=frames) for frames in (1000, 1500, 2000, 2500)),
    *(Load(batch=batch, workers=2, beam=1) for batch in (16, 64)),
)
#: Enough to see where the curve bends.
QUICK_LOADS: Final = (
    *(Load(batch=batch, workers=1, beam=BEAM) for batch in (1, 16)),
    *(Load(batch=32, workers=2, beam=BEAM, frames=frames) for frames in (1000, 1500, 2000, 2500, WHOLE_FRAMES)),
    Load(batch=32, workers=2, beam=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to measure: every load of every model in every compute type, on one device."""

    models: Sequence[str]
    device: str
    compute_types: Sequence[str]
    loads: Sequence[Load]


def calibrate(plan: Plan, scratch: Path, console: Console) -> list[Point]:
    """The curves of all models."""
    points: list[Point] = []
    with Progress(console=console) as progress:
        bar = progress.add_task("calibration", total=len(plan.models) * len(plan.compute_types) * len(plan.loads))
        for name in plan.models:
            begin_s = time.perf_counter()
            folder = build(scratch / name, SHAPES[name], made_up_words(TOKENS))
            console.print(f"{name}: random weights made in {time.perf_counter() - begin_s:.0f} s")
            for compute_type in plan.compute_types:
                for point in curve(folder, name, plan.device, compute_type, plan.loads):
                    points.append(point)
                    progress.advance(bar)
    return points


def show(points: list[Point], console: Console) -> None:
    """The curve as a table."""
    table = Table(
        "model",
        "type",
        "beam",
        "workers",
        "batch",
        "window",
        "windows/s",
        "call-s/s",
        "encode",
        "search",
        "align",
        box=None,
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
        table.add_row(
            point.model,
            point.compute_type,
            str(load.beam),
            str(load.workers),
            str(load.batch),
            f"{load.frames / 100:g} s",
            *figures,
        )
    console.print(table)
    console.print(
        f"{TOKENS} tokens said in each window; call-s/s: {WINDOWS_PER_CALL_HOUR} windows of 30 s an hour of stereo call."
    )


def main(
    *,
    models: Annotated[str, typer.Option(help="Shapes, comma separated.")] = "large-v3-turbo,large-v3,base",
    device: Annotated[str, typer.Option(help="cuda; cpu only tries this program out.")] = "cuda",
    compute_types: Annotated[str, typer.Option(help="CTranslate2's, comma separated.")] = "float16",
    quick: Annotated[bool, typer.Option("--quick", help="Fewer loads.")] = False,
    out: Annotated[Path, typer.Option(help="Where the figures go.")] = OUT,
) -> None:
    """Measure, print, write."""
    console = Console(width=150)
    if device == "cuda" and not ctranslate2.get_cuda_device_count():
        console.print("no GPU here: CTranslate2 finds no CUDA device")
        raise typer.Exit(1)
    plan = Plan(
        models=models.split(","),
        device=device,
        compute_types=compute_types.split(","),
        loads=QUICK_LOADS if quick else LOADS,
    )
    with TemporaryDirectory(prefix="razgovor-gpu-") as scratch, watched() as card:
        points = calibrate(plan, Path(scratch), console)
    show(points, console)
    if card.samples:
        console.print(f"card: {card.watts:.0f} W in the mean, {card.memory_mib:.0f} MiB at the most")
    out.parent.mkdir(parents=True, exist_ok=True)
    figures = [asdict(point) | {"call_s_per_s": point.call_s_per_s} for point in points]
    out.write_text(json.dumps({"calibration": figures}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
