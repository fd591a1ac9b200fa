"""`razgovor dlq list|show|replay|drop|resume`: what an operator does with dead letters. Joined by `razgovor.__main__`."""

from __future__ import annotations

import json
import os
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from pipeline.blobs.ports import BlobNotFound
from pipeline.contracts import layout
from pipeline.contracts.topics import GROUPS
from pipeline.errors import Permanent
from razgovor.commands.failures import explained, fail
from razgovor.commands.options import DATA, DataOption, DryRunOption, JsonOption, LimitOption
from razgovor.commands.since import SinceOption
from razgovor.dlq import tables
from razgovor.dlq.access import Access
from razgovor.dlq.replaying import Replayed, Replayer
from razgovor.operator import operator
from services.ledger.letters import DeadLetterBox, Letter, Selection

app = typer.Typer(help="Dead letters: look at them, have them done again, put the fuse back in.", no_args_is_help=True)

IdsArgument = Annotated[list[int] | None, typer.Argument(help="These letters, by the ids of `list`.")]
ReasonOption = Annotated[str | None, typer.Option(help="Put aside for this reason.")]
TopicOption = Annotated[str | None, typer.Option(help="Of this topic, or in this DLQ.")]
GroupOption = Annotated[str | None, typer.Option(help="Put aside by this consumer group.")]
JobOption = Annotated[str | None, typer.Option(help="Of this job.")]
AllOption = Annotated[bool, typer.Option("--all", help="Mean all that are open, when nothing else says which.")]


@app.command("list")
def list_command(
    *,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    group: GroupOption = None,
    job: JobOption = None,
    since: SinceOption = None,
    done: Annotated[bool, typer.Option("--done", help="Also those that were replayed or dropped.")] = False,
    limit: LimitOption = 50,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show what was put aside and is still open."""
    selection = Selection(reason=reason, topic=topic, group=group, job_id=job, since=since, also_done=done)
    with explained():
        letters = _access(data).letters()
        found, count = letters.find(selection, limit), letters.count(selection)
    if as_json:
        _print_json({"letters": [tables.summary(letter) for letter in found], "count": count})
        return
    Console().print(tables.letter_table(found))
    Console().print(f"{len(found)} of {count}", highlight=False)


@app.command("show")
def show_command(
    letter_id: Annotated[int, typer.Argument(metavar="ID", help="A letter, by the id of `list`.")],
    *,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Show one letter: its headers, and its event, or its bytes where nobody understands them."""
    with explained():
        access = _access(data)
        found = access.letters().find(Selection(letter_ids=[letter_id], also_done=True), 1)
        if not found:
            fail(f"there is no letter {letter_id}")
        letter = found[0]
        try:
            event = access.wire().decode(letter.message()) if letter.is_whole else None
        except Permanent:
            event = None
    if as_json:
        _print_json(tables.whole(letter, event))
    else:
        typer.echo("\n".join(tables.whole_lines(letter, event)))


@app.command("replay")
def replay_command(
    ids: IdsArgument = None,
    *,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    group: GroupOption = None,
    job: JobOption = None,
    since: SinceOption = None,
    everything: AllOption = False,
    limit: LimitOption = 1000,
    force: Annotated[bool, typer.Option("--force", help="Publish also what this release does not understand.")] = False,
    dry_run: DryRunOption = False,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Have letters done again.

    A job that was told `failed` starts a new run; a record that nobody had understood goes to its topic again, byte for
    byte. What is done is marked, and not done a second time.
    """
    selection = Selection(letter_ids=ids, reason=reason, topic=topic, group=group, job_id=job, since=since)
    with explained(), ExitStack() as opened:
        access = _access(data)
        letters = access.letters()
        found = _meant(letters, selection, limit, everything=everything)
        replayer = Replayer(
            letters,
            cache(lambda: opened.enter_context(access.runs())),
            cache(lambda: opened.enter_context(access.producer())),
            access.wire().decode,
            by=operator(),
        )
        replayed: list[Replayed] = []
        try:
            replayed.extend(replayer.replay(found, force=force, dry_run=dry_run))
        finally:  # what was done before a peer went away is done
            if as_json:
                _print_json({"dry_run": dry_run, "letters": [tables.replay_row(one) for one in replayed]})
            else:
                Console().print(tables.replay_table(replayed))
                _tell(f"{sum(one.done for one in replayed)} of {len(found)}", "replayed", dry_run=dry_run)


@app.command("drop")
def drop_command(
    ids: IdsArgument = None,
    *,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    group: GroupOption = None,
    job: JobOption = None,
    since: SinceOption = None,
    everything: AllOption = False,
    limit: LimitOption = 1000,
    dry_run: DryRunOption = False,
    data: DataOption = DATA,
    as_json: JsonOption = False,
) -> None:
    """Take letters off the list: nobody wants them done. Nothing is deleted; `list --done` still shows them."""
    selection = Selection(letter_ids=ids, reason=reason, topic=topic, group=group, job_id=job, since=since)
    with explained():
        letters = _access(data).letters()
        found = _meant(letters, selection, limit, everything=everything)
        dropped = len(found) if dry_run else letters.mark_dropped([letter.letter_id for letter in found])
    if as_json:
        _print_json({"dry_run": dry_run, "dropped": dropped, "ids": [letter.letter_id for letter in found]})
    else:
        Console().print(tables.letter_table(found))
        _tell(str(dropped), "dropped", dry_run=dry_run)


@app.command("resume")
def resume_command(
    *,
    group: Annotated[str, typer.Option(help=f"The consumer group: {', '.join(GROUPS)}.")],
    data: DataOption = DATA,
) -> None:
    """Put a blown fuse back in: the group's consumers go on by themselves, within half a minute."""
    if group not in GROUPS:
        fail(f"the groups are {', '.join(GROUPS)}")
    key = layout.fuse_key(group)
    with explained():
        store = _access(data).store()
        try:
            marker = json.loads(store.read(key))
        except BlobNotFound:
            typer.echo(f"the fuse of {group} is whole")
            return
        except ValueError:
            marker = {}
        store.delete(key)
    reasons = ", ".join(f"{reason} {count}" for reason, count in marker.get("reasons", {}).items())
    typer.echo(f"the fuse of {group} is in again; it had blown at {marker.get('blown_at', '?')}: {reasons or '?'}")


def _meant(letters: DeadLetterBox, selection: Selection, limit: int, *, everything: bool) -> list[Letter]:
    if selection == Selection() and not everything:
        fail("say which: ids, a filter, or --all")
    found, count = letters.find(selection, limit), letters.count(selection)
    if count > len(found):
        typer.echo(f"the first {len(found)} of {count}; --limit takes more", err=True)
    return found


def _access(data: Path) -> Access:
    return Access(os.environ, data)


def _tell(count: str, done: str, *, dry_run: bool) -> None:
    Console().print(f"{count} {'would be ' if dry_run else ''}{done}", highlight=False)


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
