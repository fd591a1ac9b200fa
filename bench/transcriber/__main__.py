"""`make bench-transcriber`: interleaved rounds of all arms. A table on the screen, bench/out/transcriber.json.

    python -m bench.transcriber                           # a quick look: 3 rounds over the six shipped calls
    python -m bench.transcriber --rounds 7                # what may be published, on a quiet machine
    python -m bench.transcriber --rounds 2 --resume       # two more rounds to those that are kept
    python -m bench.transcriber --words calls             # no rounds: each arm once over a folder with references

Speeds differ with the machine, ratios of one round much less; words do not depend on it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench.transcriber import calls as measured
from bench.transcriber import rounds, summary
from bench.transcriber.arms import BARE, OURS, OURS_KAFKA, OURS_REAL_KAFKA, TITLES, Platform
from bench.transcriber.processes import started
from razgovor.cache import cache_folder
from razgovor.transcription.tables import console as terminal
from services.transcriber import models

_OUT: Final = Path(__file__).parents[1] / "out"
_ALL: Final = ",".join((OURS, OURS_KAFKA, *BARE))


def main(
    *,
    rounds_: Annotated[int, typer.Option("--rounds", min=0, help="Rounds to run now.")] = 3,
    resume: Annotated[bool, typer.Option("--resume", help="Keep the rounds of earlier runs.")] = False,
    arms: Annotated[str, typer.Option(help="Comma separated.")] = _ALL,
    audio: Annotated[Path | None, typer.Option(help="Calls with references; none: the shipped ones.")] = None,
    first: Annotated[int | None, typer.Option(help="Only so many of the calls; none: all.", min=1)] = None,
    words: Annotated[Path | None, typer.Option(help="Count errors over this folder, once; no rounds.")] = None,
    model: Annotated[str, typer.Option(help="A model of the catalogue, or a folder.")] = "base",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    compute_type: Annotated[str | None, typer.Option(help="CTranslate2's; none: int8, on a GPU float16.")] = None,
    threads: Annotated[int, typer.Option(help="Of the tuned bare arms.", min=1)] = os.cpu_count() or 1,
    out: Annotated[Path, typer.Option(help="Where transcriber.json goes.")] = _OUT,
) -> None:
    """Measure, print, write."""
    console = terminal()
    platform = Platform(
        model=models.resolve(model, cache=cache_folder(os.environ)).folder,
        device=device,
        compute_type=compute_type or ("float16" if device == "cuda" else "int8"),
        threads=threads,
    )
    wanted = [_known(name) for name in arms.split(",")]
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "transcriber-rounds.jsonl"
    errors = out / "transcriber-words.json"
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as bar:
        task = bar.add_task("starting")

        def told(step: str) -> None:
            bar.update(task, description=step)
            if not console.is_terminal:
                console.print(step)

        if words is not None:
            known = json.loads(errors.read_text()) if errors.exists() else {}
            errors.write_text(
                json.dumps(known | _words(wanted, platform, measured.below(words), told), indent=1) + "\n"
            )
        elif rounds_:
            if not resume:
                kept.unlink(missing_ok=True)
            calls = measured.shipped() if audio is None else measured.below(audio)
            rounds.run(wanted, platform, calls[:first], rounds=rounds_, keep=kept, told=told)
    done = rounds.kept(kept)
    if done:
        _show(summary.facts(done, json.loads(errors.read_text()) if errors.exists() else None), out, console)


def _words(arms: Sequence[str], platform: Platform, calls: Sequence[measured.Call], told: Any) -> dict[str, Any]:
    """Each arm's errors over all calls, and by call."""
    found: dict[str, Any] = {}
    for name in arms:
        told(f"words: {name}")
        with started(name, platform) as process:
            result = rounds.judged(name, process.lap([call.path for call in calls]).transcripts, calls)
        found[name] = {
            "wer": result.errors.rate,
            "cer": result.characters.wer,
            **asdict(result.errors),
            "silence_words": result.silence_words,
            "start_error_s": result.start_error_s,
            "calls": {call.recording: call.errors.rate for call in result.calls},
        }
    return found


def _show(found: dict[str, Any], out: Path, console: Console) -> None:
    console.print(summary.table(found))
    console.print()
    console.print(summary.stages(found))
    console.print()
    console.print(summary.batches(found))
    counted = found["rounds"]
    console.print(
        f"\n{counted['counted']} of {counted['all']} rounds counted ({counted['quiet']} quiet), "
        f"{found['calls']['number']} calls of {found['calls']['seconds']} s together, {found['machine']['cores']} cores"
    )
    for name, one in found["words"].items():
        start = one["start_error_s"]
        console.print(
            f"words, {TITLES[name]}: WER {one['wer']:.1%}, CER {one['cer']:.1%}, in silence {one['silence_words']}"
            + ("" if start is None else f", turn start {start:.2f} s")
        )
    (out / "transcriber.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _known(name: str) -> str:
    if name not in TITLES:
        raise typer.BadParameter(f"{name}: not one of {', '.join((OURS, OURS_KAFKA, OURS_REAL_KAFKA, *BARE))}")
    return name


if __name__ == "__main__":
    typer.run(main)
