"""`razgovor demo`: the shipped samples through the whole stack, judged against what was really said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.rule import Rule

from razgovor.cache import cache_folder
from razgovor.commands.page import link_into, told_page
from razgovor.commands.transcribe import FORMATS, LocaleOption, ModelOption, get_model, make_folder
from razgovor.commands.up import stay_up
from razgovor.demo import samples, verdict
from razgovor.demo.verdict import Verdict
from razgovor.texts import Locale, text
from razgovor.transcription import recordings, tables
from razgovor.transcription.run import Result, carry, finish, plan, temporary_stack
from razgovor.transcription.session import Wanted
from razgovor.transcription.workbook import WORKBOOK

_OUT: Final = Path("razgovor-out/demo")
#: How long the page stays after the demo has ended on a terminal, unless it is said otherwise.
_LOOKED_AT_S: Final = 900.0
#: Shown whole at the end.
_DIALOGUE_OF: Final = "clinic.wav"


def demo(
    *,
    out: Annotated[Path, typer.Option(help="Where results go.")] = _OUT,
    model: ModelOption = "base",
    keep: Annotated[
        bool | None,
        typer.Option(
            "--keep/--no-keep",
            help="Stay up afterwards until Ctrl-C, or end at once. Else: on a terminal for a quarter of an hour, so that the page can be looked at.",
            show_default=False,
        ),
    ] = None,
    lang: LocaleOption = "en",
) -> None:
    """Transcribe the sample calls end to end; exit with 1 if one does not end as it must."""
    console = tables.console()
    weights = get_model(model)
    truths = samples.load()
    found = [one for one in recordings.find([samples.folder()]) if one.name in {truth.file for truth in truths}]
    make_folder(out)
    to_do = plan(found, Wanted(formats=FORMATS, locale=lang, fingerprint=weights.sha256), out, redo=True)
    with temporary_stack(weights, cache_folder(os.environ), console, lang) as stack:
        told_page(stack.ingest_url, link_into(stack), console, lang)
        result = finish(to_do, carry(stack, to_do, out, console, lang), weights, out, lang)
        judged = verdict.judge(truths, result.rows, result.transcripts())
        show(result, judged, console, lang, weights.name)
        if keep or (keep is None and console.is_terminal):
            told_page(stack.ingest_url, link_into(stack), console, lang)
            stay_up(stack, console, lang, for_s=None if keep else _LOOKED_AT_S)
        else:
            console.print(text("page_over", lang), soft_wrap=True)
    if judged.faults:
        raise typer.Exit(1)


def show(result: Result, judged: Verdict, console: Console, locale: Locale, model: str) -> None:
    """Table, figures, one dialogue, and where the files lie."""
    console.print(tables.table(result.rows, locale, judged.wer))
    for line in tables.reasons(result.rows):
        console.print(line, style="red", markup=False)
    people = f"{judged.people.wer:.1%}"
    console.print(text("wer_calls", locale, count=judged.scored_calls, wer=judged.calls.wer, people=people))
    right, both = judged.right_side
    console.print(text("right_side", locale, right=right, all=both))
    if model == "base":
        console.print(text("model_hint", locale, model=model))
    _show_dialogue(result, console, locale)
    console.print(text("files", locale, folder=str(result.out.absolute())), markup=False, soft_wrap=True)
    workbook = str((result.out / WORKBOOK).absolute())
    console.print(text("calls_workbook", locale, path=workbook), markup=False, soft_wrap=True)
    if judged.faults:
        console.print(text("demo_bad", locale, what="; ".join(judged.faults)), style="red", markup=False)
    else:
        console.print(text("demo_good", locale), style="green")


def _show_dialogue(result: Result, console: Console, locale: Locale) -> None:
    for row in result.rows:
        if row.file == _DIALOGUE_OF and "txt" in row.artefacts:
            console.print(Rule(text("dialogue", locale, file=row.file)))
            console.print((result.out / row.artefacts["txt"]).read_text(encoding="utf-8"), markup=False)
            console.print(Rule())
