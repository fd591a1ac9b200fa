"""What was measured, as tables. Called by `__main__`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench.gpu.arms import Timed
from bench.gpu.calibration import TOKENS, WINDOWS_PER_CALL_HOUR, Point

_STAGES = ("encode", "search", "align")


def show_curve(points: Sequence[Point], console: Console) -> None:
    """The engine alone."""
    table = Table(
        "model", "type", "beam", "workers", "batch", "window", "windows/s", "axis-s/s", "call-s/s", *_STAGES, box=None
    )
    for point in points:
        load = point.load
        figures = (
            (point.error, *[""] * 5)
            if point.error
            else (
                f"{point.windows_per_s:.1f}",
                f"{point.axis_s_per_s:.0f}",
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
        f"{TOKENS} tokens said in 30 s; call-s/s: {WINDOWS_PER_CALL_HOUR} full windows of 30 s an hour of stereo call."
    )


def show_arms(model: str, timings: Sequence[Timed], console: Console) -> None:
    """Ours and the others."""
    titles = ("call-s/s", "recordings", "card busy", "W", "kJ a call-hour", "MiB", "cores: engine", "front end", "rest")
    table = Table(f"arm, {model}", *titles, box=None)
    for timing in timings:
        table.add_row(
            timing.title,
            f"{timing.call_s_per_s:.0f}",
            str(timing.recordings),
            f"{timing.busy:.0%}",
            f"{timing.watts:.0f}",
            f"{timing.joules_per_call_hour / 1000:.1f}",
            f"{timing.memory_mib:.0f}",
            *(f"{timing.cores[part]:.1f}" for part in ("engine", "front_end", "rest")),
        )
    console.print(table)


def show_batches(timings: Sequence[Timed], console: Console) -> None:
    """How full ours keeps the card."""
    titles = ("windows/s", "axis-s/s", "mean batch", "slot fill", "window fill", "heard again", "in hand")
    table = Table("batches of", *titles, *_STAGES, "between", box=None)
    for timing in timings:
        if full := timing.fill:
            stages_s = [full.get(f"stage.{stage}_s", 0.0) for stage in _STAGES]
            table.add_row(
                timing.title,
                f"{timing.windows_per_s:.1f}",
                f"{timing.axis_s_per_s:.0f}",
                f"{full['mean_batch']:.1f}",
                f"{full['slot_fill']:.0%}",
                f"{full['window_fill']:.0%}",
                f"{full['repeated']:.1%}",
                f"{timing.in_hand:.2f}",
                *(f"{1000 * seconds:.0f} ms" for seconds in (*stages_s, full["took_s"] - sum(stages_s))),
            )
    console.print(table)
