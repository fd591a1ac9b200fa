"""`razgovor eval FILE|FOLDER... --refs FOLDER`: what was said against what is heard, in errors."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from razgovor.cache import cache_folder
from razgovor.commands.failures import explained
from razgovor.commands.transcribe import LocaleOption, get_model
from razgovor.evaluation import references, report, tables
from razgovor.evaluation.measures import EngineResult
from razgovor.evaluation.run import Task, evaluate, tasks
from razgovor.local_transcriber import local_transcriber, settings
from razgovor.texts import Locale, text
from razgovor.transcription import recordings
from razgovor.transcription.recordings import Recording
from razgovor.transcription.run import model_option
from razgovor.transcription.tables import console as terminal
from razgovor.transcription.tables import progress

_OUT: Final = Path("razgovor-out/eval")
_SHOWN_NAMES: Final = 5

SourcesArgument = Annotated[
    list[Path], typer.Argument(metavar="FILE|FOLDER...", help="Recordings, or folders of them.")
]


def evaluate_command(
    sources: SourcesArgument,
    *,
    refs: Annotated[
        Path | None, typer.Option(help="Folder of the references (.json or .txt); none: beside the recordings.")
    ] = None,
    silence: Annotated[
        list[Path] | None, typer.Option(help="Recordings where nobody speaks: not one word may come out.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(envvar="RAZGOVOR_MODEL", help="A model, or its folder; may be told repeatedly.")
    ] = None,
    language: Annotated[str, typer.Option(help="Spoken.")] = "ru",
    out: Annotated[Path, typer.Option(help="Where report.html and eval.json go.")] = _OUT,
    lang: LocaleOption = "ru",
) -> None:
    """Say how right the transcripts are: errors by call, channel and engine, and every word's fate in one HTML page."""
    screen = terminal()
    with explained():
        to_do, left_out = to_be_heard(sources, refs, silence or [])
    if not to_do:
        raise typer.BadParameter("no recording has a reference", param_hint="--refs")
    results = [_engine_result(name, to_do, language, screen, lang) for name in model or ["base"]]
    for result in results:
        screen.print(tables.of_calls(result, lang))
        screen.print()
    if len(results) > 1:
        screen.print(tables.of_engines(results, lang))
    if left_out:
        shown = ", ".join(left_out[:_SHOWN_NAMES]) + (" …" if len(left_out) > _SHOWN_NAMES else "")
        screen.print(text("eval_no_reference", lang, count=len(left_out), names=shown), style="yellow", markup=False)
    screen.print(text("eval_report", lang, path=str(_write(results, out, lang))), markup=False, soft_wrap=True)


def to_be_heard(sources: Sequence[Path], refs: Path | None, silence: Sequence[Path]) -> tuple[list[Task], list[str]]:
    """What is to be heard, and the names of recordings without a reference."""
    spoken, silent = _found(sources), _found(silence)
    with_reference = tasks(spoken, references.find(spoken, refs))
    named = {task.recording.name for task in with_reference}
    silences = [Task(recording, references.SILENCE) for recording in silent if recording.name not in named]
    return with_reference + silences, [one.name for one in spoken if one.name not in named]


def _found(sources: Sequence[Path]) -> list[Recording]:
    try:
        return recordings.find(sources)
    except FileNotFoundError as error:
        raise typer.BadParameter(f"{error} is not there", param_hint="FILE|FOLDER") from error


def _engine_result(name: str, to_do: Sequence[Task], language: str, screen: Console, locale: Locale) -> EngineResult:
    model = get_model(name)
    chosen = settings(model=model_option(model), model_cache_dir=cache_folder(os.environ))
    with progress(screen) as bar, explained(), local_transcriber(chosen) as transcriber:
        task = bar.add_task(f"{name}: {text('eval_worked', locale)}", total=len(to_do), now="")

        def done(recording: str) -> None:
            bar.update(task, advance=1, now=recording)

        return evaluate(model.name, transcriber, to_do, language=language, done=done)


def _write(results: Sequence[EngineResult], out: Path, locale: Locale) -> Path:
    """report.html and eval.json, for their owner only: they hold what was said."""
    if not out.exists():
        out.mkdir(mode=0o700, parents=True)
    page = out / "report.html"
    page.write_text(report.render(results, locale), encoding="utf-8")
    facts = json.dumps([_facts(result) for result in results], ensure_ascii=False, indent=1)
    (out / "eval.json").write_text(facts + "\n", encoding="utf-8")
    return page


def _facts(result: EngineResult) -> dict[str, Any]:
    """Figures without a word of the calls."""
    return {
        "name": result.name,
        "engine": result.engine,
        "wer": result.errors.rate,
        "cer": result.characters.wer,
        "silence_words": result.silence_words,
        "start_error_p95_s": result.start_error_s,
        "calls": [
            {
                "recording": call.recording,
                "failed": call.failed,
                "channel_mode": call.channel_mode,
                "warnings": call.warnings,
                "wer": call.errors.rate,
                "cer": call.characters.wer,
                "silence_words": call.silence_words,
                "start_errors_s": call.start_errors_s,
                "channels": [
                    {"channel": one.channel, "role": one.role, **asdict(one.alignment.errors)} for one in call.channels
                ],
            }
            for call in result.calls
        ],
    }
