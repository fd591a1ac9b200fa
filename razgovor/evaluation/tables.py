"""The figures as a plain table on the terminal. Called by `razgovor eval`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from razgovor.evaluation.alignment import WordErrors
from razgovor.evaluation.measures import CallResult, ChannelResult, EngineResult, percentile
from razgovor.scoring import Score
from razgovor.texts import Locale, text

_FIGURES = ("words", "wer", "cer", "wrong", "missed", "added", "silence", "start")


def of_calls(result: EngineResult, locale: Locale) -> Table:
    """One engine: a line a recording and channel, the sums below."""
    table = _table(result.name if not result.engine else f"{result.name} ({result.engine})")
    table.add_column(text("eval_recording", locale), no_wrap=True)
    table.add_column(text("eval_channel", locale))
    _add_figures(table, locale)
    table.add_column(text("eval_notes", locale))
    for call in result.calls:
        _add_call(table, call, locale)
    table.add_section()
    table.add_row(text("eval_all", locale), "", *_sums(result), style="bold")
    return table


def of_engines(results: list[EngineResult], locale: Locale) -> Table:
    """All engines, a line each."""
    table = _table(None)
    table.add_column(text("eval_engine", locale), no_wrap=True)
    _add_figures(table, locale)
    for result in results:
        table.add_row(escape(result.name), *_sums(result))
    return table


def _table(title: str | None) -> Table:
    return Table(
        title=None if title is None else escape(title),
        title_justify="left",
        box=None,
        pad_edge=False,
        header_style="bold",
    )


def _add_figures(table: Table, locale: Locale) -> None:
    for name in _FIGURES:
        table.add_column(text(f"eval_{name}", locale), justify="right")


def _add_call(table: Table, call: CallResult, locale: Locale) -> None:
    start = percentile(call.start_errors_s)
    several = len(call.channels) > 1
    whole = _figures(call.errors, call.characters, call.silence_words if call.silence_s is not None else None, start)
    style = "red" if call.failed else None
    table.add_row(escape(call.recording), "", *whole, ", ".join(notes(call, locale)), style=style)
    for channel in call.channels if several else ():
        errors, characters = channel.alignment.errors, channel.alignment.characters
        table.add_row("", channel_name(channel), *_figures(errors, characters, None, None), "", style="dim")


def notes(call: CallResult, locale: Locale) -> Iterator[str]:
    """What else there is to say of a recording."""
    if call.failed:
        yield f"{text('failed', locale)}: {call.failed}"
    if call.channel_mode and call.channel_mode not in call.warnings:
        yield call.channel_mode
    yield from call.warnings
    if call.suppressed:
        yield text("eval_suppressed", locale, count=call.suppressed)


def channel_name(channel: ChannelResult) -> str:
    """Its number and, where it has one, its role."""
    number = "" if channel.channel is None else str(channel.channel)
    return f"{number} {channel.role}".strip() if channel.role else number


def _sums(result: EngineResult) -> list[str]:
    known = any(call.silence_s is not None for call in result.calls)
    return _figures(result.errors, result.characters, result.silence_words if known else None, result.start_error_s)


def _figures(errors: WordErrors, characters: Score, silence: int | None, start_s: float | None) -> list[str]:
    rated = errors.words > 0
    return [
        str(errors.words),
        f"{errors.rate:.1%}" if rated else "",
        f"{characters.wer:.1%}" if rated else "",
        str(errors.wrong),
        str(errors.missed),
        str(errors.added),
        "" if silence is None else str(silence),
        "" if start_s is None else f"{start_s:.2f} s",
    ]
