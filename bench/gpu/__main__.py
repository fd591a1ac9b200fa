"""`make bench-gpu`: what this machine's GPU carries. Prints tables, writes bench/out/gpu.json.

Runs wherever CTranslate2 finds a GPU. No weights are needed: turbo and large-v3 of true shape are made on the spot.
"""

from __future__ import annotations

import json
import random
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

from bench.gpu.arms import CONTENDERS, Timed, recordings, timed
from bench.gpu.calibration import TOKENS, WHOLE_FRAMES, Load, Point, curve
from bench.gpu.card import watched
from bench.gpu.tables import show_arms, show_batches, show_curve
from bench.transcriber.arms import Platform
from services.transcriber.testing.random_whisper import SHAPES, build, made_up_words

OUT: Final = Path(__file__).parents[1] / "out" / "gpu.json"
BEAM: Final = 5
#: The longest axis of at most 1,024 of the encoder's positions, and one that is a little longer.
AXES_FRAMES: Final = (1024, 1536, 2048, 2080, 2560)
#: One worker over all batches, then more workers where it may pay, then shorter windows, then a greedy search.
LOADS: Final = (
    *(Load(batch=batch, workers=1, beam=BEAM) for batch in (1, 4, 16, 32, 64, 128)),
    *(Load(batch=batch, workers=workers, beam=BEAM) for workers in (2, 4) for batch in (16, 32, 64)),
    *(Load(batch=32, workers=2, beam=BEAM, frames=frames) for frames in AXES_FRAMES),
    *(Load(batch=batch, workers=2, beam=1) for batch in (16, 64)),
)
#: Enough to see where the curve bends, and to judge the arms by.
QUICK_LOADS: Final = (
    *(Load(batch=32, workers=2, beam=BEAM, frames=frames) for frames in (WHOLE_FRAMES, *AXES_FRAMES)),
    *(Load(batch=32, workers=3, beam=BEAM, frames=frames) for frames in (WHOLE_FRAMES, 2048)),
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
            folder = build(scratch / f"{name}-{TOKENS}", SHAPES[name], made_up_words(TOKENS))
            console.print(f"{name}: random weights made in {time.perf_counter() - begin_s:.0f} s")
            for compute_type in plan.compute_types:
                for point in curve(folder, name, plan.device, compute_type, plan.loads):
                    points.append(point)
                    progress.advance(bar)
    return points


def compare(plan: Plan, name: str, for_s: float, scratch: Path, console: Console) -> list[Timed]:
    """Every arm on this model, for so long each, in an order of chance."""
    calls = recordings(scratch)
    found: dict[str, Timed] = {}
    for contender in random.sample(CONTENDERS, k=len(CONTENDERS)):
        folder = scratch / f"{name}-{contender.tokens}"
        if not folder.exists():
            build(folder, SHAPES[name], made_up_words(contender.tokens))
        platform = Platform(model=folder, device=plan.device, compute_type=plan.compute_types[0], threads=1)
        timing = timed(contender, platform, calls, warm_s=for_s / 3, for_s=for_s)
        found[contender.title] = timing
        console.print(f"{name}, {timing.title}: {timing.call_s_per_s:.0f} seconds of calls a second")
    return [found[contender.title] for contender in CONTENDERS]


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
            show_curve(points, console)
        for model in plan.models if arms_s else ():
            compared[model] = compare(plan, model, arms_s, scratch, console)
            show_arms(model, compared[model], console)
            show_batches(compared[model], console)
    if card.samples:
        console.print(f"card: {card.watts:.0f} W in the mean, {card.memory_mib:.0f} MiB at the most")
    out.parent.mkdir(parents=True, exist_ok=True)
    figures = {
        "calibration": [asdict(point) | {"call_s_per_s": point.call_s_per_s} for point in points],
        "arms": {
            model: {timing.title: asdict(timing) | {"call_s_per_s": timing.call_s_per_s} for timing in timings}
            for model, timings in compared.items()
        },
    }
    out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
