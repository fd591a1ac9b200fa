"""`make bench-gpu`: what this machine's GPU carries. Prints tables, writes bench/out/gpu.json.

Runs wherever CTranslate2 finds a GPU. No weights are needed: turbo and large-v3 of true shape are made on the spot.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import ctranslate2
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.gpu.arms import Timed, arms, recordings, timed
from bench.gpu.calibration import TOKENS, WHOLE_FRAMES, WINDOWS_PER_CALL_HOUR, Load, Point, curve
from bench.gpu.card import watched
from bench.transcriber.arms import Platform
from bench.transcriber.ours import Library
from services.transcriber.testing.random_whisper import SHAPES, build, made_up_words

OUT: Final = Path(__file__).parents[1] / "out" / "gpu.json"
BEAM: Final = 5
#: Said in each window of the arms: what a window of 20 s and more may hold without being taken for a loop.
ARM_TOKENS: Final = 80
#: Of the transcriber, on a GPU. Calls in flight share the card fairly, so the first of them ends about when the last does:
#: enough of them to keep four batches waiting, and no more.
OURS: Final[Mapping[str, str | int | float]] = {
    "workers": 2,
    "batch_size": 32,
    "batches_ahead": 1,
    "max_in_flight": 24,
    "front_ends": min(64, max(2, (os.cpu_count() or 2) - 2)),
}
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


def compare(plan: Plan, model: Path, for_s: float, scratch: Path, console: Console) -> list[Timed]:
    """Every arm on this model, for so long each, in an order of chance."""
    compute_type = plan.compute_types[0]
    calls = recordings(scratch)
    found: list[Timed] = []
    platform = Platform(model=model, device=plan.device, compute_type=compute_type, threads=1, settings=OURS)
    made = list(arms(platform).items())
    random.shuffle(made)
    for name, make in made:
        arm = make()
        found.append(timed(name, arm, calls, for_s))
        console.print(f"{model.name} {name}: {found[-1].call_s_per_s:.0f} seconds of calls a second")
        if isinstance(arm, Library):
            arm.close()
        del arm
    return found


def show_arms(model: str, timings: Sequence[Timed], console: Console) -> None:
    """The arms as a table, ours divided by each."""
    table = Table(
        "model", "arm", "call-s/s", "ours over it", "card busy", "W", "kJ a call-hour", "recordings", box=None
    )
    ours = next(timing for timing in timings if timing.arm == "ours")
    for timing in timings:
        table.add_row(
            model,
            timing.arm,
            f"{timing.call_s_per_s:.0f}",
            f"{ours.call_s_per_s / timing.call_s_per_s:.2f}",
            f"{timing.busy:.0%}",
            f"{timing.watts:.0f}",
            f"{timing.joules_per_call_hour / 1000:.1f}",
            str(timing.recordings),
        )
    console.print(table)


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
    arms_s: Annotated[float, typer.Option(help="So long each arm hears calls; 0: no arms.")] = 45.0,
    arms_only: Annotated[bool, typer.Option("--arms-only", help="No calibration.")] = False,
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
    compared: dict[str, list[Timed]] = {}
    points: list[Point] = []
    with TemporaryDirectory(prefix="razgovor-gpu-") as name, watched() as card:
        scratch = Path(name)
        if not arms_only:
            points = calibrate(plan, scratch, console)
            show(points, console)
        for model in plan.models if arms_s else ():
            folder = scratch / model
            if not folder.exists():
                build(folder, SHAPES[model], made_up_words(ARM_TOKENS))
            compared[model] = compare(plan, folder, arms_s, scratch, console)
            show_arms(model, compared[model], console)
    if card.samples:
        console.print(f"card: {card.watts:.0f} W in the mean, {card.memory_mib:.0f} MiB at the most")
    out.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "calibration": [asdict(point) | {"call_s_per_s": point.call_s_per_s} for point in points],
        "arms": {
            model: {timing.arm: asdict(timing) | {"call_s_per_s": timing.call_s_per_s} for timing in timings}
            for model, timings in compared.items()
        },
    }
    out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
