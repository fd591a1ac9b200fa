"""`razgovor transcriber tune`: the fastest settings at no cost in words, and what this machine carries with them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from razgovor.cache import cache_folder
from razgovor.commands.failures import explained
from razgovor.commands.transcribe import ModelOption, get_model
from razgovor.embedded.postgres_access import database_urls
from razgovor.stack.layout import StackFolder
from razgovor.transcription.run import model_option
from razgovor.transcription.tables import console as terminal
from razgovor.tuning import measuring, tables, waiting
from razgovor.tuning.carrying import Machine
from razgovor.tuning.measuring import Meter, SampleCall
from razgovor.tuning.plan import Question, Settings, questions
from razgovor.tuning.search import Measured, Search, Tried
from razgovor.tuning.waiting import Backlog
from services.transcriber.settings import TranscriberSettings

_MINUTE_S: Final = 60


def tune(
    *,
    audio: Annotated[
        list[Path] | None, typer.Option(help="Calls with references beside them; none: the demo's.")
    ] = None,
    model: ModelOption = "base",
    device: Annotated[str | None, typer.Option(help="cpu or cuda; none: what the settings say.")] = None,
    limit_s: Annotated[float, typer.Option(help="No new run begins after this.", min=0)] = 120.0,
    call_minutes: Annotated[float, typer.Option(help="Length of a call.", min=0.1, max=1440)] = 5.0,
    backlog: Annotated[int | None, typer.Option(help="So many calls wait; none: the database is asked.", min=0)] = None,
    data: Annotated[Path | None, typer.Option(help="The folder of a running `razgovor up`.")] = None,
    database_url: Annotated[
        str | None, typer.Option(envvar="INGEST_DATABASE_URL", help="A database elsewhere, as ingest's role.")
    ] = None,
    env_file: Annotated[Path | None, typer.Option(help="Write the chosen settings here too.")] = None,
) -> None:
    """Try settings on sample calls; say which to take, why, and how many calls a month this machine carries with them."""
    screen = terminal()
    weights = get_model(model)
    fixed = {"model": model_option(weights), "model_cache_dir": str(cache_folder(os.environ))}
    if device is not None:
        fixed["device"] = device
    with explained():
        calls = _calls(audio)
        asked, begin = _asked(fixed)
        search = Search(begin, Meter(calls, fixed), _time_limit(limit_s))
        tried = _searched(search, asked)
    screen.print(tables.of_trials(tried))
    screen.print(f"\nChosen for {weights.name} on {os.cpu_count()} cores, to set in the transcriber's environment:")
    for line in tables.environment(search.chosen):
        screen.print(line, markup=False)
    if env_file is not None:
        env_file.write_text("\n".join(tables.environment(search.chosen)) + "\n", encoding="utf-8")
    machine = Machine(
        call_s_per_s=search.best.call_s_per_s,
        call_s=call_minutes * _MINUTE_S,
        stored=search.best.stored,
    )
    screen.print()
    screen.print(tables.of_carrying(machine))
    screen.print()
    screen.print(tables.of_usual(machine))
    screen.print()
    screen.print(tables.of_store(machine.stored), soft_wrap=True)
    with explained():
        waits = _backlog(backlog, machine.call_s, data, database_url)
    if waits is not None:
        screen.print(tables.backlog(machine, waits, datetime.now(UTC)))


def _calls(audio: Sequence[Path] | None) -> list[SampleCall]:
    try:
        calls = measuring.shipped() if audio is None else measuring.below(audio)
    except FileNotFoundError as error:
        raise typer.BadParameter(f"{error} is not there", param_hint="--audio") from error
    if not calls:
        raise typer.BadParameter("no recording has a reference beside it", param_hint="--audio")
    if not any(call.reference.turns for call in calls):
        raise typer.BadParameter("nobody speaks in any of them", param_hint="--audio")
    return calls


def _asked(fixed: Settings) -> tuple[list[Question], Settings]:
    """The questions whose settings this release has, and what these are now."""
    device = str(measuring.present(["device"], fixed)["device"])
    asked = [
        question
        for question in questions(device, os.cpu_count() or 1)
        if all(name in TranscriberSettings.model_fields for answer in question.answers for name in answer)
    ]
    names = dict.fromkeys(name for question in asked for answer in question.answers for name in answer)
    return asked, measuring.present(list(names), fixed)


def _time_limit(limit_s: float) -> Callable[[], bool]:
    ends_s = time.monotonic() + limit_s
    return lambda: time.monotonic() < ends_s


def _searched(search: Search, asked: Sequence[Question]) -> list[Tried]:
    total = 1 + sum(len(question.answers) - 1 for question in asked)
    tried: list[Tried] = []
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    ) as bar:
        task = bar.add_task("as it is", total=total)
        measure = search.measure

        def shown(chosen: Settings) -> Measured:
            bar.update(task, description=tables.said(chosen))
            measured = measure(chosen)
            bar.advance(task)
            return measured

        search.measure = shown
        tried.extend(search.run(asked))
    return tried


def _backlog(calls: int | None, call_s: float, data: Path | None, database_url: str | None) -> Backlog | None:
    """What waits; None: nobody said where to look."""
    if calls is not None:
        return waiting.told(calls, call_s)
    if database_url is None and data is not None:
        database_url = database_urls(StackFolder(data.absolute()).postgres).ingest
    return None if database_url is None else waiting.asked(database_url, call_s)
